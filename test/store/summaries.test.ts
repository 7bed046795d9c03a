import { expect, test } from "bun:test";
import type { Ref } from "../../src/core/model/ports/rows.ts";
import type { Store } from "../../src/core/model/ports/store.ts";
import { memoryStore } from "../support/memorystore.ts";
import { laneRow } from "./rows.ts";

const titles = (store: Store) =>
  store.lanes.summaries({ archived: false, limit: 10 }).map(({ lane }) => lane.title);

function withLane(): { store: Store; ref: Ref } {
  const store = memoryStore();
  const ref = "bbbbbb" as Ref;
  store.lanes.add(laneRow({ ref, title: "first" }));
  return { store, ref };
}

test("rows are read once, and again after any change", () => {
  const { store, ref } = withLane();
  const read = () => store.lanes.summaries({ archived: false, limit: 10 });
  const rows = read();
  expect(read()).toBe(rows);
  store.lanes.set(ref, { title: "second" });
  expect(titles(store)).toEqual(["second"]);
  store.lanes.add(laneRow({ ref: "cccccc" as Ref, title: "third", thread_id: "other", handle: "third" }));
  expect(titles(store)).toHaveLength(2);
  store.lanes.set(ref, { archived_at: 5 });
  expect(titles(store)).toEqual(["third"]);
  expect(store.lanes.summaries({ archived: true, limit: 10 }).map(({ lane }) => lane.title)).toEqual([
    "second",
  ]);
});

test("what a transaction read that was rolled back is not kept", () => {
  const { store, ref } = withLane();
  const undone = () =>
    store.tx(() => {
      store.lanes.set(ref, { title: "never" });
      expect(titles(store)).toEqual(["never"]);
      throw new Error("undone");
    });
  expect(undone).toThrow("undone");
  expect(titles(store)).toEqual(["first"]);
});
