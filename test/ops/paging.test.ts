/** Lists that can be cut: each says so, has a way to the rest, and shows each row once whatever happens meanwhile. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import * as v from "valibot";
import { limits } from "../../src/base/limits.ts";
import { plainLook } from "../../src/base/text.ts";
import { noGuards } from "../../src/core/automation/row.ts";
import { requestRow } from "../../src/core/requests/requestrow.ts";
import { index } from "../../src/ops/index.ts";
import type { AnyOp, DaemonOp } from "../../src/ops/op.ts";
import { create, send } from "../world/given.ts";
import { nothingAsked } from "../world/model.ts";
import { type TestWorld, testWorld } from "../world/world.ts";

const ops: AnyOp[] = await Promise.all(index.map(async (row) => (await row.load()).default));
const opNamed = (name: string) => ops.find((op) => op.name === name) as DaemonOp;

test("an op that takes a limit says that it left something out, and most have a cursor to go on", () => {
  const cut = ops.filter(
    ({ input, streams }: AnyOp & { streams?: unknown }) => "limit" in input.entries && !streams,
  );
  const has = (op: AnyOp, name: string) => name in op.output.entries;
  expect(cut.filter((op) => !has(op, "next_cursor")).map(({ name }) => name)).toEqual([]);
  expect(cut.length).toBeGreaterThan(8);
  const goesOn = ({ input }: AnyOp) => "cursor" in input.entries;
  expect(cut.filter((op) => !goesOn(op)).map(({ name }) => name)).toEqual([]);
  for (const name of ["daemon.log", "event.list", "usage.show", "inbox.ack"])
    expect(Object.keys(opNamed(name).output.entries)).toContain("truncated");
});

type Row = Record<string, unknown>;

/** How to add a row, how to take one away, and the field of its id. */
interface List {
  op: string;
  input: Row;
  rows: string;
  id: string;
  add(world: TestWorld, name: string): unknown;
  remove(world: TestWorld, id: string): unknown;
}

const added = { of: [], action: { kind: "queue", text: "x" }, guards: noGuards, caller: "cli" } as const;
let made = 0;

const lists: List[] = [
  {
    op: "inbox.list",
    input: {},
    rows: "messages",
    id: "id",
    add: ({ engine }, text) => engine.core.postInbox({ lane: null, sender: "cli", text }),
    remove: ({ engine }, id) => engine.core.ackInbox([id]),
  },
  {
    op: "receipt.list",
    input: { state: ["queued"] },
    rows: "receipts",
    id: "receipt",
    add: (world, text) => send(world, text, "queue"),
    remove: ({ engine }, id) => engine.core.cancel(id),
  },
  {
    op: "queue.list",
    input: { thread: "@docs" },
    rows: "messages",
    id: "receipt",
    add: (world, text) => send(world, text, "queue"),
    remove: ({ engine }, id) => engine.core.cancel(id),
  },
  {
    op: "trigger.list",
    input: {},
    rows: "triggers",
    id: "id",
    add: ({ engine }, name) =>
      engine.core.addTrigger({
        ...added,
        name,
        lane: engine.core.resolve("@docs", null),
        when: { kind: "interval", seconds: 60 },
      }),
    remove: ({ engine }, id) => engine.core.removeTrigger(id),
  },
  {
    op: "subscription.list",
    input: {},
    rows: "subscriptions",
    id: "id",
    add: ({ engine }) =>
      engine.core.subscribe({
        ...{ of: [engine.core.resolve("@docs", null)], conditions: ["failed"], to: null, deliver: "inbox" },
        ...{ all: false, once: true, tail: 1, caller: "cli" },
      }),
    remove: ({ engine }, id) => engine.core.removeSubscription(id),
  },
  ...[false, true].map(
    (all): List => ({
      op: "request.list",
      input: { all },
      rows: "requests",
      id: "id",
      add: (world) => world.store.requests.add(question(world)),
      remove: ({ store }, id) => store.requests.set(id, { state: "expired", closed_at: 2000 }),
    }),
  ),
  {
    op: "thread.list",
    input: {},
    rows: "threads",
    id: "ref",
    add: async (world, name) => {
      const { ref } = await create(world, name);
      world.store.lanes.set(ref, { updated_at: 1_000_000 + made++ });
    },
    remove: ({ engine }, ref) => engine.core.forget(engine.core.resolve(ref, null)),
  },
];

function question({ store, engine }: TestWorld) {
  const lane = store.lanes.get(engine.core.resolve("@docs", null));
  const ids = { rpc_id: made++, thread_id: "t", turn_id: null, item_id: null };
  const about = { command: "ls", cwd: null, changes: null, asks: nothingAsked, auto_resolution_ms: null };
  const facts = { ...ids, ...about, method: "some/method", kind: "command_approval" } as const;
  return requestRow({ files: { isInside: () => false } } as never, `q${made}`, lane, 1, facts, null, 1000);
}

describe.each(lists)("$op $input", ({ op: name, input, rows, id, add, remove }) => {
  const op = opNamed(name);
  let world: TestWorld;

  beforeEach(async () => {
    world = testWorld();
    world.engine.begin();
    world.agent.up();
    const { ref } = await create(world, "docs");
    world.engine.core.hold(ref);
    for (let at = 0; at < 7; at++) await add(world, `row${at}`);
  });
  afterEach(() => world.end());

  const page = async (more: Row) =>
    op.run(v.parse(op.input, { ...input, ...more }), world.ctx()) as Promise<Row>;
  const ids = (out: Row) => (out[rows] as Row[]).map((row) => String(row[id]));

  test("its pages are the whole list, and all but the last say that there is more", async () => {
    const whole = await page({});
    expect(whole["next_cursor"]).toBeNull();
    const found: string[] = [];
    let out = await page({ limit: 3 });
    for (;;) {
      found.push(...ids(out));
      if (out["next_cursor"] === null) break;
      if ("truncated" in out) expect(out["truncated"]).toBe(true);
      const shown = op.view(out as never, plainLook(world.clock.now()));
      expect(shown).toContain(`--cursor ${out["next_cursor"]}`);
      out = await page({ limit: 3, cursor: out["next_cursor"] });
    }
    if ("truncated" in out) expect(out["truncated"]).toBe(false);
    expect(found).toEqual(ids(whole));
    expect(found.length).toBeGreaterThan(6);
  });

  test("a row that comes or goes between two pages doubles and hides no other", async () => {
    const before = ids(await page({}));
    const first = await page({ limit: 3 });
    await add(world, "late");
    await remove(world, before[2]!);
    const rest = await page({ cursor: first["next_cursor"] });
    const late = ids(rest).filter((one) => !before.includes(one));
    expect(late.length).toBeLessThan(2);
    expect([...ids(first), ...ids(rest).filter((one) => !late.includes(one))]).toEqual(before);
  });

  test.each(["", "zzz", "W10", Buffer.from('["inbox other pending",1,"x"]').toString("base64url")])(
    "%p is no cursor of it",
    async (cursor) => {
      expect(await page({ cursor }).catch((thrown) => thrown.code)).toBe("usage");
    },
  );
});

test("inbox ack --all says that more are pending than one call takes", async () => {
  const world = testWorld();
  world.engine.begin();
  const ack = async () => {
    const op = opNamed("inbox.ack");
    const { messages, truncated } = (await op.run(v.parse(op.input, { all: true }), world.ctx())) as Row;
    return [(messages as Row[]).length, truncated];
  };
  for (let at = 0; at <= limits.input.pageMax; at++)
    world.engine.core.postInbox({ lane: null, sender: "cli", text: `m${at}` });
  expect(await ack()).toEqual([limits.input.pageMax, true]);
  expect(await ack()).toEqual([1, false]);
  await world.end();
});
