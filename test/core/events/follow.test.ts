import { expect, test } from "bun:test";
import type { EventView } from "../../../src/contract/events.ts";
import { until } from "../../support/codex-sink.ts";
import { never, rig } from "../rig.ts";

test("pages by cursor give every row once, in order, with none between them", async () => {
  const here = await rig();
  await here.reaches(await here.send("hello"), "done");
  const { core } = here.world.engine;
  const seen: number[] = [];
  let cursor = `${here.world.store.log.id()}:0`;
  for (let page = core.events({}, cursor, 3); page.events.length > 0; page = core.events({}, cursor, 3)) {
    seen.push(...page.events.map((event) => event.seq));
    cursor = page.next_cursor;
  }
  expect(seen).toEqual(Array.from({ length: here.world.store.log.last() }, (_, at) => at + 1));
});

test("a page that leaves events out says so, and from where all can be read", async () => {
  const here = await rig();
  await here.reaches(await here.send("hello"), "done");
  const { core } = here.world.engine;
  const newest = core.events({}, null, 2);
  expect(newest).toMatchObject({ truncated: true, next_cursor: core.cursor() });
  const first = core.events({}, newest.first_cursor, 2);
  expect(first).toMatchObject({ truncated: true, first_cursor: null });
  expect(first.events.map(({ seq }) => seq)).toEqual([1, 2]);
  const all = core.events({}, newest.first_cursor, 1000);
  expect(all).toMatchObject({ truncated: false, first_cursor: null, next_cursor: core.cursor() });
  expect(all.events.slice(-2)).toEqual(newest.events);
  expect(core.events({}, null, all.events.length).truncated).toBe(false);
});

test("a cursor of another log, past the end, or nonsense is an error and no silent wait", async () => {
  const here = await rig();
  const { core } = here.world.engine;
  const id = here.world.store.log.id();
  for (const cursor of ["elsewhere:1", `${id}:999999`, "nonsense", `${id}:-1`, `${id}:`]) {
    expect(() => core.events({}, cursor, 10)).toThrow("cursor");
  }
});

test("a cursor before what is kept is an error: the rows between are gone, and that is no silence", async () => {
  const here = await rig();
  await here.reaches(await here.send("hello"), "done");
  const { store, engine } = here.world;
  const id = store.log.id();
  const kept = engine.core.cursor();
  store.events.prune(here.clock.now() + 1, 5);
  const first = store.log.first();
  expect(first).toBe(6);
  expect(() => engine.core.events({}, `${id}:2`, 10)).toThrow("no longer kept");
  expect(engine.core.events({}, `${id}:${first - 1}`, 1).events[0]?.seq).toBe(first);
  expect(engine.core.events({}, kept, 10).events).toEqual([]);
});

test("following goes on exactly after the cursor and misses nothing that comes meanwhile", async () => {
  const here = await rig();
  const { core } = here.world.engine;
  const from = core.cursor();
  const rows: EventView[] = [];
  const over = new AbortController();
  const followed = core.follow({}, from, async (row) => void rows.push(row), over.signal);
  const receipt = await here.send("hello");
  await here.reaches(receipt, "done");
  await until("every row", () => rows.length === here.world.store.log.last() - Number(from.split(":")[1]));
  over.abort();
  expect(await followed).toBe(core.cursor());
  expect(rows.map((row) => row.seq)).toEqual(rows.map((_, at) => rows[0]!.seq + at));
});

test("a sample ends when it is full, or when its time is over", async () => {
  const here = await rig();
  const { core } = here.world.engine;
  const full = core.sample({ kinds: ["turn.completed"] }, null, 1, 60_000, never());
  await here.send("hello");
  expect(await full).toMatchObject({ timed_out: false, events: [{ kind: "turn.completed" }] });
  const empty = core.sample({}, null, 1, 1000, never());
  await here.clock.advance(1000);
  expect(await empty).toMatchObject({ timed_out: true, events: [] });
});
