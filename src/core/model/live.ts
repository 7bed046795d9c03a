/**
 * What only the running child can tell and no restart may remember: which threads it has loaded, their status, and
 * when each last gave a sign of life. Dies with the epoch.
 */

import type { Clock } from "../../base/clock.ts";
import type { Epoch } from "./ports/agent.ts";
import type { RequestFacts } from "./ports/request.ts";
import type { Ref } from "./ports/rows.ts";
import type { ThreadOpened, ThreadStatus } from "./ports/thread.ts";

export interface LiveThread {
  status: ThreadStatus;
  /** When that status was said; monotonic ms, since a clock that is set back makes nothing fresh. 0: it is no proof. */
  at: number;
  /** The last sign of life of it, a status or an item; monotonic ms. */
  heard: number;
  /** The same by the wall clock, for showing; epoch ms. */
  heard_at: number;
  /** The newest turn known to be in Codex's history; where a read-back may stop. null: it has none. */
  floor: string | null;
}

export interface Exhausted {
  limit_id: string | null;
  resets_at: number;
  /** When Codex said it; monotonic ms. */
  at: number;
}

export interface Live {
  epoch(): Epoch | null;
  begin(epoch: Epoch): void;
  end(): void;
  get(threadId: string | null): LiveThread | undefined;
  /** Of a thread that was opened here, with settings that were compared: nothing else makes one known. */
  set(threadId: string, thread: Pick<LiveThread, "status" | "at" | "floor">): void;
  /** A fresh word on a thread that is open here; of any other it is dropped. */
  setStatus(threadId: string, status: ThreadStatus): void;
  drop(threadId: string): void;
  touch(threadId: string): void;
  /** Thread ids of the sub-agents that work below it. */
  agents(threadId: string | null): readonly string[];
  setAgents(threadId: string, agents: readonly string[]): void;
  /** A sub-agent worked since its last turn began: Codex gives the report to the next turn, if it stays loaded (facts C6). */
  owesReport(threadId: string): boolean;
  turnBegan(threadId: string): void;
  list(): [threadId: string, thread: LiveThread][];
  /** Rpc ids of questions whose thread is being looked up; one that Codex resolves meanwhile is a question no more. */
  readonly pendingLookups: Set<RequestFacts["rpc_id"]>;
  /** By thread id, and by what it is about: what this child warns of. */
  readonly warnings: Map<string, Map<string, string>>;
  /** The limit that Codex last said is used up, and that it has not taken back. */
  exhausted(): Exhausted | null;
  setExhausted(exhausted: Exhausted | null): void;
  /** By model provider: when its usage limit ends; monotonic ms. It outlives the child. */
  readonly limitEnds: Map<string, number>;
  /** Threads that this child refuses for good. */
  readonly blocked: Map<Ref, Block>;
  /** By thread id: since when its turn does nothing but retry; monotonic ms. */
  readonly retrying: Map<string, number>;
  /** Threads whose goal was paused to take them over. It outlives the child: until they are taken, the goal is another app's. */
  readonly pausedForTake: Set<Ref>;
  /** By mark: forks that this child did not answer in time, and that were not found yet. It may still make them. */
  readonly unansweredForks: Map<string, Ref>;
  /** Calls that load a thread, until their answer is taken. */
  readonly openings: Map<Ref, Opening>;
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
  let exhausted: Exhausted | null = null;
  const clear = () => {
    threads.clear();
    pendingLookups.clear();
    blocked.clear();
    warnings.clear();
    openings.clear();
    unansweredForks.clear();
    retrying.clear();
    agents.clear();
    owing.clear();
    exhausted = null;
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
      warnings.delete(threadId);
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
    owesReport: (threadId) => owing.has(threadId),
    turnBegan(threadId) {
      if (!agents.has(threadId)) owing.delete(threadId);
    },
    exhausted: () => exhausted,
    setExhausted(now) {
      exhausted = now;
    },
    list: () => [...threads],
    pendingLookups,
    warnings,
    limitEnds: new Map(),
    pausedForTake: new Set(),
    blocked,
    openings,
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
  /** Resolves with the answer, good or bad; never rejects. */
  over: Promise<void>;
  isOver: boolean;
  /** Wall clock, for showing. */
  since: number;
  /** Monotonic. */
  begun: number;
}
