/** The dependencies of core: the ports, the journal over the store, and what the running child reported. */

import type { Clock } from "../../base/clock.ts";
import type { FolderFault } from "../../base/directory.ts";
import type { Log } from "../../base/log.ts";
import type { AgentPolicy, HoldReason } from "../../contract/words.ts";
import type { ConfigFiles } from "./config.ts";
import type { Journal } from "./journal.ts";
import type { Live } from "./live.ts";
import type { Agent, Epoch } from "./ports/agent.ts";
import type { RelayPort, RelaySettings } from "./ports/relay.ts";
import type { MessageId, Ref } from "./ports/rows.ts";
import type { Store } from "./ports/store.ts";
import type { ToolRunner } from "./ports/tool.ts";
import type { Rules } from "./ruling.ts";

export interface CoreDeps {
  store: Store;
  agent: Agent;
  /** Carries out the calls of dispatch's own tools by threads. */
  tools: ToolRunner;
  relay: RelayPort;
  clock: Clock;
  log: Log;
  journal: Journal;
  live: Live;
  blame: Blame;
  /** Runs one function at a time for a lane, in the order of the calls. Not re-entrant. */
  locked<T>(ref: Ref, fn: () => Promise<T>): Promise<T>;
  mint: Mint;
  files: Files;
  /** From the user's configuration as it is now. Throws `usage` when the file is broken. */
  policy(): Policy;
  /** From another file of the same kind. Throws `usage` when it is broken or missing. */
  rulesIn(file: string): Rules;
  /** The user's home directory: the automation creates its threads there, unless a preset names another directory. */
  home: string;
  /**
   * Runs a program of the user with this standard input, and waits for its end. Rejects when it cannot be started, ends
   * with another status than 0, or takes too long.
   */
  runProgram(exec: readonly string[], input: string): Promise<void>;
  /**
   * The configuration of the user and of the repository around this directory. Throws `usage` when a file is broken.
   */
  config(directory: string): ConfigFiles;
}

/** What happens at the end of a usage limit of the account. */
export interface UsageLimitPolicy {
  /** Queued messages go on, or are held. */
  continue: "queue" | "hold";
  /** The text that each thread gets whose turn the limit cut; null: none. */
  nudge: string | null;
}

/** What the user allows; null: no limit. */
export interface Budgets {
  /** Turns that run at a time, over all threads. */
  turns: number | null;
  /** The same for the threads of one directory. */
  turnsPerCwd: number | null;
  /** Tokens, input and output, of all threads on one day. */
  tokensPerDay: number | null;
  tokensPerThread: number | null;
  /** No turn starts while a window of the account is used to this percentage. */
  pauseAtPercent: number | null;
}

export interface NotifyRule {
  /** Conditions, or kinds of events. */
  kinds: readonly string[];
  /** A program and its arguments. */
  exec: readonly string[];
}

export interface Policy {
  /** Holds that dispatch releases by itself. */
  releaseAfter: readonly HoldReason[];
  keepDays: number;
  /** Programs that receive events: `[[notify]]`. */
  notify: readonly NotifyRule[];
  /** Messages for an attached thread go into Codex's own queue. */
  attachedQueue: boolean;
  /** How many turns dispatch runs at a time, over all threads; null: no limit. */
  maxRunningTurns: number | null;
  usageLimits: UsageLimitPolicy;
  budgets: Budgets;
  /** The limit of one text in the index. */
  indexedBytesMax: number;
  rules: Rules;
  /** What callers that run in a Codex thread may do. */
  agents: AgentPolicy;
  /** Other machines, and pools as `queue@NAME`, that such callers may reach. */
  hosts: readonly string[];
  /** null: no relay. */
  relay: RelaySettings | null;
  /** A request without an answer is declined after this time; null: never. */
  requestTimeoutMs: number | null;
}

export interface Mint {
  ref(): string;
  id(): MessageId;
}

export interface Files {
  /** Why no command can work in this directory; null when one can. */
  folderFault(path: string): FolderFault | null;
  /** The root of the repository that contains this directory; null when none does. */
  repositoryOf(directory: string): string | null;
  /** At or below `root`, with symbolic links followed; false for a path that does not exist. */
  isInside(path: string, root: string): boolean;
  /** Whether dispatch's home, configuration, registry or socket is at or below it, with symbolic links followed. */
  holdsOwnFiles(folder: string): boolean;
  /** Throws `usage` for a file that is unreadable, not UTF-8, or too large. */
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
  refusedAt: number | null;
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
  ended: Epoch | null;
}
