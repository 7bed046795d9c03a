import { expect, test } from "bun:test";
import { limits } from "../../src/base/limits.ts";
import { liveness } from "../../src/surface/liveness.ts";

/** A clock whose steps the test makes. */
function rig() {
  const timers: (() => void)[] = [];
  const told: string[] = [];
  let isPaused = false;
  const alive = liveness({
    clock: {
      now: () => 0,
      monotonic: () => 0,
      sleep: () => Promise.resolve(),
      after(ms, fn) {
        expect(ms).toBe(limits.client.quietMs);
        timers.push(fn);
        return () => void timers.splice(timers.indexOf(fn), 1);
      },
    },
    ask: () => told.push("ask"),
    isPaused: () => isPaused,
    silent: () => told.push("silent"),
  });
  return {
    alive,
    told,
    timers,
    pause: (is: boolean) => {
      isPaused = is;
    },
    steps(n: number) {
      for (let i = 0; i < n; i++) timers.shift()?.();
    },
  };
}

const asks = Array<string>(limits.client.quietTimesMax).fill("ask");

test("a daemon from which nothing comes is asked, and is silent when it has not answered so many times", () => {
  const { alive, told, timers, steps } = rig();
  alive.begin();
  steps(limits.client.quietTimesMax);
  expect(told).toEqual(asks);
  steps(1);
  expect(told).toEqual([...asks, "silent"]);
  expect(timers).toEqual([]);
});

test("any byte proves that it is there", () => {
  const { alive, told, steps } = rig();
  alive.begin();
  steps(limits.client.quietTimesMax);
  alive.heard();
  steps(1 + limits.client.quietTimesMax);
  expect(told).toEqual([...asks, ...asks]);
});

test("while nothing is read nothing can be heard", () => {
  const { alive, told, steps, pause } = rig();
  alive.begin();
  pause(true);
  steps(20);
  expect(told).toEqual([]);
});

test("without a call nobody asks; the next call begins anew", () => {
  const { alive, told, timers, steps } = rig();
  alive.begin();
  alive.begin();
  steps(limits.client.quietTimesMax);
  alive.end();
  expect(timers).toEqual([]);
  alive.begin();
  expect(timers).toHaveLength(1);
  steps(limits.client.quietTimesMax);
  expect(told).toEqual([...asks, ...asks]);
});
