/** What waits for a thread, page by page. */
import { expect, test } from "bun:test";
import type { Receipt } from "../../../src/contract/receipt.ts";
import type { MessageId } from "../../../src/core/model/ports/rows.ts";
import { type Rig, refusal, rig } from "../rig.ts";

async function held(texts: readonly string[]): Promise<{ here: Rig; sent: Receipt[] }> {
  const here = await rig();
  here.world.engine.core.hold(here.ref);
  const sent: Receipt[] = [];
  for (const text of texts) sent.push(await here.send(text, { mode: "queue" }));
  return { here, sent };
}

function pages(here: Rig, between: () => void = () => {}): string[] {
  const { core } = here.world.engine;
  const found: string[] = [];
  let cursor: string | null = null;
  do {
    const page: ReturnType<typeof core.queue> = core.queue(here.ref, cursor, 2);
    found.push(...page.messages.map(({ preview }) => preview));
    cursor = page.next_cursor;
    between();
  } while (cursor !== null);
  return found;
}

test("pages hold all that waits, each once, and the last names no next one", async () => {
  const { here } = await held(["1", "2", "3", "4"]);
  expect(pages(here)).toEqual(["1", "2", "3", "4"]);
  await here.send("5", { mode: "queue" });
  expect(pages(here)).toEqual(["1", "2", "3", "4", "5"]);
});

test("a page leaves nothing out though what was before it goes meanwhile", async () => {
  const { here, sent } = await held(["1", "2", "3", "4", "5", "6"]);
  const gone = [...sent];
  expect(pages(here, () => void here.world.engine.core.cancel(gone.shift()!.receipt))).toEqual([
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
  ]);
});

test("a page goes on behind one that went ahead of all others", async () => {
  const { here, sent } = await held(["1", "2", "3"]);
  const { messages } = here.world.store;
  messages.set(sent[1]!.receipt as MessageId, { position: -3 });
  messages.set(sent[2]!.receipt as MessageId, { position: -2 });
  expect(pages(here)).toEqual(["2", "3", "1"]);
});

test("a move between two pages shows what did not move once", async () => {
  const texts = ["1", "2", "3", "4", "5", "6"];
  for (const [from, to] of [
    [6, 1],
    [5, 2],
    [1, 6],
    [2, 5],
    [3, 4],
  ] as const) {
    const { here, sent } = await held(texts);
    let moves = 0;
    const found = pages(here, () => {
      if (moves++ === 0) here.world.engine.core.move(sent[from - 1]!.receipt, to);
    });
    expect(found.filter((text) => text !== texts[from - 1])).toEqual(
      texts.filter((_, at) => at !== from - 1),
    );
  }
});

test("an interjection between two pages doubles nothing that waits", async () => {
  const { here } = await held(["1", "2", "3", "4"]);
  const { messages } = here.world.store;
  messages.add({ ...messages.listQueued(here.ref, { after: null, limit: 1 })[0]!, ...urgent(here, "u1") });
  let calls = 0;
  const found = pages(here, () => {
    const first = messages.listQueued(here.ref, { after: null, limit: 1 })[0]!;
    if (calls++ === 0) messages.add({ ...first, ...urgent(here, "u2") });
  });
  expect(found).toEqual(["u1", "1", "2", "3", "4"]);
});

function urgent({ world, ref }: Rig, text: string) {
  const position = world.store.messages.position(ref, "urgent");
  return { id: text as MessageId, key: null, text, mode: "interject" as const, position };
}

test("any number of moves to one place keeps the order", async () => {
  const { here, sent } = await held(["1", "2", "3", "4"]);
  const { core } = here.world.engine;
  for (let at = 0; at < 60; at++) {
    const last = core.queue(here.ref, null, 10).messages.at(-1)!;
    core.move(last.receipt, 2);
    const order = core.queue(here.ref, null, 10).messages.map(({ receipt }) => receipt);
    expect(order.indexOf(last.receipt)).toBe(1);
    expect(order[0]).toBe(sent[0]!.receipt);
  }
});

test.each(["2", "x:y", ":", "1:", "99999999999999999999:id"])(
  "%p is no cursor of a queue",
  async (cursor) => {
    const { here } = await held(["1"]);
    const call = Promise.resolve().then(() => here.world.engine.core.queue(here.ref, cursor, 2));
    expect((await refusal(call)).code).toBe("usage");
  },
);
