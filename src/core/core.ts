/** The verbs that an op is given. */

import type { EventView } from "../contract/events.ts";
import type { Receipt } from "../contract/receipt.ts";
import type { RequestView } from "../contract/request.ts";
import type { ThreadSummary, ThreadView } from "../contract/thread.ts";
import type { Condition, MessageState, Verdict } from "../contract/words.ts";
import type { AutomationVerbs } from "./automation/verbs.ts";
import type { Draft } from "./delivery/accept.ts";
import type { QueuePage, Resolution } from "./delivery/queue.ts";
import type { EventSelection, Page, Sample } from "./events/follow.ts";
import type { Crasher } from "./loading/blame.ts";
import type { Answer } from "./model/answer.ts";
import type { AgentStatus, RawLine } from "./model/ports/agent.ts";
import type { Counts, Ref, UsageLimit } from "./model/ports/rows.ts";
import type { GoalChange, GoalFacts } from "./model/ports/thread.ts";
import type { ThreadTarget } from "./model/target.ts";
import type { Replay, ReplayPage } from "./requests/replay.ts";
import type { Found } from "./search/search.ts";
import type { Bounds } from "./search/sync.ts";
import type { Tail } from "./search/tail.ts";
import type { Search } from "./search/types.ts";
import type { ListFilter } from "./state/summary.ts";
import type { Unmanaged } from "./threads/adopt.ts";
import type { AccessRequest } from "./threads/agents.ts";
import type { NewThread } from "./threads/create.ts";
import type { Fork } from "./threads/historyedit.ts";
import type { Models } from "./threads/models.ts";
import type { Asked, Plan } from "./threads/plan.ts";
import type { How } from "./threads/selector.ts";
import type { Stopped } from "./threads/stop.ts";

export interface Core extends AutomationVerbs {
  /** One lane from a word. `self` is the thread the caller runs in. */
  resolve(selector: string, self: string | null, how?: How): Ref;
  /** One lane, or Codex's id of a thread that has none. */
  place(selector: string, self: string | null, how?: How): ThreadTarget;
  unmanaged(asked: { cursor: string | null; limit: number; archived: boolean }): Promise<Unmanaged>;
  attach(threadId: string, by: string): Promise<Ref>;
  take(ref: Ref, mayWriteHome?: boolean): Promise<void>;
  give(ref: Ref): Promise<void>;
  /** Lets go of the thread for another app; answers Codex's id. */
  unload(ref: Ref): Promise<string>;
  rename(place: ThreadTarget, name: string, agentThread?: string | null): Promise<void>;
  archive(place: ThreadTarget): Promise<void>;
  restore(place: ThreadTarget): Promise<void>;
  fork(ref: Ref, draft: Fork): Promise<Ref>;
  revert(ref: Ref, turns: number): Promise<void>;
  compact(ref: Ref): Promise<void>;
  goal(ref: Ref): Promise<GoalFacts | null>;
  setGoal(ref: Ref, change: GoalChange): Promise<GoalFacts | null>;
  clearGoal(ref: Ref): Promise<void>;
  models(asked: { refresh: boolean; hidden: boolean }): Promise<Models>;
  /** Reads history into the index; what it came to stands in the view. */
  sync(ref: Ref, bounds: Bounds, signal: AbortSignal): Promise<void>;
  search(search: Search): Promise<Found>;
  view(ref: Ref): ThreadView;
  list(filter: ListFilter): ThreadSummary[];
  listViews(filter: ListFilter): ThreadView[];
  /** What is to be made of it, by flags, presets and configuration. */
  plan(asked: Asked): Plan;
  /** The same, refused where `create` would refuse it beforehand. */
  checkedPlan(asked: Asked): Promise<Plan>;
  create(draft: NewThread, signal: AbortSignal): Promise<{ ref: Ref; receipt: Receipt | null }>;
  forget(ref: Ref): Promise<void>;
  send(ref: Ref, draft: Draft, signal: AbortSignal): Promise<Receipt>;
  receipt(id: string): Receipt;
  receipts(filter: { ref: Ref | null; states: readonly MessageState[] | null; limit: number }): Receipt[];
  /** Reads Codex's history for it, now. */
  reconcile(id: string): Promise<Receipt>;
  resolveUnsure(id: string, as: Resolution, by: string): Receipt;
  queue(ref: Ref, cursor: string | null, limit: number): QueuePage;
  cancel(id: string): Receipt;
  move(id: string, to: number): Receipt & { place: number };
  hold(ref: Ref): void;
  release(ref: Ref): void;
  stop(ref: Ref, timeoutMs: number): Promise<Stopped>;
  tail(
    ref: Ref,
    asked: { limit: number; turns: number | null; full: boolean; cursor: string | null },
  ): Promise<Tail>;
  wait(asked: Waiting): Promise<{ verdict: Verdict; timed_out: boolean; threads: ThreadView[] }>;
  events(selection: EventSelection, cursor: string | null, limit: number): Page;
  sample(
    selection: EventSelection,
    cursor: string | null,
    limit: number,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<Sample>;
  follow(
    selection: EventSelection,
    cursor: string | null,
    emit: (row: EventView) => Promise<void>,
    signal: AbortSignal,
  ): Promise<string>;
  /** The child's own notifications, deltas included, until the returned function is called. */
  tap(listener: (line: RawLine) => void): () => void;
  /** The ref of a Codex thread that is managed. */
  /** Throws `conflict` where a wait for this thread holds up the turn of it that is waited for. */
  refuseForItself(ref: Ref, stands: Ref | null): void;
  refOf(threadId: string | null): Ref | null;
  requests(filter: { ref: Ref | null; all: boolean; limit: number }): RequestView[];
  request(id: string): RequestView;
  replay(asked: Replay): ReplayPage;
  /** `agent`: the Codex thread that answers; null for a person. */
  answer(id: string, given: Answer, by: string, agent: string | null): Promise<RequestView>;
  /** Throws `denied`: what an agent may not call, or not on this. */
  authorizeAgentCall(wish: AccessRequest): void;
  agent(): AgentStatus;
  /** Of accounts that may start nothing for a while. */
  usageLimits(): UsageLimit[];
  /** Threads that are held because Codex died of them. */
  crashers(): Crasher[];
  /** In whose words the registry's disk refused the last write; null where it took it. */
  writeRefusal(): string | null;
  retryAgent(): void;
  running(): ThreadView[];
  /** Threads whose sub-agents work, whether or not they run a turn themselves. */
  withAgents(): ThreadView[];
  counts(): Counts & { byStatus: Record<string, number> };
  cursor(): string;
  audited(limit: number): EventView[];
}

export interface Waiting {
  /** Selectors, or receipt ids. */
  targets: readonly string[];
  self: string | null;
  condition: Condition;
  any: boolean;
  timeoutMs: number | null;
  signal: AbortSignal;
  progress?(waiting: string[]): Promise<void>;
  /** The thread whose turn stands still meanwhile: it would wait for its own end for ever. */
  stands?: Ref | null;
}
