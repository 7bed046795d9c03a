/** Events of the child, in the order in which it sends them. */
import type { RequestFacts } from "./request.ts";
import type { GoalFacts, ItemFacts, ThreadFacts, ThreadStatus, TurnFacts } from "./thread.ts";
import type { Spent, WindowName } from "./usage.ts";

/** A notification that is not known is dropped; a malformed one is counted. */
export type AgentEvent =
  | { kind: "thread_started"; thread: ThreadFacts }
  | { kind: "thread_status"; thread_id: string; status: ThreadStatus; flags: string[] }
  | { kind: "thread_closed"; thread_id: string }
  | LateThread
  | { kind: "thread_archived"; thread_id: string; archived: boolean }
  | { kind: "thread_renamed"; thread_id: string; name: string | null }
  | { kind: "turn_started"; thread_id: string; turn_id: string; at: number | null }
  | { kind: "turn_completed"; thread_id: string; turn: TurnFacts }
  | { kind: "turn_retrying"; thread_id: string; turn_id: string; message: string }
  /** The working sub-agents below a thread, of all generations; also after its own turn ended. */
  | { kind: "agents_working"; thread_id: string; agents: string[]; failed?: AgentFailure }
  /** The first sign of a turn after it retried: a delta, an item, tokens, a question. */
  | { kind: "turn_recovered"; thread_id: string; turn_id: string }
  | { kind: "item_completed"; thread_id: string; turn_id: string; item: ItemFacts }
  | TokensEvent
  | { kind: "rate_limits"; limits: RateLimits }
  | { kind: "goal_changed"; thread_id: string; goal: GoalFacts | null }
  | { kind: "request_opened"; request: RequestFacts }
  | { kind: "request_resolved"; thread_id: string; rpc_id: string | number }
  | HookDecision
  | PromptRefusal
  | ThreadWarning;

/** A sub-agent whose turn failed. */
export interface AgentFailure {
  agent: string;
  words: string;
}

/** What the thread used so far, and what the last answer of a model did. */
export interface TokensReport {
  total: Spent;
  last: Spent;
  context_window: number | null;
}

/**
 * After every answer of a model, and at each resume and fork with what was reported last. A turn without an answer
 * repeats `last` (facts C1.2).
 */
export interface TokensEvent extends TokensReport {
  kind: "tokens";
  thread_id: string;
  /** The top thread of a sub-agent as far as it is known; else the same thread. */
  root_id: string;
  turn_id: string;
  /** The model of a sub-agent; null: not known, or no sub-agent. */
  model: string | null;
}

/** Codex loaded a thread after the call for it had timed out: that call has failed. */
export interface LateThread {
  kind: "thread_late";
  thread_id: string;
  /** The mark by which a fork is found; null: it is no fork of ours. */
  mark: string | null;
  /** The call created it, and it is on disk. */
  is_durable: boolean;
}

/** A warning of Codex about one thread, or its end. */
export interface ThreadWarning {
  kind: "warned";
  thread_id: string;
  /** The MCP server that it is about; null: something else. */
  server: string | null;
  /** Null: that server works now. */
  words: string | null;
}

/**
 * The limits of the account, which Codex reports after every answer of a model. Without windows nothing is known (facts
 * C1.1).
 */
export interface RateLimits {
  limit_id: string | null;
  windows: {
    name: WindowName;
    used_percent: number;
    window_minutes: number | null;
    resets_at: number | null;
  }[];
  /** Codex's term for a limit that is reached, e.g. `rate_limit_reached`. */
  reached: string | null;
}

/** A hook of Codex decided an approval; no person was asked. */
export interface HookDecision {
  kind: "hook_decided";
  thread_id: string;
  turn_id: string | null;
  item_id: string;
  decision: "approve" | "deny";
  /**
   * The hooks that ran for it: Codex does not report which of them decided. `path` is the file that configures the
   * hook.
   */
  hooks: { source: string | null; path: string | null }[];
  /** Why it was denied. */
  words: string | null;
  /** What runs now; null when it was denied: Codex does not report what that was. */
  item: ItemFacts | null;
}

/** A hook of Codex refused the text of a turn: the turn ends as completed, without the text (facts F52). */
export interface PromptRefusal {
  kind: "prompt_refused";
  thread_id: string;
  turn_id: string;
  /** The reason of the hook; null: it gave none. */
  words: string | null;
}
