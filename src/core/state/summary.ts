/** A row of `list`: what identifies a thread, and whether it needs a person. */

import { iso, isoOrNull } from "../../base/clock.ts";
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
  limit: number;
}

/** Filters all threads first, and applies the limit after that. */
export function filtered<T extends ThreadSummary | ThreadView>(
  { status, source, cwd, limit }: ListFilter,
  read: (limit: number) => T[],
): T[] {
  const isAll = status === undefined && source === undefined && cwd === undefined;
  if (isAll) return read(limit);
  const isWanted = (lane: T) =>
    (status === undefined || lane.status === status) &&
    (source === undefined || lane.source === source) &&
    (cwd === undefined || lane.cwd === cwd);
  return read(limits.thread.max).filter(isWanted).slice(0, limit);
}
