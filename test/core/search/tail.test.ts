/** Pages of the end of a thread's history, while the thread works. */
import { expect, test } from "bun:test";
import { type Rig, refusal, rig } from "../rig.ts";

const whole = { limit: 50, turns: null, full: false, cursor: null };

/** A thread with these turns, each of a text and its answer. */
async function withTurns(count: number): Promise<Rig> {
  const here = await rig();
  for (let at = 1; at <= count; at++) await turn(here, `t${at}`);
  return here;
}

async function turn(here: Rig, text: string): Promise<void> {
  await here.reaches(await here.send(text), "done");
}

/** The texts of all pages, each page read after `between`, newest page first. */
async function pages(here: Rig, limit: number, between: () => Promise<void>): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await here.world.engine.core.tail(here.ref, { ...whole, limit, cursor });
    found.unshift(...page.items.map(({ text }) => text));
    cursor = page.next_cursor;
    await between();
  } while (cursor !== null);
  return found;
}

test.each([1, 2, 3, 7])(
  "a turn between two pages of %p rows shows no row twice, and hides none",
  async (limit) => {
    const here = await withTurns(13);
    const before = await here.world.engine.core.tail(here.ref, whole);
    let late = 0;
    expect(await pages(here, limit, () => turn(here, `late${late++}`))).toEqual(
      before.items.map(({ text }) => text),
    );
    expect(late).toBeGreaterThan(1);
  },
);

test("a page by turns goes on with the turn before", async () => {
  const here = await withTurns(3);
  const { core } = here.world.engine;
  const last = await core.tail(here.ref, { ...whole, turns: 1 });
  await turn(here, "late");
  const middle = await core.tail(here.ref, { ...whole, turns: 1, cursor: last.next_cursor });
  expect([last, middle].map(({ items }) => items[0]!.text)).toEqual(["t3", "t2"]);
});

test("the cursor of another thread is refused", async () => {
  const here = await withTurns(2);
  const { core } = here.world.engine;
  const { next_cursor } = await core.tail(here.ref, { ...whole, limit: 1 });
  const draft = { name: "other", text: null, goal: null, settings: { cwd: "/repo" }, key: null };
  const other = await core.create({ ...draft, created_by: "cli" }, new AbortController().signal);
  const error = await refusal(core.tail(other.ref, { ...whole, cursor: next_cursor }));
  expect(error.code).toBe("usage");
});

test("a cursor whose row was reverted is refused, and its error names the way on", async () => {
  const here = await withTurns(3);
  const { core } = here.world.engine;
  const { next_cursor } = await core.tail(here.ref, { ...whole, limit: 1 });
  await core.revert(here.ref, 1);
  const error = await refusal(core.tail(here.ref, { ...whole, cursor: next_cursor }));
  expect(error.body).toMatchObject({
    code: "usage",
    hint: expect.stringContaining(`dispatch tail ${here.ref}`),
  });
});
