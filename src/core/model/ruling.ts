/** Types for who decides an approval, and for how much a thread may do by itself. */
import type { RequestKind, Ruling, Sandbox } from "../../contract/words.ts";
import type { SandboxDetails } from "./ports/thread.ts";

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
