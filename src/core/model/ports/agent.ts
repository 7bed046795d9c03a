/**
 * The Agent port: what core needs from a Codex app-server, in core's own nouns. `codex/` implements it against the
 * real child, `test/world` against a model. Ids are Codex's own; times are ms since the epoch.
 *
 * Failures are DispatchErrors:
 *  - `agent_down`: nothing was sent (`data.outcome = "not_sent"`), or the child died with the call in flight
 *    (`data.outcome = "unknown"`);
 *  - `timeout` with `data.outcome = "unknown"`: no answer within the deadline; of a read `not_sent`, as it changes nothing;
 *  - `agent`: Codex refused; `data.reason` is a Refusal and `data.words` its own text.
 */

import type { CodexState } from "../../../contract/words.ts";
import type { Permissions } from "../ruling.ts";
import type { AgentEvent } from "./agentevent.ts";
import type { AgentReply } from "./request.ts";
import type {
  GoalChange,
  GoalFacts,
  ThreadFacts,
  ThreadOpened,
  ThreadSettings,
  TurnFacts,
  TurnOverrides,
} from "./thread.ts";

export type Epoch = number;

/** Why Codex refused. Told apart by the text of the refusal: nearly all share the code -32600. */
export type Refusal =
  | "not_loaded"
  | "no_rollout"
  | "active_writer"
  | "archived"
  | "no_active_turn"
  | "turn_mismatch"
  | "overloaded"
  | "too_large"
  | "bad_thread_id"
  /** A feature that Codex's own configuration switched off. */
  | "switched_off"
  | "other";

/** The models Codex ships with, and what its configuration chooses. */
export interface Catalogue {
  models: ModelFacts[];
  default: {
    model: string | null;
    provider: string | null;
    effort: string | null;
    service_tier: string | null;
  };
}

export interface ModelFacts {
  id: string;
  name: string;
  description: string;
  is_default: boolean;
  hidden: boolean;
  efforts: string[];
  default_effort: string | null;
  service_tiers: { id: string; name: string }[];
}

/** Who the child is: recorded before the first byte is written to it, so that an orphan can be told for sure. */
export interface ChildIdentity {
  pid: number;
  /** Process group id; the child leads its own. */
  group: number;
  /** The kernel's start time of that pid, opaque; with pid and boot id it names one process for ever. */
  start_time: string;
  boot_id: string;
}

export interface AgentStatus {
  state: CodexState;
  pid: number | null;
  epoch: Epoch | null;
  /** Codex's version, from initialize. */
  version: string | null;
  codex_home: string | null;
  restarts: number;
  /** Why it is degraded or was last lost; in the user's nouns. */
  last_error: { message: string; hint: string | null } | null;
  /** Epoch ms since when a child has been started and has not answered `initialize`. */
  starting_since: number | null;
  /** For how long; by the monotonic clock. */
  starting_ms: number | null;
  /** Epoch ms of the next start, while degraded or between restarts. */
  retry_at: number | null;
  /** Lines of the child that could not be read, since this daemon started. */
  garbage_lines: number;
  /** What this child warns of, the newest last: after some faults of its configuration every new thread is refused. */
  warnings: string[];
  /** What this Codex cannot do of what dispatch knows to ask for: each of it is refused by name, all else works. */
  lacks: string[];
  /** What became of the file that the child runs: of a replaced one its sandbox helpers no longer start. */
  program: "same" | "replaced" | "removed";
  /** What to do about that: which of the two is to be upgraded. */
  advice: string;
}

/** What the agent tells core. Called synchronously; must not throw for bad input, may throw `storage`. */
export interface AgentSink {
  /** Commit the identity and give the epoch its number. Nothing has been written to the child yet. */
  onSpawn(child: ChildIdentity): Epoch;
  /**
   * `initialize` was answered. Throw (agent_down) to refuse this child: the agent ends it and stays degraded with
   * that message until `retry` (another codex home).
   */
  onReady(epoch: Epoch, info: { version: string; codex_home: string }): void;
  /** The lines of one read, at most `limits.wire.batchLinesMax`: one transaction. */
  onEvents(epoch: Epoch, events: AgentEvent[]): void;
  /**
   * The child is gone: reaped, and no later batch of this epoch will come. Answers whether it died of a thread that is
   * held now: then its death says nothing of the next child. `isLeft`: something of its group lives still, so its epoch
   * is not ended; the next birth ends it.
   */
  onExit(epoch: Epoch, reason: string, isLeft?: boolean): boolean;
}

/** A piece of what the model is writing, as it writes it; nothing of it is kept. */
export interface Delta {
  turn_id: string;
  item_id: string;
  type: "agent_message" | "plan" | "reasoning";
  text: string;
}

/** A tap on the child's raw stream: one line, as it came, of a thread that is watched. */
export interface RawLine {
  method: string;
  thread_id: string | null;
  line: Record<string, unknown>;
  /** Where the line is one. */
  delta: Delta | null;
}

export interface Agent {
  status(): AgentStatus;
  /** Resolves when a child is up; `agent_down` after `waitMs`, or at once when degraded. */
  ready(waitMs: number): Promise<Epoch>;
  /** Closes an open circuit and tries now. */
  retry(): void;
  /** Ends the running child in good order, so that the next one starts. Nothing where none runs. */
  renew(words: string): Promise<void>;

  startThread(settings: ThreadSettings): Promise<ThreadOpened>;
  /** Sends every stored setting: a bare resume was measured to raise a lane's power. */
  resumeThread(threadId: string, settings: ThreadSettings): Promise<ThreadOpened>;
  nameThread(threadId: string, name: string): Promise<void>;
  readThread(threadId: string): Promise<ThreadFacts>;
  /** Newest first, with whole items. Halves the page by itself when one is too large. */
  listTurns(
    threadId: string,
    page: { cursor: string | null; limit: number },
  ): Promise<{ turns: TurnFacts[]; next_cursor: string | null }>;
  unsubscribe(threadId: string): Promise<void>;
  readGoal(threadId: string): Promise<GoalFacts | null>;
  setGoal(threadId: string, goal: GoalChange): Promise<void>;
  clearGoal(threadId: string): Promise<void>;
  /** Whether the rollout at this path holds an injected item with this id. Works without a child. */
  hasInjected(rolloutPath: string, itemId: string): Promise<boolean>;
  /** What the newest turn in the rollout at this path runs with; null when it says nothing sure. Works without a child. */
  lastPower(rolloutPath: string): Promise<Permissions | null>;
  /** The client ids of what waits in Codex's own queue, next to go first. */
  nativeQueue(threadId: string): Promise<string[]>;
  /** Into Codex's own queue, which is durable and works while another process writes the thread. */
  queueText(input: { thread_id: string; text: string; client_id: string }): Promise<void>;

  /** `overrides` stick in Codex for later turns. */
  /** `joined`: `turn/started` of the returned id stood in the stream before this answer, so the turn was not ours. */
  startTurn(input: {
    thread_id: string;
    text: string;
    client_id: string;
    overrides?: TurnOverrides;
  }): Promise<{ turn_id: string; joined: boolean }>;
  steerTurn(input: { thread_id: string; turn_id: string; text: string; client_id: string }): Promise<void>;
  interruptTurn(threadId: string, turnId: string): Promise<void>;
  cleanBackground(threadId: string): Promise<void>;
  injectText(input: { thread_id: string; text: string; item_id: string }): Promise<void>;

  /** Persisted threads of every source and provider, newest activity first, from Codex's state database only. */
  listThreads(page: {
    cursor: string | null;
    limit: number;
    archived: boolean;
  }): Promise<{ threads: ThreadFacts[]; next_cursor: string | null }>;
  /** Ids of the threads whose files were made around that day: Codex lists no fork of a thread without turns (measured). */
  threadsOfDay(at: number): Promise<string[]>;
  /** Threads that hold this text in a message (measured: not in what a command printed), newest activity or creation first; a scan, so slow where there are many. */
  searchThreads(
    asked: CodexPage & {
      text: string;
      archived: boolean;
      by: "created_at" | "updated_at";
      ascending: boolean;
    },
  ): Promise<{ found: { thread: ThreadFacts; snippet: string }[]; next_cursor: string | null }>;
  /** Where it stands in the messages of one thread, oldest first. */
  searchMessages(
    threadId: string,
    asked: CodexPage & { text: string },
  ): Promise<{ found: Occurrence[]; next_cursor: string | null }>;
  /** Interrupts a turn that runs (measured): asked only of a quiet thread. */
  archiveThread(threadId: string): Promise<void>;
  /** With its file; where Codex cannot, it is archived. */
  deleteThread(threadId: string): Promise<void>;
  unarchiveThread(threadId: string): Promise<void>;
  /** The new thread is loaded, and on disk at once. It keeps the source's name until it is given one, and `mark`. */
  forkThread(
    threadId: string,
    fork: { settings: ThreadSettings; last_turn_id: string | null; mark: string },
  ): Promise<ThreadOpened>;
  /** Drops that turn and all after it from the history; files stay. The rollout's path changes. */
  revertThread(threadId: string, beforeTurnId: string): Promise<void>;
  /** Begins a turn of Codex's own. */
  compactThread(threadId: string): Promise<void>;
  /** Works without a login. */
  readCatalogue(): Promise<Catalogue>;

  reply(epoch: Epoch, reply: AgentReply): Promise<void>;
  /** Streams raw notifications (deltas included) until the returned function is called. */
  tap(listener: (line: RawLine) => void): () => void;
  /** Ends the child (stdin closed, TERM, KILL) and stays `stopped`. */
  close(): Promise<void>;
}

export interface CodexPage {
  cursor: string | null;
  limit: number;
}

/** The hit stands in the snippet from `start` to `end`. */
export interface Occurrence {
  turn_id: string;
  item_id: string;
  snippet: string;
  start: number;
  end: number;
}
