/** The verbs that an op can call. */

import type { EventView } from "../contract/events.ts";
import type { Receipt } from "../contract/receipt.ts";
import type { Report } from "../contract/report.ts";
import type { RequestView } from "../contract/request.ts";
import type { PastTurn, ThreadSummary, ThreadView } from "../contract/thread.ts";
import type { UsageView } from "../contract/usage.ts";
import type { Condition, Verdict } from "../contract/words.ts";
import type { AutomationVerbs } from "./automation/verbs.ts";
import type { Draft } from "./delivery/accept.ts";
import type { QueuePage, Resolution } from "./delivery/queue.ts";
import type { EventPage, EventSelection, Sample } from "./events/follow.ts";
import type { Crasher } from "./loading/blame.ts";
import type { Answer } from "./model/answer.ts";
import type { AgentStatus, RawLine } from "./model/ports/agent.ts";
import type { Counts, Ref, UsageLimit } from "./model/ports/rows.ts";
import type { GoalChange, GoalFacts } from "./model/ports/thread.ts";
import type { ThreadTarget } from "./model/target.ts";
import type { Away } from "./relay/address.ts";
import type { RelayVerbs } from "./relay/verbs.ts";
import type { Replay, ReplayPage } from "./requests/replay.ts";
import type { RequestFilter } from "./requests/requestview.ts";
import type { Found } from "./search/search.ts";
import type { Bounds } from "./search/sync.ts";
import type { Tail } from "./search/tail.ts";
import type { Search } from "./search/types.ts";
import type { ReceiptFilter } from "./state/receipt.ts";
import type { ListFilter } from "./state/summary.ts";
import type { UsageQuery } from "./state/usageview.ts";
import type { Unmanaged } from "./threads/adopt.ts";
import type { AccessRequest } from "./threads/agents.ts";
import type { NewThread } from "./threads/create.ts";
import type { Fork } from "./threads/historyedit.ts";
import type { Models } from "./threads/models.ts";
import type { Plan, PlanRequest } from "./threads/plan.ts";
import type { Profiles } from "./threads/profiles.ts";
import type { Purpose } from "./threads/selector.ts";
import type { Stopped } from "./threads/stop.ts";

export type { Away, Draft };

export interface Core extends AutomationVerbs, RelayVerbs {
  /** One lane by its selector. `self` is the thread that the caller runs in. */
  resolve(selector: string, self: string | null, purpose?: Purpose): Ref;
  /** One lane, or Codex's id of a thread that has no lane. */
  target(selector: string, self: string | null, purpose?: Purpose): ThreadTarget;
  unmanaged(query: { cursor: string | null; limit: number; archived: boolean }): Promise<Unmanaged>;
  attach(threadId: string, by: string): Promise<Ref>;
  take(ref: Ref, mayWriteHome?: boolean): Promise<void>;
  give(ref: Ref): Promise<void>;
  /** Unloads the thread for another app; returns Codex's id. */
  unload(ref: Ref): Promise<string>;
  rename(target: ThreadTarget, name: string, agentThread?: string | null): Promise<void>;
  archive(target: ThreadTarget): Promise<void>;
  restore(target: ThreadTarget): Promise<void>;
  fork(ref: Ref, draft: Fork): Promise<Ref>;
  revert(ref: Ref, turns: number): Promise<void>;
  compact(ref: Ref): Promise<void>;
  goal(ref: Ref): Promise<GoalFacts | null>;
  setGoal(ref: Ref, change: GoalChange): Promise<GoalFacts | null>;
  clearGoal(ref: Ref): Promise<void>;
  models(options: { refresh: boolean; hidden: boolean }): Promise<Models>;
  profiles(cwd: string, refresh: boolean): Promise<Profiles>;
  /** Reads the history into the index; the view shows the result. */
  sync(ref: Ref, bounds: Bounds, signal: AbortSignal): Promise<void>;
  search(search: Search): Promise<Found>;
  view(ref: Ref): ThreadView;
  list(filter: ListFilter): ThreadSummary[];
  listViews(filter: ListFilter): ThreadView[];
  /** The new thread by flags, presets and configuration. */
  plan(request: PlanRequest): Plan;
  /** The same; throws what `create` would refuse beforehand. */
  checkedPlan(request: PlanRequest): Promise<Plan>;
  create(draft: NewThread, signal: AbortSignal): Promise<{ ref: Ref; receipt: Receipt | null }>;
  forget(ref: Ref): Promise<void>;
  send(ref: Ref, draft: Draft, signal: AbortSignal): Promise<Receipt>;
  receipt(id: string): Receipt;
  /** Newest first. */
  receipts(filter: ReceiptFilter): Receipt[];
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
    options: { limit: number; turns: number | null; full: boolean; cursor: string | null },
  ): Promise<Tail>;
  wait(request: Waiting): Promise<{ verdict: Verdict; timed_out: boolean; threads: ThreadView[] }>;
  events(selection: EventSelection, cursor: string | null, limit: number): EventPage;
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
  /** Throws `conflict` when `ref` is the caller's own thread: its running turn would wait for its own end. */
  refuseSelfWait(ref: Ref, callerThread: Ref | null): void;
  /** The ref of a managed Codex thread. */
  refOf(threadId: string | null): Ref | null;
  /** The open ones with the oldest first, all with the newest first. */
  requests(filter: RequestFilter): RequestView[];
  request(id: string): RequestView;
  replay(query: Replay): ReplayPage;
  /** `agent`: the Codex thread that answers; null for a person. */
  answer(id: string, given: Answer, by: string, agent: string | null): Promise<RequestView>;
  /** Throws `denied` when the agent may not call this, or not on this thread. */
  authorizeAgentCall(request: AccessRequest): void;
  /** Whether a caller here may use another machine. Throws `denied`. `agent`: its thread; null: a person. */
  authorizeHost(request: { host: string; isRead: boolean; agent: string | null }): void;
  agent(): AgentStatus;
  usage(query: UsageQuery): UsageView;
  /** The usage limits that keep turns from starting. */
  usageLimits(): UsageLimit[];
  /** Threads that are held because Codex died of them. */
  crashers(): Crasher[];
  /** The error message of the last write if the disk refused it; else null. */
  writeRefusal(): string | null;
  retryAgent(): void;
  /** For `limits.daemon.handoverMs` no turn starts; then all goes on, unless the daemon was stopped. */
  beginHandover(): void;
  running(): ThreadView[];
  /** Threads whose sub-agents work, whether or not they run a turn themselves. */
  withAgents(): ThreadView[];
  /** Threads in which nothing runs, and whose goal starts its next turn in a moment. */
  betweenGoalTurns(): ThreadView[];
  counts(): Counts & { byStatus: Record<string, number> };
  cursor(): string;
  audited(limit: number): EventView[];
  /** The newest turns, newest first. */
  turns(ref: Ref): PastTurn[];
  /** What the threads did since then; epoch ms. */
  report(since: number): Promise<Report>;
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
  /** The thread whose turn makes this call. It must not wait for its own end. */
  callerThread?: Ref | null;
}
