/** Connects each verb with the part of core that implements it. */

import { fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Receipt } from "../contract/receipt.ts";
import type { ThreadView } from "../contract/thread.ts";
import { automationVerbs } from "./automation/verbs.ts";
import type { Core } from "./core.ts";
import type { Delivery } from "./delivery/modes.ts";
import { isOnItsWay } from "./delivery/onitsway.ts";
import { cancel, holdByHand, moveTo, queuePage, resolveUnsure } from "./delivery/queue.ts";
import { refuseFlood } from "./delivery/rate.ts";
import { follow, page, sample } from "./events/follow.ts";
import { type WaitTarget, wait } from "./events/wait.ts";
import { acquit, crashers } from "./loading/blame.ts";
import { clearGoal, readGoal, setGoal } from "./loading/goal.ts";
import type { CoreDeps } from "./model/deps.ts";
import { cursorOf } from "./model/events.ts";
import type { Ref } from "./model/ports/rows.ts";
import { until } from "./model/until.ts";
import type { Reconcile } from "./reconcile/loop.ts";
import type { RelayEngine } from "./relay/engine.ts";
import { relayVerbs } from "./relay/verbs.ts";
import { replay } from "./requests/replay.ts";
import { answer } from "./requests/request.ts";
import { requestsOf, requestView, requestViews } from "./requests/requestview.ts";
import { search } from "./search/search.ts";
import { syncing } from "./search/sync.ts";
import { tail } from "./search/tail.ts";
import { beginHandover } from "./state/capacity.ts";
import { missingFolder } from "./state/folder.ts";
import { isBetweenGoalTurns } from "./state/goal.ts";
import { release } from "./state/hold.ts";
import { statusOf, viewOf } from "./state/lane.ts";
import { receiptById, receiptsOf, refuseRelayed } from "./state/receipt.ts";
import { pastTurn, reportSince } from "./state/report.ts";
import { filtered, summaryOf } from "./state/summary.ts";
import { endAllLimits } from "./state/usagelimit.ts";
import { usageView } from "./state/usageview.ts";
import { attach, give, unload, unmanaged } from "./threads/adopt.ts";
import { authorizeAgentCall, authorizeHostUse, refuseAnswer } from "./threads/agents.ts";
import { create } from "./threads/create.ts";
import { forget } from "./threads/forget.ts";
import { compact, fork, revert } from "./threads/historyedit.ts";
import { archive, rename, restore } from "./threads/metadata.ts";
import { models } from "./threads/models.ts";
import { checkedPlan, plan, refusePlan } from "./threads/plan.ts";
import { profiles } from "./threads/profiles.ts";
import { resolve, targetOf } from "./threads/selector.ts";
import { stop } from "./threads/stop.ts";
import { take } from "./threads/take.ts";

export function verbsOf(
  deps: CoreDeps,
  {
    deliver,
    settle,
    relaying,
    automate,
  }: { deliver: Delivery; settle: Reconcile; relaying: RelayEngine; automate: () => void },
): Core {
  const { store, journal, live, agent } = deps;

  function view(ref: Ref): ThreadView {
    const facts = store.lanes.getFacts(ref);
    const found = viewOf(facts, live);
    return { ...found, blocked: found.blocked ?? missingFolder(deps, facts.lane) };
  }

  function goOn(): void {
    for (const ref of store.lanes.unfinished()) deliver.kick(ref);
  }

  const receipt = (id: string) => receiptById(store, id);

  /** Its receipt, when it is known what becomes of it, or after a while. */
  async function underWay(id: string, signal: AbortSignal): Promise<Receipt> {
    await until(deps, limits.message.sendAnswerMs, () => !isOnItsWay(store, id), signal);
    return receipt(id);
  }

  function waitTarget(word: string, self: string | null): WaitTarget {
    const message = store.messages.find(word);
    if (message) return { ref: message.lane, receipt: message.id };
    const relayed = store.relay.findRelayed(word);
    if (relayed) return { ref: null, receipt: relayed.id };
    return { ref: resolve(store, word, self, "reading").ref };
  }

  function refuseSelfWait(ref: Ref, callerThread: Ref | null): void {
    if (ref !== callerThread || store.turns.running(ref).length === 0) return;
    fail("conflict", `thread ${ref} would wait for the end of its own turn, which waits for this`, {
      hint: "do not wait for it, and end the turn",
    });
  }

  return {
    resolve: (selector, self, purpose) => resolve(store, selector, self, purpose).ref,
    target: (selector, self, purpose) => targetOf(store, selector, self, purpose),
    unmanaged: (query) => unmanaged(deps, query),
    attach: (threadId, by) => attach(deps, threadId, by),
    take: (ref, mayWriteHome) => take(deps, ref, mayWriteHome),
    give: (ref) => give(deps, ref),
    unload: (ref) => unload(deps, ref),
    rename: (target, name, agentThread) => rename(deps, target, name, agentThread),
    archive: (target) => archive(deps, target),
    restore: (target) => restore(deps, target),
    fork: (ref, draft) => fork(deps, ref, draft),
    revert: (ref, turns) => revert(deps, ref, turns),
    compact: (ref) => compact(deps, ref),
    goal: (ref) => readGoal(deps, ref),
    setGoal: (ref, change) => setGoal(deps, ref, change),
    clearGoal: (ref) => clearGoal(deps, ref),
    models: (options) => models(deps, options),
    profiles: (cwd, refresh) => profiles(deps, cwd, refresh),
    view,
    list: (filter) =>
      filtered(filter, (limit) =>
        store.lanes.summaries({ ...filter, limit }).map((facts) => summaryOf(facts, live)),
      ),
    listViews: (filter) =>
      filtered(filter, (limit) =>
        store.lanes.listFacts({ ...filter, limit }).map((facts) => viewOf(facts, live)),
      ),
    plan: (request) => plan(deps, request),
    checkedPlan: (request) => checkedPlan(deps, request),
    async create(draft, signal) {
      const { ref, message } = await create(deps, deliver, draft);
      return { ref, receipt: message && (await underWay(message.id, signal)) };
    },
    forget: (ref) => forget(deps, ref),
    async send(ref, draft, signal) {
      refuseFlood(deps, ref, draft);
      const message = await deliver.send(ref, draft);
      return draft.mode === "queue" ? receipt(message.id) : underWay(message.id, signal);
    },
    receipt,
    receipts: (filter) => receiptsOf(store, filter),
    async reconcile(id) {
      if (refuseRelayed(store, id, "reading")) return receipt(id);
      const { lane } = store.messages.get(id);
      await agent.ready(limits.codex.readyWaitMs);
      await settle.lane(lane);
      if (store.messages.get(id).state === "unsure") await settle.unsure(id);
      return receipt(id);
    },
    resolveUnsure(id, as, by) {
      refuseRelayed(store, id, "writing");
      deliver.kick(resolveUnsure(deps, id, as, by));
      return receipt(id);
    },
    queue: (ref, cursor, limit) => queuePage(deps, ref, cursor, limit),
    cancel(id) {
      refuseRelayed(store, id, "writing");
      cancel(deps, id);
      return receipt(id);
    },
    move(id, to) {
      refuseRelayed(store, id, "writing");
      const place = moveTo(deps, id, to);
      return { ...receipt(id), place };
    },
    hold: (ref) => holdByHand(deps, ref),
    release(ref) {
      journal.commit((change) => release(store, change, ref));
      acquit(deps, ref);
      deliver.kick(ref);
    },
    stop: (ref, timeoutMs) => stop(deps, settle, ref, timeoutMs),
    tail: (ref, options) => tail(deps, ref, options),
    sync: syncing(deps),
    search: (query) => search(deps, query),
    refuseSelfWait,
    writeRefusal: journal.refusal,
    async wait({ targets, self, progress, callerThread = null, ...request }) {
      const found = targets.map((word) => waitTarget(word, self));
      // A request, or another of several threads, may end the wait while that turn runs.
      const isForEnd = request.condition !== "waiting" && request.condition !== "attention";
      if (isForEnd && (!request.any || found.every(({ ref }) => ref === callerThread)))
        for (const { ref } of found) if (ref !== null) refuseSelfWait(ref, callerThread);
      const { verdict, timed_out } = await wait(deps, {
        ...request,
        targets: found,
        ...(progress ? { progress } : {}),
      });
      return { verdict, timed_out, threads: [...new Set(found.flatMap(({ ref }) => ref ?? []))].map(view) };
    },
    events: (selection, cursor, limit) => page(deps, selection, cursor, limit),
    sample: (selection, cursor, limit, timeoutMs, signal) =>
      sample(deps, selection, cursor, limit, timeoutMs, signal),
    follow: (selection, cursor, emit, signal) => follow(deps, selection, cursor, emit, signal),
    tap: (listener) => agent.tap(listener),
    refOf: (threadId) => (threadId === null ? null : (store.lanes.findByThread(threadId)?.ref ?? null)),
    requests: (filter) => requestViews(requestsOf(store, filter)),
    request: (id) => requestView(store.requests.get(id)),
    replay: (query) => replay(deps, query),
    async answer(id, given, by, agent) {
      const request = store.requests.get(id);
      if (agent !== null) await refuseAnswer(deps, request, given, agent);
      return requestView(await answer(deps, id, given, by));
    },
    authorizeAgentCall: (request) => authorizeAgentCall(deps, request),
    authorizeHost: (request) => authorizeHostUse(deps, request),
    agent: () => agent.status(),
    crashers: () => crashers(deps),
    usage: (query) => usageView(deps, query),
    usageLimits: () => store.usageLimits.list(),
    retryAgent() {
      agent.retry();
      endAllLimits(deps);
      deliver.freshStart();
      goOn();
    },
    beginHandover: () => beginHandover(deps, goOn),
    running: () => [...new Set(store.turns.listRunning().map((turn) => turn.lane))].map(view),
    withAgents: () =>
      live.withAgents().flatMap((threadId) => {
        const lane = store.lanes.findByThread(threadId);
        return lane ? [view(lane.ref)] : [];
      }),
    betweenGoalTurns: () =>
      store.lanes
        .withActiveGoal()
        .filter((lane) => isBetweenGoalTurns(lane, store.turns.latest(lane.ref) ?? null))
        .map(({ ref }) => view(ref)),
    counts() {
      const byStatus: Record<string, number> = {};
      for (const facts of store.lanes.statusFacts()) {
        const { status } = statusOf(facts, live);
        byStatus[status] = (byStatus[status] ?? 0) + 1;
      }
      return { ...store.counts(), byStatus };
    },
    cursor: () => cursorOf(store.log.id(), store.log.last()),
    ...automationVerbs(deps, automate, {
      delivery: deliver,
      plan: (asked) => refusePlan(deps, asked),
    }),
    ...relayVerbs(deps, relaying),
    turns: (ref) => store.turns.listNewest(ref, limits.thread.turnsShownMax).map(pastTurn),
    report: (since) => reportSince(deps, since),
    audited(limit) {
      journal.flush();
      return page(deps, { kinds: ["op.called"] }, null, limit).events.reverse();
    },
  };
}
