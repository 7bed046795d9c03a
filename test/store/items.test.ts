/** The index itself: order, counters, and a full-text table that agrees with the rows it stands on. */

import { Database } from "bun:sqlite";
import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { laneRow } from "../../src/core/lanerow.ts";
import type { IndexedItem, ItemQuery, Ref, Store } from "../../src/core/ports/store.ts";
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
  const refs = Array.from({ length: lanes }, (_, i) => {
    const mint = { ref: () => `bcdf${String(i).padStart(2, "0")}`, id: () => "" as never };
    const lane = laneRow(store, mint, 1, {
      title: "t",
      source: "own",
      settings: { cwd: "/" },
      created_by: "cli",
    });
    store.lanes.add(lane);
    return lane.ref;
  });
  return { store, refs };
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
  for (let n = 0; n < 1500; n++)
    store.items.put(item(ref, n, { item_id: `same-${n}`, at: 1_700_000_000_000 }));
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

test("one thread among many, by its name in the index or by its row, is the same answer", () => {
  const { store, refs } = open(80);
  for (const [n, ref] of refs.entries()) store.items.put(item(ref, n));
  expect(store.items.search(everything([refs[7]!])).map((hit) => hit.lane)).toEqual([refs[7]!]);
  expect(store.items.search(everything(refs.slice(5)))).toHaveLength(75);
  expect(store.items.search(everything([]))).toEqual([]);
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
