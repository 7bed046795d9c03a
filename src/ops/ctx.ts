/** What an op's `run` is given: everything it may touch. An op never imports core, store or another op's code. */
import type { Clock } from "../base/clock.ts";
import type { Fault } from "../base/faults.ts";
import type { Paths } from "../base/paths.ts";
import type { Core } from "../core/core.ts";
import type { Caller } from "./protocol.ts";

/** Of the daemon process itself. */
export interface Host {
  pid: number;
  version: string;
  /** Wall clock, ms. */
  startedAt: number;
  /** Since then, whatever became of that clock. */
  uptimeMs(): number;
  paths: Paths;
  /** The environment it was started in: by whom, from where, and where it finds programs. */
  startedBy: { user: string; cwd: string; terminal: boolean; by: string | null; path: string | null };
  rssBytes(): number;
  /** Under way for clients now, but for those that are answered at any time. */
  calls(): number;
  /** Begins a graceful stop after the answer has left. */
  stop(): void;
  /** The last lines of the log file, oldest first. */
  logTail(lines: number): string[];
  /** What failed lately by a bug, newest first. */
  faults(): Fault[];
  /** How the daemon before this one ended; null when this home had none. */
  previous: Previous | null;
}

export interface Previous {
  /** False when it was killed, crashed, or lost power. */
  is_clean: boolean;
  /** Wall clock, ms: when it last wrote to its log. */
  last_seen_at: number;
}

export interface Ctx {
  core: Core;
  host: Host;
  clock: Clock;
  caller: Caller;
  /** Aborts when the client went away or cancelled. */
  signal: AbortSignal;
  /** Sends a row: of the stream, or as progress. Resolves when the client may take more. */
  emit(row: Record<string, unknown>): Promise<void>;
}

export interface Check {
  name: string;
  status: "ok" | "warn" | "fail" | "skipped";
  summary: string;
  detail: string | null;
  recovery: string | null;
  /** `--fix` would put it right. */
  fixable: boolean;
  /** What `--fix` did here. */
  fixed: string[];
  data: Record<string, unknown> | null;
}

export interface Schemas {
  command: string;
  op: string;
  intent: string;
  summary: string;
  input: Record<string, unknown>;
  output: Record<string, unknown>;
}

/** The registry from outside the daemon. Nothing of it ever starts one. */
export interface Registry {
  /** Throws `not_found`, `storage` when it cannot be read at all. */
  check(): Promise<{
    registry: string;
    bytes: number;
    running: boolean;
    sound: boolean;
    faults: string[];
    schema: number;
    supported: number;
    counts: Record<string, number>;
    codex_home: string | null;
    backups: { path: string; kind: "backup" | "before" | "replaced"; at: string; bytes: number }[];
  }>;
  /** Also while the daemon runs. Throws `not_found`, `conflict` (the file exists), `storage`. */
  backup(to: string | undefined): Promise<{ registry: string; backup: string; bytes: number }>;
  /** Throws `conflict` while the daemon runs, `not_found`, `storage`. */
  migrate(options: {
    backup: boolean;
  }): Promise<{ registry: string; from: number; to: number; backup: string | null }>;
  /** Throws `conflict` while the daemon runs, `not_found`, `usage`, `storage`. */
  restore(from: string): Promise<{
    registry: string;
    restored: string;
    replaced: string | null;
    schema: number;
    counts: Record<string, number>;
    held: { ref: string; title: string; pending: number }[];
  }>;
}

export interface ClientCtx {
  paths: Paths;
  clock: Clock;
  caller: Caller;
  signal: AbortSignal;
  /** Calls a daemon op; never starts a daemon (`daemon_down`). */
  call(op: string, input: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** Starts the daemon unless it runs; clears `stopped`. With its status, as `daemon.status` answers it. */
  start(): Promise<{ status: "started" | "already_running"; daemon: Record<string, unknown> }>;
  /** Resolves true when nobody holds the instance lock any more, false at the deadline. */
  gone(waitMs: number): Promise<boolean>;
  /** Leaves the mark that autostart honours. */
  markStopped(): void;
  clearStopped(): void;
  /** True when a person said yes just now, or `--yes` before; false when there is nobody to ask. */
  confirm(question: string): Promise<boolean>;
  hasTerminal: boolean;
  /** Codex itself, in this terminal; answers its exit status. */
  runCodex(args: readonly string[]): Promise<number>;
  /** Of every op. */
  schemas(): Promise<Schemas[]>;
  /** What a shell reads once, so that it completes our commands. */
  completion(shell: "bash" | "zsh" | "fish"): Promise<string>;
  doctor(input: { app_server: boolean; fix: boolean; timeoutMs: number }): Promise<Check[]>;
  registry(): Promise<Registry>;
}
