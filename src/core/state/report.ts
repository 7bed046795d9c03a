/** What the threads did in a period: read from the rows of turns, questions and messages, never from Codex. */
import { iso, isoOrNull } from "../../base/clock.ts";
import { limits } from "../../base/limits.ts";
import { macrotask } from "../../base/macrotask.ts";
import { localDay } from "../../base/moment.ts";
import type { Report, ReportedThread } from "../../contract/report.ts";
import type { PastTurn } from "../../contract/thread.ts";
import { clip } from "../model/clip.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { LaneFacts, Message, Ref, Request, Turn } from "../model/ports/rows.ts";
import { statusOf } from "./lane.ts";
import { usageView } from "./usageview.ts";

interface Period {
  since: number;
  until: number;
}

/** `since`: epoch ms. The period ends now. */
export async function reportSince(deps: CoreDeps, since: number): Promise<Report> {
  const { store, live, clock } = deps;
  const period = { since, until: clock.now() };
  const { threadsMax, rowsMax } = limits.report;
  const facts = [false, true].flatMap((archived) => store.lanes.listFacts({ archived, limit: threadsMax }));
  const requests = store.requests.listSince({ since, limit: rowsMax });
  const queued = store.messages.listSince(since, rowsMax);
  const requestsBy = Map.groupBy(requests, ({ lane }) => lane);
  const queuedBy = Map.groupBy(queued, ({ lane }) => lane);
  const used = usageView(deps, { ref: null, since, by: "day" });
  const tokensOf = tokensByThread(deps, since);
  let room = rowsMax;
  const threads: ReportedThread[] = [];
  for (const [at, one] of facts.entries()) {
    // Of 10,000 turns all takes 80 ms (measured), in which nobody else would be answered.
    if (at % limits.report.threadsAtOnce === limits.report.threadsAtOnce - 1) await macrotask();
    const { ref } = one.lane;
    const turns = store.turns.listSince(ref, since, room);
    room -= turns.length;
    const rows = { turns, requests: requestsBy.get(ref) ?? [], queued: queuedBy.get(ref) ?? [] };
    if (rows.turns.length + rows.requests.length + rows.queued.length === 0) continue;
    threads.push({
      ...threadOf(one, statusOf(one, live).status, rows, period),
      tokens: tokensOf.get(ref) ?? 0,
    });
  }
  const total = (name: keyof Totals) => threads.reduce((sum, thread) => sum + thread[name], 0);
  return {
    since: iso(period.since),
    until: iso(period.until),
    turns: total("turns"),
    failed: total("failed"),
    interrupted: total("interrupted"),
    running: total("running"),
    busy_seconds: total("busy_seconds"),
    requests: total("requests"),
    answer_wait_seconds: total("answer_wait_seconds"),
    queued: total("queued"),
    queue_wait_seconds: total("queue_wait_seconds"),
    tokens: used.total,
    tokens_by_day: used.used.map(({ thread: _thread, title: _title, model: _model, day, ...tokens }) => ({
      day: day!,
      ...tokens,
    })),
    windows: used.windows,
    threads: threads.sort((a, b) => b.busy_seconds - a.busy_seconds),
    truncated:
      room <= 0 || requests.length === rowsMax || queued.length === rowsMax || facts.length >= threadsMax,
  };
}

function tokensByThread({ store }: CoreDeps, since: number): Map<Ref | null, number> {
  const limit = 2 * limits.report.threadsMax;
  const sums = store.usage.sums({ by: "lane", lane: null, since: localDay(since), limit });
  return new Map(sums.map(({ lane, input, output }) => [lane, input + output]));
}

export function pastTurn(turn: Turn): PastTurn {
  return {
    id: turn.turn_id,
    status: turn.status,
    origin: turn.origin,
    error: turn.error && clip(turn.error.message, limits.thread.previewCharsMax),
    started_at: iso(turn.started_at),
    completed_at: isoOrNull(turn.completed_at),
  };
}

type Totals = Omit<
  ReportedThread,
  "ref" | "title" | "cwd" | "status" | "parent_id" | "tokens" | `${string}_list`
>;

interface Rows {
  turns: readonly Turn[];
  requests: readonly Request[];
  queued: readonly Message[];
}

function threadOf(
  { lane }: LaneFacts,
  status: ReportedThread["status"],
  { turns, requests, queued }: Rows,
  period: Period,
): Omit<ReportedThread, "tokens"> {
  const count = (wanted: Turn["status"]) => turns.filter((one) => one.status === wanted).length;
  // A turn whose end is not known, and that does not run, adds nothing.
  const ended = turns.filter((one) => one.completed_at !== null || one.status === "in_progress");
  // Only the queue makes a text wait; a plain send and a steer are claimed at once.
  const waited = queued.filter(({ mode }) => mode === "queue");
  return {
    ref: lane.ref,
    title: lane.title,
    cwd: lane.cwd,
    status,
    parent_id: lane.parent_id,
    turns: turns.length,
    failed: count("failed"),
    interrupted: count("interrupted"),
    running: count("in_progress"),
    busy_seconds: seconds(
      ended.map((one) => [one.started_at, one.completed_at]),
      period,
    ),
    requests: requests.length,
    answer_wait_seconds: seconds(
      requests.map((one) => [one.asked_at, one.closed_at]),
      period,
    ),
    queued: waited.length,
    queue_wait_seconds: seconds(
      waited.map((one) => [one.created_at, waitedUntil(one)]),
      period,
    ),
    turns_list: turns.map(pastTurn),
    requests_list: requests.map((one) => ({
      id: one.id,
      kind: one.kind,
      summary: clip(one.summary, limits.thread.previewCharsMax),
      state: one.state,
      decision: one.decision,
      answered_by: one.answered_by,
      asked_at: iso(one.asked_at),
      closed_at: isoOrNull(one.closed_at),
    })),
    queued_list: waited.map((one) => ({
      receipt: one.id,
      state: one.state,
      accepted_at: iso(one.created_at),
      claimed_at: isoOrNull(waitedUntil(one)),
    })),
  };
}

/** A text that was cancelled or failed before its claim waited until then. */
function waitedUntil({ claimed_at, state, updated_at }: Message): number | null {
  return claimed_at ?? (state === "queued" ? null : updated_at);
}

/** The part of the spans that is inside the period. An open span lasts until its end. */
function seconds(
  spans: readonly (readonly [from: number, to: number | null])[],
  { since, until }: Period,
): number {
  const ms = spans.reduce(
    (sum, [from, to]) => sum + Math.max(0, Math.min(to ?? until, until) - Math.max(from, since)),
    0,
  );
  return Math.round(ms / 1000);
}
