/** The moments of the clock: zones, changes of the clock in spring and autumn, and what was missed. */
import { expect, test } from "bun:test";
import { noGuards } from "../../../src/core/automation/row.ts";
import { dueSlots, nextSlot } from "../../../src/core/automation/schedule.ts";

function moments(cron: string, tz: string, from: string, count: number): string[] {
  const found: string[] = [];
  let at = Date.parse(from);
  for (let n = 0; n < count; n++) {
    at = nextSlot({ kind: "cron", cron, tz }, at, 0)!;
    found.push(new Date(at).toISOString().slice(0, 16));
  }
  return found;
}

test("a time of the day that spring leaves out comes at the next one that there is", () => {
  expect(moments("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3)).toEqual([
    "2026-03-28T01:30",
    "2026-03-29T01:00",
    "2026-03-30T00:30",
  ]);
  expect(moments("30 2 * * *", "America/New_York", "2026-03-07T00:00:00Z", 3)).toEqual([
    "2026-03-07T07:30",
    "2026-03-08T07:00",
    "2026-03-09T06:30",
  ]);
  // Half an hour is left out there.
  expect(moments("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", 2)).toEqual([
    "2026-10-03T15:30",
    "2026-10-04T15:15",
  ]);
});

test("a time of the day that autumn has twice comes once", () => {
  expect(moments("30 2 * * *", "Europe/Berlin", "2026-10-24T00:00:00Z", 3)).toEqual([
    "2026-10-24T00:30",
    "2026-10-25T00:30",
    "2026-10-26T01:30",
  ]);
  expect(moments("30 1 * * *", "America/New_York", "2026-10-31T00:00:00Z", 3)).toEqual([
    "2026-10-31T05:30",
    "2026-11-01T05:30",
    "2026-11-02T06:30",
  ]);
  expect(moments("45 1 * * *", "Australia/Lord_Howe", "2026-04-03T00:00:00Z", 3)).toEqual([
    "2026-04-03T14:45",
    "2026-04-04T14:45",
    "2026-04-05T15:15",
  ]);
});

test("what passed while nobody looked is counted, whatever fires of it", () => {
  const hour = 3_600_000;
  const when = { kind: "interval", seconds: 3600 } as const;
  const due = (catch_up: "one" | "none" | "all", now: number) =>
    dueSlots(when, hour, now, 0, { ...noGuards, catch_up });
  expect(due("one", hour + 5)).toEqual({ fire: [hour], missed: 0, next: 2 * hour });
  expect(due("one", 4.5 * hour)).toEqual({ fire: [4 * hour], missed: 3, next: 5 * hour });
  expect(due("none", 4.5 * hour)).toEqual({ fire: [], missed: 4, next: 5 * hour });
  expect(due("all", 3.5 * hour)).toEqual({ fire: [hour, 2 * hour, 3 * hour], missed: 0, next: 4 * hour });
  expect(due("all", 5000.5 * hour).fire).toHaveLength(100);
  expect(due("all", 5000.5 * hour).next).toBe(5001 * hour);
});
