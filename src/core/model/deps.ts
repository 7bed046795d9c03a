/** What every part of core is given: the ports, the journal over the store, and what the running child has said. */

import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { AgentPolicy, HoldReason } from "../../contract/words.ts";
import type { ConfigFiles } from "./config.ts";
import type { Journal } from "./journal.ts";
import type { Live } from "./live.ts";
import type { Agent, Epoch } from "./ports/agent.ts";
import type { MessageId, Ref } from "./ports/rows.ts";
import type { Store } from "./ports/store.ts";
import type { Rules } from "./ruling.ts";

export interface CoreDeps {
  store: Store;
  agent: Agent;
  clock: Clock;
  log: Log;
  journal: Journal;
  live: Live;
  blame: Blame;
  /** One at a time a lane, first come first served; not re-entrant. */
  locked<T>(ref: Ref, fn: () => Promise<T>): Promise<T>;
  mint: Mint;
  files: Files;
  /** As the user's configuration has it now. Throws `usage` when that is broken. */
  policy(): Policy;
  /** Of another file of the same kind. Throws `usage` when it is broken or not there. */
  rulesIn(file: string): Rules;
  /** The user's home directory, where what acts by itself makes its threads unless a preset says otherwise. */
  home: string;
  /**
   * Runs a program of the user's with that standard input, and waits for its end. Rejects where it cannot be started,
   * ends with another status than 0, or takes too long.
   */
  runProgram(exec: readonly string[], input: string): Promise<void>;
  /** What the user and the repository around this directory configured. Throws `usage` when a file is broken. */
  config(directory: string): ConfigFiles;
}

/** What follows a usage limit of the account. */
export interface UsageLimitPolicy {
  /** What is queued when it ends: goes on, or is held. */
  continue: "queue" | "hold";
  /** The text that each thread whose turn it cut gets when it ends; null: none. */
  nudge: string | null;
}

export interface NotifyRule {
  /** Conditions, or kinds of events. */
  kinds: readonly string[];
  /** A program and its arguments. */
  exec: readonly string[];
}

export interface Policy {
  /** Holds that release themselves. */
  releaseAfter: readonly HoldReason[];
  keepDays: number;
  /** Programs that are told of events: `[[notify]]`. */
  notify: readonly NotifyRule[];
  /** What is queued for an attached thread goes into Codex's own queue. */
  attachedQueue: boolean;
  /** Turns that dispatch starts at a time, over all threads; null: as many as there is work. */
  maxRunningTurns: number | null;
  usageLimits: UsageLimitPolicy;
  /** Of one text in the index. */
  indexedBytesMax: number;
  rules: Rules;
  /** What callers that run in a Codex thread may do. */
  agents: AgentPolicy;
  /** A question that nobody answered is declined after so long; null: never. */
  requestTimeoutMs: number | null;
}

export interface Mint {
  ref(): string;
  id(): MessageId;
}

export interface Files {
  isDirectory(path: string): boolean;
  /** The root of the repository that holds this directory; null when none does. */
  repositoryOf(directory: string): string | null;
  /** At or below it, symbolic links followed; false for what does not exist. */
  isInside(path: string, root: string): boolean;
  /** Whether dispatch's home, configuration, registry or socket is at or below it, symbolic links followed. */
  holdsOwnFiles(folder: string): boolean;
  /** Throws `usage`: unreadable, not UTF-8, too large. */
  readText(path: string): string;
}

/** The message that was in flight; null: the thread itself was being opened. */
export type Cause = MessageId | null;

export interface Suspect {
  /** Of each, at how many deaths it was under way. */
  causes: Map<Cause, number>;
  /** The number of its last trial; 0: it had none. */
  tried: number;
  /** When it was last refused a trial; monotonic ms. null: it waits for none. */
  asked: number | null;
}

export interface Trial {
  ref: Ref;
  /** Monotonic ms. */
  since: number;
  /** Its work is not over yet. */
  isUnderWay: boolean;
}

export interface Blame {
  /** Under way in the running child. */
  opening: Set<Ref>;
  /** Under way in a child that died of something, and not done since. */
  suspects: Map<Ref, Suspect>;
  /** Twice: nothing of them is tried while they are held. */
  culprits: Map<Ref, Cause>;
  /** The one suspect that is tried now, or was tried last. */
  trial: Trial | null;
  /** How many there were. */
  trials: number;
  /** The child that dispatch itself ends: its death is nobody's fault. */
  renewed: Epoch | null;
}
