/** What Codex tells, in the order it tells it. */
import type { RequestFacts } from "./request.ts";
import type { GoalFacts, ItemFacts, ThreadFacts, ThreadStatus, TokenUsage, TurnFacts } from "./thread.ts";

/** What the child said, in order. Tolerant: what is not known here is dropped, what is malformed is counted. */
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
  /** The sub-agents below a thread that work now, all generations; also after its own turn ended. */
  | { kind: "agents_working"; thread_id: string; agents: string[] }
  /** The first sign of a turn after it retried: a delta, an item, tokens, a question. */
  | { kind: "turn_recovered"; thread_id: string; turn_id: string }
  | { kind: "item_completed"; thread_id: string; turn_id: string; item: ItemFacts }
  | { kind: "tokens"; thread_id: string; turn_id: string; usage: TokenUsage }
  | { kind: "rate_limits"; limits: RateLimits }
  | { kind: "goal_changed"; thread_id: string; goal: GoalFacts | null }
  | { kind: "request_opened"; request: RequestFacts }
  | { kind: "request_resolved"; thread_id: string; rpc_id: string | number }
  | HookDecision
  | PromptRefusal
  | Warned;

/** Codex loaded a thread after the call for it was given up: that call has failed. */
export interface LateThread {
  kind: "thread_late";
  thread_id: string;
  /** What the fork was given to be found by; null of a thread that is no fork of ours. */
  mark: string | null;
  /** The call made it, and it is on the disk. */
  is_durable: boolean;
}

/** Codex warns of something about one thread, or takes it back. */
export interface Warned {
  kind: "warned";
  thread_id: string;
  /** The MCP server that it is about; null: of anything else. */
  server: string | null;
  /** Null: that server works now. */
  words: string | null;
}

/** What Codex says of the account after every answer of a model; without a window it says nothing (facts C1.1). */
export interface RateLimits {
  limit_id: string | null;
  windows: { used_percent: number; resets_at: number | null }[];
  /** Codex's word for a limit that is reached, e.g. `rate_limit_reached`. */
  reached: string | null;
}

/** A hook of Codex's own decided an approval, and nobody was asked. */
export interface HookDecision {
  kind: "hook_decided";
  thread_id: string;
  turn_id: string | null;
  item_id: string;
  decision: "approve" | "deny";
  /** Those that ran for it: Codex does not say which of them let it. `path` is the file that configures the hook. */
  hooks: { source: string | null; path: string | null }[];
  /** Why it was denied. */
  words: string | null;
  /** What runs now; null where it was denied: Codex does not say what that was. */
  item: ItemFacts | null;
}

/** A hook of Codex refused the text that a turn was given: the turn ends as completed, without the text. */
export interface PromptRefusal {
  kind: "prompt_refused";
  thread_id: string;
  turn_id: string;
  /** Of the hook; null: it gave no reason. */
  words: string | null;
}
