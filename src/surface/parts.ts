/** What main hands to a surface: all that surfaces may not reach for themselves. */
import type { Paths } from "../base/paths.ts";
import type { Check, Registry } from "../ops/ctx.ts";
import type { IndexRow } from "../ops/op.ts";
import type { Answer } from "./client.ts";

export interface DoctorInput {
  app_server: boolean;
  fix: boolean;
  timeoutMs: number;
}

export interface Parts {
  index: readonly IndexRow[];
  /** What the daemon says to this very command, where it was asked before anything was loaded. */
  answer?: Promise<Answer>;
  /** How to run the daemon. */
  daemonArgv: readonly string[];
  /** The environment variables that the configuration passes on to it, beside the usual ones. */
  daemonVariables(paths: Paths): Promise<readonly string[]>;
  /** Codex itself, in this terminal; answers its exit status. */
  codex(args: readonly string[]): Promise<number>;
  doctor(paths: Paths, input: DoctorInput): Promise<Check[]>;
  registry(paths: Paths): Promise<Registry>;
}
