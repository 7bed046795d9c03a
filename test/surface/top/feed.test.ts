/** What is read when: one read of everything, then what events name, together and not too often. */
import { expect, test } from "bun:test";
import type { Clock } from "../../../src/base/clock.ts";
import { DispatchError } from "../../../src/base/error.ts";
import { limits } from "../../../src/base/limits.ts";
import { openFeed } from "../../../src/surface/top/feed.ts";
import type { Report } from "../../../src/surface/top/update.ts";
import { threadOf } from "./given.ts";

type Row = Record<string, unknown>;

function rig() {
  let time = 0;
  const timers: { at: number; fn: () => void }[] = [];
  const clock: Clock = {
    now: () => time,
    monotonic: () => time,
    sleep: (ms) => new Promise((resolve) => void timers.push({ at: time + ms, fn: resolve })),
    after(ms, fn) {
      const timer = { at: time + ms, fn };
      timers.push(timer);
      return () => {
        timer.fn = () => {};
      };
    },
  };
  const calls: string[] = [];
  const reports: Report[] = [];
  const touched: string[] = [];
  let emit: (row: Row) => void = () => {};
  let stream = Promise.withResolvers<void>();
  const answers: Record<string, (input: Row) => Row> = {
    "daemon.status": () => ({
      version: "1",
      cursor: `log:${calls.length}`,
      child: { state: "running", version: "2", last_error: null },
    }),
    "thread.list": () => ({ threads: [threadOf("one")], truncated: false }),
    "thread.get": ({ thread }) => threadOf(String(thread)) as unknown as Row,
  };
  const feed = openFeed({
    clock,
    async call(op, input) {
      calls.push(op === "thread.get" ? `get ${input["thread"]}` : op);
      return answers[op]!(input);
    },
    follow(op, input, row) {
      calls.push(`${op} ${input["since"]}`);
      emit = row;
      stream = Promise.withResolvers();
      return stream.promise;
    },
    forbidStart() {},
    report: (report) => void reports.push(report),
    touched: (ref) => void touched.push(ref),
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    feed,
    calls,
    reports,
    touched,
    answers,
    emit: (row: Row) => emit(row),
    lose: (why: Error) => stream.reject(why),
    settle,
    async pass(ms: number) {
      time += ms;
      for (const timer of timers.splice(0)) {
        if (timer.at <= time) timer.fn();
        else timers.push(timer);
      }
      await settle();
      return calls.splice(0);
    },
  };
}

async function followed() {
  const on = rig();
  const stop = new AbortController();
  await on.feed.begin();
  on.feed.follow(stop.signal).catch(() => {});
  await on.pass(limits.top.readEveryMs);
  on.reports.splice(0);
  return on;
}

test("the log is followed from before the first read, so that nothing between is missed", async () => {
  const on = rig();
  await on.feed.begin();
  on.feed.follow(new AbortController().signal).catch(() => {});
  await on.settle();
  expect(on.calls).toEqual(["daemon.status", "thread.list", "event.list log:1"]);
});

test("while nothing happens nothing is read", async () => {
  const on = await followed();
  expect(await on.pass(3_600_000)).toEqual([]);
});

const item = (thread: string, type: string, preview: string) => ({
  kind: "item.completed",
  thread,
  turn_id: "turn-1",
  at: "2026-01-01T00:00:00.000Z",
  data: { type, preview },
});

test("a first event is read at once, those that follow together after a while", async () => {
  const on = await followed();
  on.emit({ kind: "turn.started", thread: "a" });
  expect(await on.pass(0)).toEqual(["get a"]);
  for (const thread of ["a", "b", "a"]) on.emit({ kind: "message.queued", thread });
  expect(await on.pass(limits.top.readEveryMs - 1)).toEqual([]);
  expect(await on.pass(1)).toEqual(["get a", "get b"]);
  expect(on.touched).toEqual(["a", "a", "b", "a"]);
});

test("what an agent says is on the board without a read; its tokens are read rarely", async () => {
  const on = await followed();
  await on.pass(limits.top.countEveryMs);
  on.emit(item("a", "command", "npm test"));
  expect(await on.pass(0)).toEqual(["get a"]);
  on.reports.splice(0);
  on.emit(item("a", "agent_message", "first"));
  on.emit(item("a", "agent_message", "second"));
  on.emit(item("b", "command", "ls"));
  expect(await on.pass(limits.top.readEveryMs)).toEqual([]);
  expect(on.reports).toEqual([
    {
      is: "said",
      messages: [
        { ref: "a", text: "second", truncated: false, turn_id: "turn-1", at: "2026-01-01T00:00:00.000Z" },
      ],
    },
  ]);
  expect(await on.pass(limits.top.countEveryMs - limits.top.readEveryMs - 1)).toEqual([]);
  expect(await on.pass(1)).toEqual(["get a", "get b"]);
  expect(await on.pass(3_600_000)).toEqual([]);
});

test("a message that its event has only a part of is read, and a change of state does not wait for the tokens", async () => {
  const on = await followed();
  on.emit(item("a", "command", "ls"));
  await on.pass(limits.top.readEveryMs);
  on.emit(item("a", "agent_message", "x".repeat(limits.thread.previewCharsMax)));
  on.emit(item("b", "command", "ls"));
  expect(await on.pass(limits.top.readEveryMs)).toEqual(["get a"]);
  on.emit({ kind: "turn.completed", thread: "b" });
  expect(await on.pass(limits.top.readEveryMs)).toEqual(["get b"]);
  expect(await on.pass(3_600_000)).toEqual([]);
});

test("many changed threads are one list, and so is a gap or a new Codex", async () => {
  const on = await followed();
  for (let n = 0; n <= limits.top.readsMax; n++) on.emit({ kind: "turn.started", thread: `t${n}` });
  expect(await on.pass(0)).toEqual(["get t0"]);
  on.emit({ kind: "turn.completed", thread: "t0" });
  expect(await on.pass(limits.top.readEveryMs)).toEqual(["thread.list"]);
  on.emit({ kind: "gap", thread: null });
  expect(await on.pass(limits.top.readEveryMs)).toEqual(["thread.list"]);
  on.emit({ kind: "codex.up", thread: null });
  expect(await on.pass(limits.top.readEveryMs)).toEqual(["daemon.status", "thread.list"]);
});

test("a thread that is no more leaves the board", async () => {
  const on = await followed();
  on.answers["thread.get"] = () => {
    throw new DispatchError("not_found", "no thread");
  };
  on.emit({ kind: "thread.forgotten", thread: "a" });
  await on.pass(0);
  expect(on.reports).toEqual([{ is: "changed", threads: [], gone: ["a"] }]);
});

test("a lost daemon is shown, looked for, and read again when it is back", async () => {
  const on = await followed();
  const down = new DispatchError("daemon_down", "no daemon");
  const { "daemon.status": status } = on.answers;
  on.answers["daemon.status"] = () => {
    throw down;
  };
  on.lose(down);
  await on.settle();
  expect(on.reports).toMatchObject([
    { is: "link", link: { isUp: false, since: limits.top.readEveryMs, hint: "dispatch up" } },
  ]);
  await on.pass(limits.top.reconnectMs);
  await on.pass(limits.top.reconnectMs);
  // The time that is shown is since it went away.
  expect(on.reports.at(-1)).toMatchObject({ link: { isUp: false, since: limits.top.readEveryMs } });
  on.answers["daemon.status"] = status!;
  const calls = await on.pass(limits.top.reconnectMs);
  expect(calls.slice(-3)).toEqual(["daemon.status", "thread.list", expect.stringContaining("event.list")]);
  expect(on.reports.at(-1)).toEqual({ is: "link", link: { isUp: true } });
});

test("threads that do not fit one answer are read in a shorter list", async () => {
  const on = rig();
  const asked: unknown[] = [];
  on.answers["thread.list"] = ({ limit }) => {
    asked.push(limit);
    if (Number(limit) > 300) throw new DispatchError("too_large", "too large");
    return { threads: [], truncated: true };
  };
  await on.feed.begin();
  expect(asked).toEqual([1000, 500, 250]);
  expect(on.reports.at(-1)).toEqual({ is: "threads", threads: [], isTruncated: true });
});
