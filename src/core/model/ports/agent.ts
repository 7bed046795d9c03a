/**
 * The Agent port: what core needs from a Codex app-server, in core's terms. `codex/` implements it against the
 * real child, `test/world` against a model. Ids are Codex's own; times are ms since the epoch.
 *
 * Failures are DispatchErrors:
 *  - `agent_down`: nothing was sent (`data.outcome = "not_sent"`), or the child died with the call in flight
 *    (`data.outcome = "unknown"`);
 *  - `timeout` with `data.outcome = "unknown"`: no answer within the deadline; for a read `not_sent`, as it changes nothing;
 *  - `agent`: Codex refused; `data.reason` is a Refusal and `data.words` is Codex's text.
 */

import type { CodexState } from "../../../contract/words.ts";
import type { Permissions } from "../ruling.ts";
import type { AgentEvent } from "./agentevent.ts";
import type { PermissionProfile } from "./profile.ts";
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

/** Why Codex refused, read from the text of the refusal: nearly all share the code -32600 (facts F54). */
export type Refusal =
  | "not_loaded"
  | "no_rollout"
  /** The thread may exist, and no history of it can be read. */
  | "no_history"
  | "active_writer"
  | "archived"
  | "no_active_turn"
  | "turn_mismatch"
  | "overloaded"
  | "too_large"
  | "bad_thread_id"
  /** A feature that Codex's own configuration has switched off. */
  | "switched_off"
  /** Codex's configuration cannot be loaded for this thread. */
  | "bad_config"
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

/** Identifies the child. Stored before the first byte is written to it, so that an orphan is recognised for sure. */
export interface ChildIdentity {
  pid: number;
  /** Process group id; the child leads its own. */
  group: number;
  /** The kernel's start time of that pid, opaque; with pid and boot id it identifies one process. */
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
  /** Why it is degraded or was last lost; in the user's terms. */
  last_error: { message: string; hint: string | null } | null;
  /** When the child was started that has not answered `initialize` yet; epoch ms. */
  starting_since: number | null;
  /** How long ago that was, by the monotonic clock. */
  starting_ms: number | null;
  /** Epoch ms of the next start, while degraded or between restarts. */
  retry_at: number | null;
  /** Lines of the child that could not be read, since this daemon started. */
  garbage_lines: number;
  /** Warnings of this child, the newest last. After some configuration errors it refuses every new thread. */
  warnings: string[];
  /** The features that dispatch uses and this Codex lacks. Each is refused by name; everything else works. */
  lacks: string[];
  /** The file that the child runs. After it was replaced, its sandbox helpers no longer start. */
  program: "same" | "replaced" | "removed";
  /** Which of dispatch and Codex to upgrade when Codex lacks something. */
  advice: string;
}

/** Receives what happens to the child. Called synchronously; must not throw for bad input, may throw `storage`. */
export interface AgentSink {
  /** Stores the identity and returns the number of the epoch. Nothing has been written to the child yet. */
  onSpawn(child: ChildIdentity): Epoch;
  /**
   * `initialize` was answered. Throws `agent_down` to refuse this child, for example with another Codex home: the agent
   * ends it and stays degraded with that message until `retry`.
   */
  onReady(epoch: Epoch, info: { version: string; codex_home: string }): void;
  /** The lines of one read, at most `limits.wire.batchLinesMax`, stored in one transaction. */
  onEvents(epoch: Epoch, events: AgentEvent[]): void;
  /**
   * The child is reaped, and no later batch of this epoch will come. Returns whether a thread caused the death that is
   * held now: then the death says nothing about the next child. `isLeft`: a process of its group still lives, so its
   * epoch is not ended; the next spawn ends it.
   */
  onExit(epoch: Epoch, reason: string, isLeft?: boolean): boolean;
}

/** A part of the text that the model is writing. It is not stored. */
export interface Delta {
  turn_id: string;
  item_id: string;
  type: "agent_message" | "plan" | "reasoning";
  text: string;
}

/** One unchanged line of the child's stream, for a thread that is watched. */
export interface RawLine {
  method: string;
  thread_id: string | null;
  line: Record<string, unknown>;
  /** Null: the line is no delta. */
  delta: Delta | null;
}

export interface Agent {
  status(): AgentStatus;
  /** Resolves when a child is up; `agent_down` after `waitMs`, or at once when degraded. */
  ready(waitMs: number): Promise<Epoch>;
  /** Closes an open circuit breaker and tries now. */
  retry(): void;
  /** Ends the running child cleanly, so that the next one starts. Does nothing when none runs. */
  renew(reason: string): Promise<void>;

  startThread(settings: ThreadSettings): Promise<ThreadOpened>;
  /** Sends every stored setting: a resume without them can raise the rights of a thread (facts F24). */
  resumeThread(threadId: string, settings: ThreadSettings): Promise<ThreadOpened>;
  nameThread(threadId: string, name: string): Promise<void>;
  readThread(threadId: string): Promise<ThreadFacts>;
  /** Newest first, with whole items. Halves a page that is too large. */
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
  /** What the newest turn in this rollout file ran with; null: the file does not show it. Works without a child. */
  lastPermissions(rolloutPath: string): Promise<Permissions | null>;
  /** The client ids of the messages in Codex's own queue, the next one first. */
  nativeQueue(threadId: string): Promise<string[]>;
  /** Into Codex's own queue, which is durable and works while another process writes the thread. */
  queueText(input: { thread_id: string; text: string; client_id: string }): Promise<void>;

  /**
   * `overrides` apply to later turns too (facts F27). `joined`: `turn/started` of the returned id came before this
   * answer, so it was not our call that started the turn.
   */
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
  /** Ids of the threads with files of about that day: Codex lists no fork of a thread without turns (facts F67). */
  threadsOfDay(at: number): Promise<string[]>;
  /** Threads with this text in a message, not in a command's output (facts F41). A scan: slow with many threads. */
  searchThreads(
    query: CodexPage & {
      text: string;
      archived: boolean;
      by: "created_at" | "updated_at";
      ascending: boolean;
    },
  ): Promise<{ found: { thread: ThreadFacts; snippet: string }[]; next_cursor: string | null }>;
  /** The places of the text in the messages of one thread, oldest first. */
  searchMessages(
    threadId: string,
    query: CodexPage & { text: string },
  ): Promise<{ found: Occurrence[]; next_cursor: string | null }>;
  /** Interrupts a running turn (facts F17), so it is called for an idle thread only. */
  archiveThread(threadId: string): Promise<void>;
  /** Deletes the file too. A thread that Codex cannot delete is archived. */
  deleteThread(threadId: string): Promise<void>;
  unarchiveThread(threadId: string): Promise<void>;
  /** The new thread is loaded, and on disk at once. It keeps `mark`, and the source's name until it is named. */
  forkThread(
    threadId: string,
    fork: { settings: ThreadSettings; last_turn_id: string | null; mark: string },
  ): Promise<ThreadOpened>;
  /** Removes that turn and all later ones from the history, not from files. The rollout's path changes (facts F29). */
  revertThread(threadId: string, beforeTurnId: string): Promise<void>;
  /** Starts a turn of Codex's own. */
  compactThread(threadId: string): Promise<void>;
  /** Works without a login. */
  readCatalogue(): Promise<Catalogue>;
  listProfiles(cwd: string): Promise<PermissionProfile[]>;

  reply(epoch: Epoch, reply: AgentReply): Promise<void>;
  /** Streams raw notifications, deltas included, until the returned function is called. */
  tap(listener: (line: RawLine) => void): () => void;
  /** Ends the child (stdin closed, TERM, KILL) and stays `stopped`. */
  close(): Promise<void>;
}

export interface CodexPage {
  cursor: string | null;
  limit: number;
}

/** `start` and `end` are the position of the hit in the snippet. */
export interface Occurrence {
  turn_id: string;
  item_id: string;
  snippet: string;
  start: number;
  end: number;
}
