/** The context that an op's `run` receives. An op never imports core, store or another op: it uses only this. */
import type { Clock } from "../base/clock.ts";
import type { Code, ErrorBody } from "../base/error.ts";
import type { Fault } from "../base/faults.ts";
import type { Paths } from "../base/paths.ts";
import type { pluginHosts, pluginStates, serviceStates } from "../contract/words.ts";
import type { Core } from "../core/core.ts";
import type { Caller } from "./protocol.ts";

/** The daemon process. */
export interface Host {
  pid: number;
  version: string;
  /** Wall clock, ms. */
  startedAt: number;
  /** Time since the start by the monotonic clock. */
  uptimeMs(): number;
  paths: Paths;
  /** How it was started: the user, the directory, the command that started it, and its PATH. */
  startedBy: { user: string; cwd: string; terminal: boolean; by: string | null; path: string | null };
  rssBytes(): number;
  /** The number of open calls of clients, without calls of frozen ops. */
  calls(): number;
  /** Begins a graceful stop after the answer is sent. */
  stop(): void;
  /** The last lines of the log file, oldest first. */
  logTail(lines: number): string[];
  /** Recent failures that are bugs, newest first. */
  faults(): Fault[];
  /** How the previous daemon ended. Null when this home had none. */
  previous: Previous | null;
  /**
   * The answer of another machine over a connection that is open already; null: there is none, or it did not answer, and
   * one is opened for the next read. Throws `not_found`, `usage`.
   */
  readFar(
    to: string,
    call: FarRead,
  ): Promise<{ result: Record<string, unknown> } | { error: ErrorBody } | null>;
}

export interface FarRead {
  /** The caller's DISPATCH_SSH. */
  ssh: string | null;
  op: string;
  schema: string;
  input: Record<string, unknown>;
  /** As the other machine should know it. */
  caller: Caller;
}

export interface Previous {
  /** False when it was killed, crashed, or lost power. */
  is_clean: boolean;
  /** When it last wrote to its log. Wall clock, ms. */
  last_seen_at: number;
}

export interface Ctx {
  core: Core;
  host: Host;
  clock: Clock;
  caller: Caller;
  /** Aborts when the client went away or cancelled. */
  signal: AbortSignal;
  /** Sends a row of the stream, or a progress row. Resolves when the client can take more. */
  emit(row: Record<string, unknown>): Promise<void>;
}

export interface Check {
  name: string;
  status: "ok" | "warn" | "fail" | "skipped";
  summary: string;
  detail: string | null;
  recovery: string | null;
  /** `--fix` would repair it. */
  fixable: boolean;
  /** What `--fix` did. */
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

/** The registry from outside the daemon. No method starts a daemon. */
export interface Registry {
  /** Throws `not_found`, and `storage` when the file cannot be read at all. */
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
  /** Works while the daemon runs. Throws `not_found`, `conflict` (the file exists), `storage`. */
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

/** The plugin in the hosts. Each host has its own row: the failure of one does not hide the other's. */
export interface PluginRow {
  host: (typeof pluginHosts)[number];
  /** The executable. Null when it was not found. */
  program: string | null;
  state: (typeof pluginStates)[number];
  version: string | null;
  detail: string | null;
  commands: string[];
  error: { code: Code; message: string } | null;
  next: string | null;
}

export interface PluginReport {
  version: string;
  folder: string;
  hosts: PluginRow[];
}

type PluginHosts = Partial<Record<PluginRow["host"], boolean | undefined>>;

/** Without a chosen host: each that is found. Each method throws `not_found` when there is none. */
export interface Plugin {
  status(hosts: PluginHosts): Promise<PluginReport>;
  install(input: PluginHosts & { dry_run: boolean }): Promise<PluginReport>;
  remove(input: PluginHosts & { dry_run: boolean }): Promise<PluginReport>;
}

/** The daemon as a service of systemd or launchd. */
export interface ServiceReport {
  manager: "systemd" | "launchd";
  file: string;
  state: (typeof serviceStates)[number];
  /** It starts with each login. */
  enabled: boolean;
  /** The process that the manager started. */
  pid: number | null;
  /** The daemon that runs, no matter what started it. */
  daemon_pid: number | null;
  program: string[] | null;
  /** The executable that the service finds. */
  codex: string | null;
  detail: string | null;
  /** Of the file, for a dry run. */
  text: string | null;
  commands: string[];
  /** Variables that were not written into the file, because they may be secrets. */
  left: string[];
  next: string | null;
}

/** Each method throws `not_found` where there is no manager. */
export interface Service {
  status(): Promise<ServiceReport>;
  /** Throws `conflict`, `agent_down` (no Codex), `agent`, `storage`, `daemon_down`. */
  install(input: { dry_run: boolean }): Promise<ServiceReport>;
  /** Throws `conflict` and `agent`. */
  remove(input: { dry_run: boolean }): Promise<ServiceReport>;
  /** Starts the daemon by its service. False when there is no service of this home, or it does not start. */
  startInstalled(): Promise<boolean>;
}

export interface ClientCtx {
  paths: Paths;
  clock: Clock;
  caller: Caller;
  signal: AbortSignal;
  /** Calls a daemon op; never starts a daemon (`daemon_down`). */
  call(op: string, input: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** Clears the stop marker and starts the daemon unless it runs. `daemon` is the output of `daemon.status`. */
  start(): Promise<{ status: "started" | "already_running"; daemon: Record<string, unknown> }>;
  /** Resolves with true when nobody holds the instance lock any more, with false after `waitMs`. */
  gone(waitMs: number): Promise<boolean>;
  /**
   * Who holds the instance lock, as it wrote there: a daemon, or a `command` that works on the registry. `kill` returns
   * false when it is gone already.
   */
  holder(): { pid: number; command: string | null; socket: string | null; kill(): boolean } | undefined;
  /** Writes the stop marker: autostart then starts no daemon until `clearStopped`. */
  markStopped(): void;
  clearStopped(): void;
  /** True when the person confirms or `--yes` is set. False when they do not, or when there is no terminal. */
  confirm(question: string): Promise<boolean>;
  /** A line for the person who waits, on standard error. */
  note(line: string): void;
  hasTerminal: boolean;
  /** Runs Codex in this terminal. Returns its exit status. */
  runCodex(args: readonly string[]): Promise<number>;
  /** The schemas of every op that is not hidden. */
  schemas(): Promise<Schemas[]>;
  /** The completion script of the shell. */
  completion(shell: "bash" | "zsh" | "fish"): Promise<string>;
  doctor(input: { app_server: boolean; fix: boolean; timeoutMs: number }): Promise<Check[]>;
  registry(): Promise<Registry>;
  plugin(): Promise<Plugin>;
  service(): Promise<Service>;
  /** Writes a file of the caller's; only the caller can read a new one. Throws `storage`. */
  write(path: string, text: string): Promise<void>;
  /** Shows a file by the system's own program for it. Throws `not_found` when there is none. */
  show(path: string): Promise<void>;
}
