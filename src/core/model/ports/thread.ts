/** Threads, turns and items in core's terms. Ids are Codex's own; times are ms since the epoch. */
import type { Sandbox } from "../../../contract/words.ts";
import type { FileChange } from "./filechange.ts";

/** What a sandbox allows besides its kind. */
export interface SandboxDetails {
  /** Folders that may be written besides `cwd`. */
  writable_roots: string[];
  network_access: boolean;
  /** The temporary folders, `/tmp` and `$TMPDIR`, may not be written. */
  exclude_slash_tmp: boolean;
  exclude_tmpdir: boolean;
  /** Fields that this dispatch does not know, as Codex spells them. */
  more?: Record<string, unknown>;
}

/** The settings that a caller requested. A missing field is not sent: Codex's own configuration decides it. */
export interface ThreadSettings {
  cwd: string;
  sandbox?: Sandbox;
  approval_policy?: string;
  approvals_reviewer?: string;
  permission_profile?: string;
  model?: string;
  model_provider?: string;
  effort?: string;
  summary?: string;
  service_tier?: string;
  /** Where the tier was requested. */
  service_tier_from?: "flag" | "config";
  base_instructions?: string;
  developer_instructions?: string;
  config?: Record<string, unknown>;
  ephemeral?: boolean;
  /** It gets dispatch's own tools. Only a new thread can (facts F71). */
  tools?: boolean;
  /** A person allowed it to write dispatch's own files. */
  may_write_home?: boolean;
  /** Kept from Codex's answer: otherwise its configuration at that time would decide them at each resume. */
  sandbox_details?: SandboxDetails;
  /** The parts of the approval policy `granular`, as Codex spells them. */
  approval_details?: Record<string, unknown>;
}

/**
 * The settings that Codex reported as those it uses. An optional field is missing in rows of an older dispatch, which
 * kept only the kind of a sandbox and the name of a policy.
 */
export interface EffectiveSettings {
  cwd: string;
  sandbox: Sandbox | null;
  approval_policy: string | null;
  approvals_reviewer: string | null;
  permission_profile: string | null;
  model: string | null;
  model_provider: string | null;
  effort: string | null;
  service_tier: string | null;
  sandbox_details?: SandboxDetails | null;
  approval_details?: Record<string, unknown> | null;
  /** The profile that the permission profile extends. */
  profile_extends?: string | null;
  /** The namespaces of dispatch's own tools that Codex offers in it; null: not known. */
  tools?: string[] | null;
}

export type ThreadStatus = "not_loaded" | "idle" | "active" | "system_error";

/** Codex's own record of a thread. */
export interface ThreadFacts {
  id: string;
  name: string | null;
  preview: string;
  cwd: string;
  path: string | null;
  status: ThreadStatus;
  created_at: number;
  updated_at: number;
  /** Codex's term for what created it, e.g. `vscode`, `cli`; `subAgent...` for children. */
  source: string;
  /** For a sub-agent: the thread that spawned it. */
  parent_id: string | null;
  /** The mark that `forkThread` gave it. Only `readThread` returns it (facts F34). */
  mark: string | null;
}

export interface ThreadOpened {
  thread: ThreadFacts;
  effective: EffectiveSettings;
}

export type TurnStatus = "in_progress" | "completed" | "failed" | "interrupted";

export interface TurnError {
  message: string;
  /** Codex's `codexErrorInfo` as one word (`usageLimitExceeded`, `httpConnectionFailed`, ...), or null. */
  kind: string | null;
}

export interface TurnFacts {
  id: string;
  status: TurnStatus;
  error: TurnError | null;
  started_at: number | null;
  completed_at: number | null;
  items: ItemFacts[];
}

/** One item of a turn. `type` is Codex's in snake_case; `text` is never cut here. */
export interface ItemFacts {
  id: string;
  type:
    | "user_message"
    | "agent_message"
    | "reasoning"
    | "plan"
    | "command"
    | "file_change"
    | "mcp_tool_call"
    | "tool_call"
    | "web_search"
    | "context_compaction"
    | "other";
  /** Message text, command output, diff; "" when there is none. */
  text: string;
  /** For a tool call: its name. */
  command: string | null;
  /** For a tool call: what it was called with, as JSON. */
  arguments: string | null;
  exit_code: number | null;
  /** The first path of a file change. */
  path: string | null;
  /** For a file change: every file. Null: Codex's format for it is not known here. */
  changes: FileChange[] | null;
  /** Codex's term: `completed`, `failed`, `declined`, ...; null when the item has none. */
  status: string | null;
  /** For a user message: the `clientUserMessageId` it was sent with. */
  client_id: string | null;
  /** Epoch ms, or null when Codex gives none. */
  at: number | null;
}

export interface TokenUsage {
  total: number;
  input: number;
  output: number;
  context_window: number | null;
}

export interface GoalFacts {
  objective: string;
  /** active, paused, blocked, usageLimited, budgetLimited, complete. */
  status: string;
  token_budget: number | null;
  tokens_used: number | null;
  /** dispatch paused it because the process that ran it ended. A person decides whether it goes on. */
  interrupted?: true;
}

export interface GoalChange {
  /** Missing: the goal keeps its objective. */
  objective?: string;
  status?: "active" | "paused";
  token_budget?: number;
}

export interface TurnOverrides {
  model?: string;
  /** null: the thread's default again. */
  effort?: string | null;
  service_tier?: string | null;
  output_schema?: Record<string, unknown>;
}
