/** Who decides an approval, and how much a thread may do by itself. */
import type { RequestKind, Ruling, Sandbox } from "../../contract/words.ts";
import type { SandboxDetails } from "./ports/thread.ts";

/**
 * How far a rule may go with a request of each kind. `approve`: an approval is a complete answer. `deny`: a rule may only
 * deny it, or ask. null: no rule names it.
 */
export const ruleReach: Record<RequestKind, "approve" | "deny" | null> = {
  command_approval: "approve",
  file_change_approval: "approve",
  permissions_approval: "approve",
  mcp_tool_approval: "approve",
  user_input: "deny",
  elicitation: "deny",
  tool_call: null,
  current_time: null,
  other: null,
};

export interface Rule {
  kind?: RequestKind | undefined;
  /** Whole words that the command begins with; for an MCP tool, its server and its name. */
  command?: readonly string[] | undefined;
  /** The command runs in it or below it; for a patch, the files are there. */
  cwd?: string | undefined;
  /** Ref, thread id or @handle. A handle that an agent gave does not match. */
  thread?: string | undefined;
  /**
   * Whether an approval may let something happen outside the sandbox. In a rule that approves, true: it approves that
   * too. In other rules: the rule matches only such requests (true), or only the others (false).
   */
  outside_sandbox?: boolean | undefined;
  answer: Ruling;
}

export interface Rules {
  requests: Ruling;
  rules: readonly Rule[];
}

/** At or below it, with symbolic links followed: an agent can make a link in a folder that it may write. */
export type IsInside = (path: string, root: string) => boolean;

export interface Permissions {
  sandbox: Sandbox;
  approval_policy: string;
  cwd: string;
  /** What the sandbox allows besides its kind; null: not known. */
  details?: SandboxDetails | null;
  /** The parts of the policy `granular`. */
  approval_details?: Record<string, unknown> | null;
}
