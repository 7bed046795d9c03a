import { expect, test } from "bun:test";
import { pace } from "../../src/base/pace.ts";
import { handClock } from "../support/codex-clock.ts";

test("the first one goes at once, and those after it keep their distance", async () => {
  const clock = handClock();
  const paced = pace(clock, 60);
  const never = new AbortController().signal;
  const passed: number[] = [];
  const note = () => void passed.push(clock.monotonic());
  await paced(never).then(note);
  const second = paced(never).then(note);
  await clock.advance(60);
  await second;
  await clock.advance(100);
  await paced(never).then(note);
  expect(passed).toEqual([0, 60, 160]);
});

test("who is called off waits no longer", async () => {
  const paced = pace(handClock(), 60);
  const off = new AbortController();
  await paced(off.signal);
  const waiting = paced(off.signal);
  off.abort();
  await waiting;
});
