/** Words of who decides an approval, and of how much a thread may do by itself. */
import type { RequestKind, Ruling, Sandbox } from "../../contract/words.ts";
import type { SandboxDetails } from "./ports/thread.ts";

export interface Rule {
  kind?: RequestKind | undefined;
  /** Whole words that the command begins with; of an MCP tool, its server and its name. */
  command?: readonly string[] | undefined;
  /** The command runs in it or below; of a patch, the files are there. */
  cwd?: string | undefined;
  /** Ref, thread id or @handle; no handle that an agent gave. */
  thread?: string | undefined;
  /**
   * What an approval allows may happen outside the sandbox. Of an approval, true: that too. Of the other answers: only
   * then, or only not then.
   */
  outside_sandbox?: boolean | undefined;
  answer: Ruling;
}

export interface Rules {
  requests: Ruling;
  rules: readonly Rule[];
}

/** At or below it, symbolic links followed: an agent can make one in a folder that it may write. */
export type IsInside = (path: string, root: string) => boolean;

export interface Permissions {
  sandbox: Sandbox;
  approval_policy: string;
  cwd: string;
  /** Beside the kind of the sandbox; null: not known. */
  details?: SandboxDetails | null;
  /** The parts of the policy `granular`. */
  approval_details?: Record<string, unknown> | null;
}
