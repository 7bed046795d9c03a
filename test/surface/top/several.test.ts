/** One board of several machines: names with their host, and a machine that goes down and comes back. */
import { expect, test } from "bun:test";
import type { Clock } from "../../../src/base/clock.ts";
import { DispatchError } from "../../../src/base/error.ts";
import type { ThreadView } from "../../../src/contract/thread.ts";
import type { Calls } from "../../../src/surface/top/daemon.ts";
import { severalCalls } from "../../../src/surface/top/several.ts";
import { columnsFor, rowLine } from "../../../src/surface/top/table.ts";
import { now, threadOf } from "./given.ts";

type Row = Record<string, unknown>;

function machine(title: string) {
  const asked: [string, Row][] = [];
  const state = { isDown: false, emit: (_: Row) => {}, cut: () => {} };
  const refuse = () => {
    throw new DispatchError("host_down", "box cannot be reached: no route", { hint: "ssh box true" });
  };
  const calls: Calls = {
    async call(op, input) {
      if (state.isDown) refuse();
      asked.push([op, input]);
      if (op === "daemon.status") return { version: "1", cursor: `${title}:7`, degraded: [], limits: [] };
      if (op === "thread.list") return { threads: [threadOf(title)], truncated: false };
      if (op === "request.get") return { id: input["id"], thread: threadOf(title).ref };
      return op === "thread.get" ? (threadOf(title) as unknown as Row) : { state: "done" };
    },
    async follow(op, input, row) {
      asked.push([op, input]);
      state.emit = row;
      const { promise, resolve } = Promise.withResolvers<void>();
      state.cut = resolve;
      await promise;
    },
    forbidStart() {},
  };
  return { calls, asked, state };
}

function rig() {
  const sleepers: (() => void)[] = [];
  const clock = { sleep: () => new Promise<void>((resolve) => sleepers.push(resolve)) } as unknown as Clock;
  const [near, far] = [machine("near"), machine("far")];
  const board = severalCalls(
    [
      { host: null, calls: near.calls },
      { host: "box", calls: far.calls },
    ],
    clock,
  );
  const wake = () => {
    for (const go of sleepers.splice(0)) go();
  };
  return { board, near, far, wake };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));
const refsIn = (row: Row) => (row["threads"] as ThreadView[]).map(({ ref }) => ref);

test("each thread and each question of another machine is named with its host", async () => {
  const { board } = rig();
  expect(refsIn(await board.call("thread.list", {}))).toEqual(["nearxx", "box/farxxx"]);
  expect((await board.call("thread.get", { thread: "box/farxxx" }))["ref"]).toBe("box/farxxx");
  expect(await board.call("request.get", { id: "box/q1" })).toEqual({ id: "box/q1", thread: "box/farxxx" });
});

test("a call goes to the machine of its thread, under the name that the thread has there", async () => {
  const { board, near, far } = rig();
  await board.call("message.send", { thread: "box/farxxx", text: "hello" });
  await board.call("thread.stop", { thread: "nearxx" });
  expect(far.asked).toEqual([["message.send", { thread: "farxxx", text: "hello" }]]);
  expect(near.asked).toEqual([["thread.stop", { thread: "nearxx" }]]);
});

test("events are followed from each machine's own cursor, and name their host", async () => {
  const { board, near, far } = rig();
  await board.call("daemon.status", {});
  const rows: Row[] = [];
  const stop = new AbortController();
  board.follow("event.list", { since: "-" }, (row) => rows.push(row), stop.signal).catch(() => {});
  expect(near.asked.at(-1)).toEqual(["event.list", { since: "near:7" }]);
  expect(far.asked.at(-1)).toEqual(["event.list", { since: "far:7" }]);
  near.state.emit({ kind: "turn.started", thread: "nearxx" });
  far.state.emit({ kind: "turn.started", thread: "farxxx" });
  expect(rows.map(({ thread }) => thread)).toEqual(["nearxx", "box/farxxx"]);
  stop.abort();
});

test("a machine that goes down is named, keeps its rows as stale, and is read again when it is back", async () => {
  const { board, far, wake } = rig();
  await board.call("daemon.status", {});
  await board.call("thread.list", {});
  const rows: Row[] = [];
  const stop = new AbortController();
  board.follow("event.list", {}, (row) => rows.push(row), stop.signal).catch(() => {});
  far.state.isDown = true;
  far.state.cut();
  await settle();
  expect(rows).toEqual([{ kind: "daemon.down" }]);
  const asked = far.asked.length;
  expect(await board.call("daemon.status", {})).toMatchObject({
    degraded: [{ message: "box: the daemon ended the connection" }],
  });
  const { threads } = (await board.call("thread.list", {})) as unknown as { threads: ThreadView[] };
  expect(threads.map(({ ref, confidence }) => [ref, confidence])).toEqual([
    ["nearxx", "live"],
    ["box/farxxx", "stale"],
  ]);
  // Only the follower looks for it: a log-in that hangs must not hold up the board.
  expect(far.asked.length).toBe(asked);
  wake();
  await settle();
  expect(await board.call("daemon.status", {})).toMatchObject({
    degraded: [{ message: "box cannot be reached: no route", hint: "ssh box true" }],
  });
  far.state.isDown = false;
  wake();
  await settle();
  expect(rows.slice(-2)).toEqual([{ kind: "reconciled" }, { kind: "daemon.up" }]);
  expect(await board.call("daemon.status", {})).toMatchObject({ degraded: [] });
  stop.abort();
});

test("only when no machine answers is that an error", async () => {
  const { board, near, far } = rig();
  far.state.isDown = true;
  expect(refsIn(await board.call("thread.list", {}))).toEqual(["nearxx"]);
  near.state.isDown = true;
  expect(board.call("daemon.status", {})).rejects.toThrow("cannot be reached");
});

test("a row names its host at any width", () => {
  for (const columns of [60, 120]) {
    const thread = threadOf("docs", { ref: "box/abc123" });
    const row = { thread, depth: 0 } as Parameters<typeof rowLine>[1];
    expect(rowLine(columnsFor(columns), row, columns, now, false)).toContain("box/");
  }
});
