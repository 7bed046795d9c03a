import { expect, test } from "bun:test";
import { systemClock } from "../../src/base/clock.ts";
import { limits } from "../../src/base/limits.ts";
import { openWire } from "../../src/surface/wire.ts";

const caller = { kind: "cli", thread_id: null, cwd: "/" } as const;
const frame = { op: "thread.list", schema: "h", input: {}, caller };
const helloMs = 1234;

/** The client's end of a connection. The test is the daemon, and moves the time. */
function rig() {
  const timers: { ms: number; fn: () => void }[] = [];
  const sent: Record<string, unknown>[] = [];
  const wire = openWire(helloMs, undefined, {
    ...systemClock,
    after(ms, fn) {
      const timer = { ms, fn };
      timers.push(timer);
      return () => {
        const at = timers.indexOf(timer);
        if (at >= 0) timers.splice(at, 1);
      };
    },
  });
  const connection = wire.over({
    write(bytes) {
      for (const line of Buffer.from(bytes).toString().trim().split("\n")) sent.push(JSON.parse(line));
      return bytes.length;
    },
    pause() {},
    resume() {},
    end() {},
  });
  return {
    connection,
    timers,
    sent,
    hellos: () => sent.filter((one) => "hello" in one).length,
    say: (said: unknown) => wire.received(Buffer.from(`${JSON.stringify(said)}\n`)),
    drained: wire.drained,
    expire(ms: number) {
      const at = timers.findIndex((timer) => timer.ms === ms);
      timers.splice(at, 1)[0]!.fn();
    },
  };
}

const hello = { hello: { version: "1", protocol: 1, pid: 7 } };
const { quietMs, quietTimesMax } = limits.client;

test("before hello only its own deadline counts", async () => {
  const { connection, timers, expire } = rig();
  const call = connection.call(frame).catch((thrown: Error) => thrown.message);
  expect(timers.map(({ ms }) => ms)).toEqual([helloMs]);
  expire(helloMs);
  expect(await call).toBe("the daemon has not answered for 1.234 s");
});

test("a daemon that hangs under a call is asked some times, and then it is down", async () => {
  const { connection, say, hellos, expire, timers } = rig();
  const call = connection.call(frame).catch((thrown: Error) => thrown.message);
  say(hello);
  for (let times = 0; times < quietTimesMax; times++) {
    expire(quietMs);
    expect(hellos()).toBe(2 + times);
  }
  expire(quietMs);
  expect(await call).toBe(`the daemon has not answered for ${(quietMs * (quietTimesMax + 1)) / 1000} s`);
  expect(timers).toEqual([]);
  expect(connection.isOpen()).toBe(false);
});

test("rows, answers to hello and bytes that the daemon takes are signs of life", async () => {
  const { connection, say, hellos, expire, drained, timers } = rig();
  const call = connection.call(frame);
  say(hello);
  for (const sign of [() => say(hello), () => say({ id: 1, row: {} }), drained]) {
    for (let times = 0; times < quietTimesMax; times++) expire(quietMs);
    sign();
    expire(quietMs);
  }
  expect(hellos()).toBe(1 + 3 * quietTimesMax);
  say({ id: 1, result: { n: 1 } });
  expect(await call).toEqual({ result: { n: 1 } });
  expect(timers).toEqual([]);
});

test("a call meanwhile does not put off the end of a daemon that hangs", async () => {
  const { connection, say, expire } = rig();
  const calls = [connection.call(frame).catch(() => "down")];
  say(hello);
  for (let times = 0; times <= quietTimesMax; times++) {
    calls.push(connection.call(frame).catch(() => "down"));
    expire(quietMs);
  }
  expect(await Promise.all(calls)).toEqual(calls.map(() => "down"));
});
