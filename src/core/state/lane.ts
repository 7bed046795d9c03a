/** The status of a lane, computed from evidence, and the view of a lane that all outputs use. */

import { iso, isoOrNull } from "../../base/clock.ts";
import type { ThreadView, TurnView } from "../../contract/thread.ts";
import type { Confidence, ThreadStatus } from "../../contract/words.ts";
import type { Live, LiveThread } from "../model/live.ts";
import type { Lane, LaneFacts, StatusFacts, Turn, UsageLimit } from "../model/ports/rows.ts";
import { goalWaits } from "./goal.ts";
import { queueView, resumeCommand } from "./hold.ts";
import { syncView } from "./syncview.ts";
import { toolsOf, toolWarnings } from "./tools.ts";
import { warningsOf } from "./warning.ts";

export interface LaneStatus {
  status: ThreadStatus;
  confidence: Confidence;
  /** When its evidence was last seen; epoch ms. */
  asOf: number;
}

/**
 * `status.type` decides between idle and active, never an empty list of flags; `systemError` is not running; waiting
 * follows from request rows. A turn that ran in a dead child is neither busy nor over until its history is read.
 */
export function statusOf(facts: StatusFacts, live: Live): LaneStatus {
  const { lane, latest } = facts;
  const at = lane.evidence_at;
  if (lane.gone_at !== null) return { status: "gone", confidence: "stale", asOf: lane.gone_at };
  if (lane.archived_at !== null) return { status: "archived", confidence: "stale", asOf: lane.archived_at };
  if (lane.source === "attached") return { status: "unknown", confidence: "unknown", asOf: at };
  if (live.blocked.has(lane.ref) && !isRunning(latest, live))
    return { status: "blocked", confidence: "live", asOf: live.get(lane.thread_id)?.heard_at ?? at };
  if (lane.setup !== "ready") return { status: "unknown", confidence: "stale", asOf: at };

  const thread = live.get(lane.thread_id);
  if (isRunning(latest, live)) {
    return {
      status: facts.requests.length > 0 ? "waiting" : "busy",
      confidence: "live",
      asOf: thread?.heard_at ?? at,
    };
  }
  if (latest?.status === "in_progress") return { status: "unknown", confidence: "stale", asOf: at };
  // A sub-agent may work and ask after the turn that spawned it has ended. The requests of a dead child are expired.
  if (facts.requests.length > 0 && live.epoch() !== null)
    return { status: "waiting", confidence: "live", asOf: thread?.heard_at ?? at };
  if (thread?.status === "active") return { status: "busy", confidence: "live", asOf: thread.heard_at };
  return {
    status: latest?.status === "failed" ? "error" : "idle",
    confidence: thread ? "live" : "stale",
    asOf: thread?.heard_at ?? at,
  };
}

/** Whether the turn runs in the present child. */
export function isRunning(turn: Pick<Turn, "status" | "epoch"> | null | undefined, live: Live): boolean {
  return turn?.status === "in_progress" && turn.epoch === live.epoch() && live.epoch() !== null;
}

export function viewOf(facts: LaneFacts, live: Live): ThreadView {
  const { lane, latest } = facts;
  const status = statusOf(facts, live);
  const limit = limitFor(lane, facts.usage_limits);
  const reason = writeLock(lane);
  return {
    ref: lane.ref,
    id: lane.durable_at === null && !isEphemeral(lane) ? null : lane.thread_id,
    parent_id: lane.parent_id,
    title: lane.title,
    handle: lane.handle,
    source: lane.source,
    status: status.status,
    as_of: iso(status.asOf),
    confidence: status.confidence,
    setup: lane.setup === "ready" ? null : lane.setup,
    ephemeral: isEphemeral(lane),
    cwd: lane.cwd,
    writable: reason === null,
    write_locked_reason: reason,
    latest_turn: latest && turnView(latest),
    last_message: lane.last_message && { ...lane.last_message, at: iso(lane.last_message.at) },
    blocked: live.blocked.get(lane.ref) ?? null,
    queue: queueView(lane, limit),
    limited: limit && { until: iso(limit.until), reason: limit.reason },
    requests: facts.requests.map(({ id, kind, summary, asked_at }) => ({
      id,
      kind,
      summary,
      asked_at: iso(asked_at),
    })),
    agents: [...live.agents(lane.thread_id)],
    warnings: [...toolWarnings(lane), ...warningsOf(live, lane.thread_id)],
    goal: lane.goal && { ...lane.goal, resume: resumeCommand(lane), waits: goalWaits(lane) },
    model: modelOf(lane),
    sandbox: lane.effective?.sandbox ?? lane.settings.sandbox ?? null,
    sandbox_details: lane.effective?.sandbox_details ?? null,
    approval_policy: lane.effective?.approval_policy ?? lane.settings.approval_policy ?? null,
    approval_details: lane.effective?.approval_details ?? null,
    request_policy: lane.requests,
    tools: toolsOf(lane),
    tokens: lane.tokens,
    sync: syncView(facts.sync),
    created_by: lane.created_by,
    created_at: iso(lane.created_at),
    updated_at: iso(lane.updated_at),
  };
}

/** Codex stores nothing of it: no name, no goal, no history. It ends with the process. */
export function isEphemeral({ settings }: Pick<Lane, "settings">): boolean {
  return settings.ephemeral === true;
}

/** The fields that the model provider of a thread follows from. */
export interface ProviderFields {
  settings: Pick<Lane["settings"], "model_provider">;
  effective: Pick<NonNullable<Lane["effective"]>, "model_provider"> | null;
}

/** The model provider of a thread; null: the thread was not opened yet, and Codex's configuration will decide. */
export function providerOf({ settings, effective }: ProviderFields): string | null {
  return effective?.model_provider ?? settings.model_provider ?? null;
}

/** The usage limit that keeps turns from starting in a thread, with its message. */
export function limitFor(
  lane: ProviderFields & AuthorityFields,
  all: readonly UsageLimit[],
): (UsageLimit & { message: string }) | null {
  if (all.length === 0 || writeLock(lane) !== null) return null;
  const provider = providerOf(lane);
  const limit = all.find((limit) => limit.provider === provider);
  return limit ? { ...limit, message: `limited until ${iso(limit.until)}: ${limit.reason}` } : null;
}

type AuthorityFields = Pick<Lane, "gone_at" | "archived_at" | "parent_id" | "source">;

/** Why this lane takes no writes; null: it takes them. */
export function writeLock(lane: AuthorityFields): string | null {
  if (lane.gone_at !== null) return "Codex no longer has the thread";
  if (lane.archived_at !== null) return "the thread is archived";
  if (lane.parent_id !== null) return "it is a sub-agent's thread: Codex takes no input for it";
  if (lane.source === "attached") return "another app writes this thread";
  return null;
}

function modelOf(lane: Lane): ThreadView["model"] {
  const { settings, effective } = lane;
  return {
    provider: providerOf(lane),
    model: effective?.model ?? settings.model ?? null,
    effort: effective?.effort ?? settings.effort ?? null,
    service_tier: {
      requested: settings.service_tier ?? null,
      resolved: effective?.service_tier ?? null,
      source: settings.service_tier === undefined ? "codex" : (settings.service_tier_from ?? "flag"),
    },
  };
}

function turnView(turn: Turn): TurnView {
  const isRetrying = turn.status === "in_progress" && turn.retrying_since !== null;
  return {
    id: turn.turn_id,
    status: turn.status,
    origin: turn.origin,
    error: isRetrying ? null : turn.error,
    started_at: iso(turn.started_at),
    completed_at: isoOrNull(turn.completed_at),
    retrying_since: isoOrNull(turn.retrying_since),
    retrying_reason: isRetrying ? (turn.error?.message ?? null) : null,
  };
}

/** A loaded thread whose status shows that nothing runs. */
export function saysIdle(thread: LiveThread | undefined): boolean {
  return thread !== undefined && thread.status !== "active";
}
