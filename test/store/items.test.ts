/** The index itself: order, counters, and a full-text table that agrees with the rows it stands on. */

import { Database } from "bun:sqlite";
import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { limits } from "../../src/base/limits.ts";
import type { IndexedItem, ItemQuery } from "../../src/core/model/ports/indexed.ts";
import type { Ref } from "../../src/core/model/ports/rows.ts";
import type { Store } from "../../src/core/model/ports/store.ts";
import { laneRow } from "../../src/core/state/lanerow.ts";
import { openStore } from "../../src/store/store.ts";

const folder = mkdtempSync(join(tmpdir(), "dispatch-items-"));
let path = "";
let opened: Store | undefined;

afterEach(() => {
  opened?.close();
  opened = undefined;
  rmSync(path, { force: true });
});

function open(lanes = 2): { store: Store; refs: Ref[] } {
  path = join(folder, `${crypto.randomUUID()}.db`);
  const store = openStore(path, 1);
  opened = store;
  // One transaction: thousands of them take longer on a slow disk than a test may.
  const refs = store.tx(() => Array.from({ length: lanes }, (_, i) => addLane(store, i)));
  return { store, refs };
}

function addLane(store: Store, i: number): Ref {
  const mint = { ref: () => `b${String(i).padStart(5, "0")}`, id: () => "" as never };
  const lane = laneRow(store, mint, 1, {
    title: "t",
    source: "own",
    settings: { cwd: "/" },
    created_by: "cli",
  });
  store.lanes.add(lane);
  return lane.ref;
}

const item = (lane: Ref, n: number, over: Partial<IndexedItem> = {}): IndexedItem => ({
  lane,
  turn_id: "turn-1",
  item_id: `item-${n}`,
  type: "agent_message",
  at: 1_800_000_000_000 + n,
  text: `fish number ${n}`,
  ...over,
});

const everything = (lanes: readonly Ref[], over: Partial<ItemQuery> = {}): ItemQuery => ({
  match: '"fish"',
  lanes,
  since: null,
  until: null,
  order: "newest",
  after: null,
  limit: 10_000,
  ...over,
});

/** FTS5's own proof that its lists and the rows agree. */
function isSound(): boolean {
  const db = new Database(path);
  try {
    db.run("INSERT INTO items_fts (items_fts, rank) VALUES ('integrity-check', 1)");
    return true;
  } finally {
    db.close();
  }
}

test("however they come in, they come out in the order of time, also many of one ms", () => {
  const { store, refs } = open();
  const ref = refs[0]!;
  for (const n of [5, 1, 9, 3]) store.items.put(item(ref, n));
  store.tx(() => {
    for (let n = 0; n < 1500; n++)
      store.items.put(item(ref, n, { item_id: `same-${n}`, at: 1_700_000_000_000 }));
  });
  const times = store.items.search(everything(refs)).map((hit) => hit.at);
  expect(times).toHaveLength(1504);
  expect(times).toEqual(times.toSorted((a, b) => b - a));
  expect(times.slice(0, 4).map((at) => at - 1_800_000_000_000)).toEqual([9, 5, 3, 1]);
  expect(isSound()).toBe(true);
});

test("the same again is nothing new; a longer reading takes the place of a shorter, never the other way", () => {
  const { store, refs } = open();
  const ref = refs[0]!;
  expect(store.items.put(item(ref, 1, { text: "fish" }))).toBe(true);
  expect(store.items.put(item(ref, 1, { text: "fish" }))).toBe(false);
  expect(store.items.put(item(ref, 1, { text: "fish and chips" }))).toBe(true);
  expect(store.items.put(item(ref, 1, { text: "" }))).toBe(false);
  expect(store.items.search(everything(refs, { match: '"chips"' }))).toHaveLength(1);
  expect(store.items.sync(ref)).toMatchObject({ turns: 1, items: 1, bytes: 14 });
  expect(isSound()).toBe(true);
});

test("threads that are sought by name, left out by name, or too many to name: the same answer", () => {
  const { store, refs } = open(2 * limits.search.namedMax + 4);
  store.tx(() => {
    for (const [n, ref] of refs.entries()) store.items.put(item(ref, n));
  });
  const newestOf = (lanes: Ref[], over: Partial<ItemQuery> = {}) =>
    store.items.search(everything(lanes, over)).map((hit) => hit.lane);
  expect(newestOf([refs[7]!])).toEqual([refs[7]!]);
  expect(newestOf(refs.slice(0, -3), { limit: 2 })).toEqual(refs.slice(-5, -3).reverse());
  const half = refs.filter((_, n) => n % 2 === 0);
  expect(newestOf(half)).toEqual(half.toReversed());
  expect(newestOf([])).toEqual([]);
});

test("a few threads are sought by name also where the others hold much", () => {
  const { store, refs } = open(3);
  store.tx(() => {
    for (let n = 0; n < 4 * limits.search.stepsPerName; n++) store.items.put(item(refs[2]!, n));
    for (const ref of refs.slice(0, 2)) store.items.put(item(ref, -1));
  });
  expect(store.items.search(everything(refs.slice(0, 2), { match: '"fish" "number"' }))).toHaveLength(2);
  expect(store.items.search(everything(refs.slice(2), { limit: 3 })).map((hit) => hit.lane)).toEqual(
    Array(3).fill(refs[2]!),
  );
});

test("texts to rank come whole, and as hits in whatever order they are then asked for", () => {
  const { store, refs } = open();
  for (let n = 0; n < 3; n++) store.items.put(item(refs[0]!, n));
  const texts = store.items.texts(everything(refs, { limit: 2 }));
  expect(texts.map(({ text }) => text)).toEqual(["fish number 2", "fish number 1"]);
  const [second, first] = texts.map(({ id }) => id);
  const hits = store.items.hits('"number"', [first!, second!, 5]);
  expect(hits.map(({ item_id }) => item_id)).toEqual(["item-1", "item-2"]);
  expect(hits[0]!.snippet.slice(hits[0]!.start, hits[0]!.end)).toBe("number");
});

test("a snippet of one endless word is as short as another, and still shows the hit", () => {
  const { store, refs } = open();
  store.items.put(item(refs[0]!, 1, { text: `${"a".repeat(5000)} fish ${"b".repeat(5000)}` }));
  const [hit] = store.items.search(everything(refs));
  expect(hit!.snippet.length).toBeLessThanOrEqual(limits.search.snippetCharsMax);
  expect(hit!.snippet.slice(hit!.start, hit!.end)).toBe("fish");
});

test("the snippet is one line around the hit, and marks that stand in a text are none of ours", () => {
  const { store, refs } = open();
  const text = `${"word ".repeat(200)}\n\tthe \ufdd8 FISH\u001b[31m is here${" more".repeat(200)}`;
  store.items.put(item(refs[0]!, 1, { text }));
  const [hit] = store.items.search(everything(refs));
  expect(hit!.snippet.length).toBeLessThan(400);
  expect(hit!.snippet).not.toMatch(/[\n\t\ufdd8\ufdd9]/);
  expect(hit!.snippet.slice(hit!.start, hit!.end)).toBe("FISH");
});

test("a forgotten thread's items go in small parts, and leave the index sound", () => {
  const { store, refs } = open();
  for (const ref of refs) for (let n = 0; n < 5; n++) store.items.put(item(ref, n));
  store.lanes.forget(refs[0]!, 5);
  expect([3, 3, 3].map((limit) => store.items.dropForgotten(limit))).toEqual([3, 2, 0]);
  expect(store.items.search(everything(refs)).map((hit) => hit.lane)).toEqual(Array(5).fill(refs[1]!));
  expect(isSound()).toBe(true);
});
