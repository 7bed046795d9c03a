import { expect, test } from "bun:test";
import { DispatchError } from "../../src/base/error.ts";
import { faultLog, guardedClock } from "../../src/base/faults.ts";
import { limits } from "../../src/base/limits.ts";
import { memoryLog } from "../daemon/rig.ts";
import { handClock } from "../support/codex-clock.ts";

function stand() {
  const clock = handClock();
  const lines = memoryLog();
  return { clock, lines: lines.lines, log: faultLog(lines, clock) };
}

test("an error line gets an id, and is kept under it; other lines are only written", () => {
  const { log, lines } = stand();
  log.info("ready");
  log.warn("slow");
  log.error("a delivery failed", { lane: "abc", thrown: new TypeError("x is undefined") });
  const [fault] = log.faults();
  expect(fault).toMatchObject({ what: "a delivery failed", why: "x is undefined", times: 1 });
  expect(lines.map(({ level }) => level)).toEqual(["info", "warn", "error"]);
  expect(lines[2]!.fields).toMatchObject({ id: fault!.id, lane: "abc" });
});

test("an id that the caller was told is the one in the log", () => {
  const { log, lines } = stand();
  const id = log.faultId();
  log.error("an operation failed by a bug", { id });
  expect(lines[0]!.fields["id"]).toBe(id);
  expect(log.faults()[0]!.id).toBe(id);
  expect(log.faultId()).not.toBe(id);
});

test("the same failure again is counted, and the list is bounded in number, in size and in time", async () => {
  const { log, clock } = stand();
  for (let n = 0; n < 3; n++) log.error("a timer failed", { thrown: new Error("again") });
  expect(log.faults()).toMatchObject([{ times: 3 }]);
  for (let n = 0; n < 100; n++) log.error("another", { thrown: new Error(`${n} ${"x".repeat(100_000)}`) });
  expect(log.faults()).toHaveLength(limits.daemon.faultsKeptMax);
  expect(log.faults()[0]!.why).toStartWith("99 ");
  expect(JSON.stringify(log.faults()).length).toBeLessThan(limits.daemon.faultsKeptMax * 500);
  await clock.advance(limits.daemon.faultShownMs + 1);
  expect(log.faults()).toEqual([]);
});

test("a registry that refuses a write is no bug: status shows it while it lasts", () => {
  const { log, lines } = stand();
  log.error("a timer failed", { thrown: new DispatchError("storage", "the disk is full") });
  expect(lines).toHaveLength(1);
  expect(log.faults()).toEqual([]);
});

test("a timer that throws ends nothing but itself", async () => {
  const { log, clock } = stand();
  const guarded = guardedClock(clock, log);
  let fired = 0;
  guarded.after(1, () => {
    throw new Error("a bug");
  });
  guarded.after(2, () => void fired++);
  const cancel = guarded.after(3, () => void fired++);
  cancel();
  await clock.advance(10);
  expect(fired).toBe(1);
  expect(log.faults()).toMatchObject([{ what: "a timer failed", why: "a bug" }]);
});
