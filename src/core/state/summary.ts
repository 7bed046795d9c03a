/** A row of `list`: what identifies a thread, and whether it needs a person. */

import { iso, isoOrNull } from "../../base/clock.ts";
import type { RowKey } from "../../base/cursor.ts";
import { limits } from "../../base/limits.ts";
import type { ThreadSummary, ThreadView } from "../../contract/thread.ts";
import type { ThreadStatus } from "../../contract/words.ts";
import type { Live } from "../model/live.ts";
import type { SummaryFacts } from "../model/ports/rows.ts";
import { queueView } from "./hold.ts";
import { limitFor, statusOf } from "./lane.ts";

export function summaryOf(facts: SummaryFacts, live: Live): ThreadSummary {
  const { lane, latest, requests } = facts;
  const { status, confidence } = statusOf(facts, live);
  const limit = limitFor(lane, facts.usage_limits);
  return {
    ref: lane.ref,
    id: lane.durable_at === null && !facts.ephemeral ? null : lane.thread_id,
    title: lane.title,
    handle: lane.handle,
    source: lane.source,
    status,
    confidence,
    setup: lane.setup === "ready" ? null : lane.setup,
    cwd: lane.cwd,
    parent_id: lane.parent_id,
    queue: {
      ...queueView(lane, limit),
      blocked: live.blocked.get(lane.ref)?.reason ?? null,
    },
    asks: requests,
    agents: live.agents(lane.thread_id).length,
    retrying: latest?.status === "in_progress" && latest.retrying_since !== null,
    limited_until: limit && iso(limit.until),
    goal: facts.goal,
    last: facts.last,
    last_at: isoOrNull(facts.last_at),
    updated_at: iso(lane.updated_at),
  };
}

export interface ListFilter {
  status?: ThreadStatus;
  source?: "own" | "attached";
  cwd?: string;
  archived: boolean;
  /** The last activity and the ref of the last thread before these. */
  after?: RowKey | null;
  limit: number;
}

/** Filters all threads first, and applies the limit after that. Newest activity first. */
export function filtered<T extends ThreadSummary | ThreadView>(
  { status, source, cwd, after = null, limit }: ListFilter,
  read: (limit: number) => T[],
): T[] {
  const isAll = status === undefined && source === undefined && cwd === undefined;
  if (isAll && after === null) return read(limit);
  const isWanted = (lane: T) =>
    (status === undefined || lane.status === status) &&
    (source === undefined || lane.source === source) &&
    (cwd === undefined || lane.cwd === cwd);
  return behind(read(limits.thread.max), after).filter(isWanted).slice(0, limit);
}

/** Threads of one millisecond have no order that the key knows: the last one shown is looked for. */
function behind<T extends ThreadSummary | ThreadView>(all: T[], after: RowKey | null): T[] {
  if (after === null) return all;
  const [at, ref] = after;
  const last = all.findIndex((lane) => lane.ref === ref && Date.parse(lane.updated_at) === at);
  return last >= 0 ? all.slice(last + 1) : all.filter((lane) => Date.parse(lane.updated_at) < at);
}
