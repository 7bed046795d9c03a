import { expect, test } from "bun:test";
import { limits } from "../../src/base/limits.ts";
import { openStore } from "../../src/store/store.ts";

test("a transaction that fails leaves no hole in the log", () => {
  const store = openStore(":memory:", 1);
  store.tx(() => store.events.append({ kind: "daemon.up" }, 1));
  expect(() =>
    store.tx(() => {
      store.events.append({ kind: "daemon.up" }, 2);
      throw new Error("no");
    }),
  ).toThrow("no");
  store.tx(() => store.events.append({ kind: "daemon.down" }, 3));
  expect(store.events.list({ after: 0, limit: 10 }).map((row) => [row.seq, row.kind])).toEqual([
    [1, "daemon.up"],
    [2, "daemon.down"],
  ]);
  expect(store.log.last()).toBe(2);
});

test("an event that is too large is replaced by a note, and not stored", () => {
  const store = openStore(":memory:", 1);
  store.events.append({ kind: "queue.held", data: { reason: "x".repeat(limits.event.dataBytesMax) } }, 1);
  expect(Object.keys(store.events.list({ after: 0, limit: 1 })[0]!.data)).toEqual(["dropped"]);
});

test("pruning keeps the newest row, so that a cursor at the end stays good", () => {
  const store = openStore(":memory:", 1);
  for (let at = 1; at <= 5; at++) store.events.append({ kind: "daemon.up" }, at);
  expect(store.events.prune(100, 10)).toBe(4);
  expect(store.log.first()).toBe(5);
  expect(store.log.last()).toBe(5);
});

test("pruning looks at the oldest rows only, and goes on where it is called again", () => {
  const store = openStore(":memory:", 1);
  for (let at = 1; at <= 10; at++) store.events.append({ kind: "daemon.up" }, at);
  expect(store.events.prune(8, 3)).toBe(3);
  expect(store.log.first()).toBe(4);
  expect(store.events.prune(8, 3)).toBe(3);
  expect(store.events.prune(8, 3)).toBe(1);
  expect(store.events.prune(8, 3)).toBe(0);
  expect(store.log.first()).toBe(8);
});

test("filters choose by kind and by thread, oldest first, or newest first", () => {
  const store = openStore(":memory:", 1);
  store.events.append({ kind: "daemon.up" }, 1);
  store.events.append({ kind: "thread.gone", lane: "bcdfgh" }, 2);
  store.events.append({ kind: "thread.gone", lane: "xxxxxx" }, 3);
  const kinds = ["thread.gone"];
  expect(store.events.list({ after: 0, limit: 10, kinds }).map((row) => row.seq)).toEqual([2, 3]);
  expect(store.events.newest({ limit: 1, kinds }).map((row) => row.seq)).toEqual([3]);
  expect(
    store.events.list({ after: 0, limit: 10, lanes: ["bcdfgh" as never] }).map((row) => row.seq),
  ).toEqual([2]);
});
