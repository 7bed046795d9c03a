import { describe, expect, test } from "bun:test";
import type { Confidence, ThreadStatus as Shown } from "../../../src/contract/words.ts";
import { live } from "../../../src/core/model/live.ts";
import type { Lane, LaneFacts, Request, Turn } from "../../../src/core/model/ports/rows.ts";
import type { ThreadStatus } from "../../../src/core/model/ports/thread.ts";
import { statusOf } from "../../../src/core/state/lane.ts";
import { laneRow } from "../../store/rows.ts";

const turn = (over: Partial<Turn>): Turn => ({
  lane: laneRow().ref,
  turn_id: "t1",
  origin: "ours",
  status: "completed",
  epoch: 1,
  error: null,
  retrying_since: null,
  started_at: 1,
  completed_at: 2,
  ...over,
});

interface Case {
  given: string;
  lane?: Partial<Lane>;
  latest?: Partial<Turn>;
  asks?: boolean;
  loaded?: ThreadStatus;
  epoch?: number | null;
  status: Shown;
  confidence: Confidence;
}

const cases: Case[] = [
  { given: "a thread that never worked", status: "idle", confidence: "stale" },
  { given: "a thread loaded and idle", loaded: "idle", status: "idle", confidence: "live" },
  {
    given: "a turn of this child",
    latest: { status: "in_progress" },
    loaded: "active",
    status: "busy",
    confidence: "live",
  },
  {
    given: "a turn that asks",
    latest: { status: "in_progress" },
    asks: true,
    loaded: "active",
    status: "waiting",
    confidence: "live",
  },
  {
    given: "a turn of a dead child",
    latest: { status: "in_progress", epoch: 0 },
    status: "unknown",
    confidence: "stale",
  },
  {
    given: "a turn and no child at all",
    latest: { status: "in_progress" },
    epoch: null,
    status: "unknown",
    confidence: "stale",
  },
  { given: "active before its turn is told", loaded: "active", status: "busy", confidence: "live" },
  {
    given: "a failed turn",
    latest: { status: "failed" },
    loaded: "system_error",
    status: "error",
    confidence: "live",
  },
  { given: "an interrupted turn", latest: { status: "interrupted" }, status: "idle", confidence: "stale" },
  {
    given: "systemError after a turn that completed",
    latest: {},
    loaded: "system_error",
    status: "idle",
    confidence: "live",
  },
  { given: "an archived thread", lane: { archived_at: 5 }, status: "archived", confidence: "stale" },
  { given: "a thread Codex lost", lane: { gone_at: 5 }, status: "gone", confidence: "stale" },
  {
    given: "an attached thread",
    lane: { source: "attached", handle: null },
    status: "unknown",
    confidence: "unknown",
  },
  { given: "a thread half made", lane: { setup: "started" }, status: "unknown", confidence: "stale" },
];

describe("a lane's status comes from evidence", () => {
  for (const one of cases) {
    test(`${one.given}: ${one.status}, ${one.confidence}`, () => {
      const now = live({ now: () => 42, monotonic: () => 9 });
      if (one.epoch !== null) now.begin(one.epoch ?? 1);
      if (one.loaded) now.set("thread-1", { status: one.loaded, at: 9, floor: null });
      const facts: LaneFacts = {
        lane: laneRow(one.lane),
        latest: one.latest ? turn(one.latest) : null,
        in_flight: 0,
        unsure: 0,
        requests: one.asks ? [{ id: "q" } as Request] : [],
        sync: null,
        usage_limits: [],
      };
      expect(statusOf(facts, now)).toMatchObject({ status: one.status, confidence: one.confidence });
    });
  }

  test("the age of what is live is that of its last sign of life", () => {
    const now = live({ now: () => 42, monotonic: () => 9 });
    now.begin(1);
    now.set("thread-1", { status: "idle", at: 9, floor: null });
    const facts: LaneFacts = {
      lane: laneRow(),
      latest: null,
      in_flight: 0,
      unsure: 0,
      requests: [],
      sync: null,
      usage_limits: [],
    };
    expect(statusOf(facts, now).asOf).toBe(42);
  });
});

test("a clock that is set back makes no old status fresh, and one set forward makes no young one old", () => {
  const clock = { now: () => 1_000_000, monotonic: () => 500 };
  const now = live(clock);
  now.begin(1);
  now.set("thread-1", { status: "idle", at: clock.monotonic(), floor: null });
  for (const wall of [0, 10_000_000]) {
    Object.assign(clock, { now: () => wall });
    expect(clock.monotonic() - now.get("thread-1")!.at).toBe(0);
  }
  Object.assign(clock, { monotonic: () => 900 });
  now.touch("thread-1");
  // What is shown is the wall clock's.
  expect(now.get("thread-1")).toMatchObject({ at: 500, heard: 900, heard_at: 10_000_000 });
});
