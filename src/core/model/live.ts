/**
 * The state of the running child, in memory only: which threads it has loaded, their status, and the last sign of life
 * of each. It ends with the epoch.
 */

import type { Clock } from "../../base/clock.ts";
import { limits } from "../../base/limits.ts";
import type { Epoch } from "./ports/agent.ts";
import type { RequestFacts } from "./ports/request.ts";
import type { Ref } from "./ports/rows.ts";
import type { ThreadOpened, ThreadStatus } from "./ports/thread.ts";

export interface LiveThread {
  status: ThreadStatus;
  /** When that status was reported; monotonic ms, so that a clock that is set back makes nothing fresh. 0: no proof. */
  at: number;
  /** Its last sign of life, a status or an item; monotonic ms. */
  heard: number;
  /** The same by the wall clock, for display; epoch ms. */
  heard_at: number;
  /** The newest turn known to be in Codex's history: reading back may stop there. null: it has none. */
  floor: string | null;
}

export interface Exhausted {
  limit_id: string | null;
  resets_at: number;
  /** When Codex reported it; monotonic ms. */
  at: number;
}

export interface Live {
  epoch(): Epoch | null;
  begin(epoch: Epoch): void;
  end(): void;
  get(threadId: string | null): LiveThread | undefined;
  /** Adds a thread that was opened here and whose settings were compared. Nothing else adds one. */
  set(threadId: string, thread: Pick<LiveThread, "status" | "at" | "floor">): void;
  /** Sets a fresh status. Ignored for a thread that is not open here. */
  setStatus(threadId: string, status: ThreadStatus): void;
  drop(threadId: string): void;
  touch(threadId: string): void;
  /** Thread ids of its working sub-agents. */
  agents(threadId: string | null): readonly string[];
  setAgents(threadId: string, agents: readonly string[]): void;
  /** Threads whose sub-agents work, open here or not: Codex may close and reopen a thread under them. */
  withAgents(): string[];
  /** The thread that a working sub-agent works for. */
  topOf(agent: string | null): string | undefined;
  /**
   * A sub-agent worked since the last turn began: Codex gives its report to the next turn if the thread stays loaded
   * (facts C6).
   */
  owesReport(threadId: string): boolean;
  turnBegan(threadId: string): void;
  list(): [threadId: string, thread: LiveThread][];
  /** Rpc ids of requests whose thread is being looked up. A request that Codex resolves meanwhile is removed. */
  readonly pendingLookups: Set<RequestFacts["rpc_id"]>;
  /**
   * Warnings of Codex, by thread id and then by what they are about. Past: the thread was unloaded or the child ended
   * since. The next load repeats what is still so.
   */
  readonly warnings: Map<string, Map<string, { words: string; isPast: boolean }>>;
  /** Threads whose goal was made active and has not begun its first turn, by thread id. */
  readonly goalStarts: Map<string, { ref: Ref; cwd: string; cancel(): void }>;
  /** The limit that Codex last reported as used up and has not withdrawn. */
  exhausted(): Exhausted | null;
  setExhausted(exhausted: Exhausted | null): void;
  /** The model provider whose tokens Codex reported last. */
  reporter(): string | null;
  setReporter(provider: string | null): void;
  /** By model provider: when its usage limit ends; monotonic ms. Kept when the child ends. */
  readonly limitEnds: Map<string, number>;
  /** Until then no turn starts, since another daemon waits to take over; monotonic ms. Kept when the child ends. */
  readonly handover: { until: number };
  /** Threads that this child refuses, or opens without end; a retry does not help. */
  readonly blocked: Map<Ref, Block>;
  /** By thread id: since when its turn only retries; monotonic ms. */
  readonly retrying: Map<string, number>;
  /**
   * Threads whose goal was paused for a take. Kept when the child ends: until the take succeeds, the goal belongs to
   * another app.
   */
  readonly pausedForTake: Set<Ref>;
  /** By mark: forks that this child did not answer in time and that were not found yet. It may still create them. */
  readonly unansweredForks: Map<string, Ref>;
  /** Calls that load a thread, until their answer is used. */
  readonly openings: Map<Ref, Opening>;
  /** By id of its row: ends a tool call that runs. */
  readonly toolCalls: Map<string, AbortController>;
}

export function live(clock: Pick<Clock, "now" | "monotonic">): Live {
  let current: Epoch | null = null;
  const threads = new Map<string, LiveThread>();
  const pendingLookups: Live["pendingLookups"] = new Set();
  const signOfLife = () => ({ heard: clock.monotonic(), heard_at: clock.now() });
  const blocked: Live["blocked"] = new Map();
  const warnings: Live["warnings"] = new Map();
  const openings: Live["openings"] = new Map();
  const unansweredForks: Live["unansweredForks"] = new Map();
  const retrying: Live["retrying"] = new Map();
  const agents = new Map<string, readonly string[]>();
  const owing = new Set<string>();
  const goalStarts: Live["goalStarts"] = new Map();
  let exhausted: Exhausted | null = null;
  let reporter: string | null = null;
  const endWarnings = (threadId: string) => {
    for (const warning of warnings.get(threadId)?.values() ?? []) warning.isPast = true;
  };
  const clear = () => {
    threads.clear();
    pendingLookups.clear();
    blocked.clear();
    for (const threadId of warnings.keys()) endWarnings(threadId);
    openings.clear();
    unansweredForks.clear();
    retrying.clear();
    agents.clear();
    owing.clear();
    for (const { cancel } of goalStarts.values()) cancel();
    goalStarts.clear();
    exhausted = null;
    reporter = null;
  };
  return {
    epoch: () => current,
    begin(epoch) {
      clear();
      current = epoch;
    },
    end() {
      clear();
      current = null;
    },
    get: (threadId) => (threadId === null ? undefined : threads.get(threadId)),
    set: (threadId, thread) => void threads.set(threadId, { ...thread, ...signOfLife() }),
    setStatus(threadId, status) {
      const thread = threads.get(threadId);
      if (thread) Object.assign(thread, { status, at: clock.monotonic(), ...signOfLife() });
    },
    drop(threadId) {
      threads.delete(threadId);
      endWarnings(threadId);
    },
    touch(threadId) {
      const thread = threads.get(threadId);
      if (thread) Object.assign(thread, signOfLife());
    },
    agents: (threadId) => (threadId === null ? [] : (agents.get(threadId) ?? [])),
    setAgents(threadId, working) {
      if (working.length === 0) agents.delete(threadId);
      else {
        agents.set(threadId, working);
        owing.add(threadId);
      }
    },
    withAgents: () => [...agents.keys()],
    topOf: (agent) => [...agents].find(([, working]) => agent !== null && working.includes(agent))?.[0],
    owesReport: (threadId) => owing.has(threadId),
    turnBegan(threadId) {
      goalStarts.get(threadId)?.cancel();
      goalStarts.delete(threadId);
      if (!agents.has(threadId)) owing.delete(threadId);
    },
    exhausted: () => exhausted,
    setExhausted(value) {
      exhausted = value;
    },
    reporter: () => reporter,
    setReporter(provider) {
      reporter = provider;
    },
    list: () => [...threads],
    pendingLookups,
    warnings,
    goalStarts,
    limitEnds: new Map(),
    handover: { until: 0 },
    pausedForTake: new Set(),
    blocked,
    openings,
    toolCalls: new Map(),
    unansweredForks,
    retrying,
  };
}

export interface Block {
  reason: string;
  /** The command that helps. */
  hint: string;
}

export interface Opening {
  answer: Promise<ThreadOpened>;
  /** Resolves when the call has succeeded or failed; never rejects. */
  over: Promise<void>;
  isOver: boolean;
  /** Epoch ms, for display. */
  since: number;
  /** Monotonic ms. */
  begun: number;
}

/** It may never end, and Codex has no call that ends it. */
export function isOverdue({ isOver, begun }: Opening, clock: Pick<Clock, "monotonic">): boolean {
  return !isOver && clock.monotonic() - begun > limits.thread.openingMs;
}
