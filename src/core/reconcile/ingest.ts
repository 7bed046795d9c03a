/** Stores the events of the child, those of one read in one transaction. Nothing is stored of unmanaged threads. */

import { DispatchError } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { notePromptRefusal } from "../delivery/promptrefusal.ts";
import { endTurn } from "../delivery/turnend.ts";
import { goalToStore } from "../loading/goal.ts";
import { noteLate } from "../loading/late.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import type { Epoch } from "../model/ports/agent.ts";
import type { AgentEvent } from "../model/ports/agentevent.ts";
import type { Lane } from "../model/ports/rows.ts";
import { hookDecided } from "../requests/hookdecision.ts";
import { openRequest } from "../requests/request.ts";
import { cancelToolCalls } from "../requests/toolcall.ts";
import { indexedBytesMax, indexedError } from "../search/indexed.ts";
import { cutGoal } from "../state/goal.ts";
import { freeHandle } from "../state/handle.ts";
import { noteAnswer } from "../state/lastmessage.ts";
import { expire } from "../state/settle.ts";
import { agentFailed } from "../state/subagents.ts";
import { countTokens } from "../state/tokens.ts";
import { turnStarted } from "../state/turn.ts";
import { noteRateLimits } from "../state/usagelimit.ts";
import { noteWarning } from "../state/warning.ts";
import { noteWindows } from "../state/windows.ts";
import { endRetrying, itemCompleted, preview } from "./itemcompleted.ts";

type Kind = AgentEvent["kind"];
type EventOf<K extends Kind> = Extract<AgentEvent, { kind: K }>;
/** Events about the process, or about a thread that need not be managed. */
type GlobalKind =
  | "thread_status"
  | "thread_closed"
  | "thread_started"
  | "thread_late"
  | "request_opened"
  | "request_resolved"
  | "hook_decided"
  | "agents_working"
  | "warned"
  | "tokens"
  | "rate_limits";
type LaneKind = Exclude<Kind, GlobalKind>;

type GlobalHandlers = { [K in GlobalKind]: (event: EventOf<K>, change: Change, epoch: Epoch) => void };
type LaneHandlers = {
  [K in LaneKind]: (lane: Lane, event: EventOf<K>, change: Change, epoch: Epoch) => void;
};

/** Throws `storage`; then nothing of the batch is stored. */
export type Ingest = (epoch: Epoch, events: AgentEvent[]) => void;

/** `onTurnEnd` is called after the commit, with each lane whose turn ended: its next message may go. */
export function ingest(deps: CoreDeps, onTurnEnd: (lane: Lane) => void): Ingest {
  const { store, journal, live, log } = deps;
  const globalHandlers = globalEventHandlers(deps);
  const laneHandlers = laneEventHandlers(deps, onTurnEnd);

  function apply(epoch: Epoch, event: AgentEvent, change: Change): void {
    const handler = globalHandlers[event.kind as GlobalKind] as
      | ((event: AgentEvent, change: Change, epoch: Epoch) => void)
      | undefined;
    if (handler) {
      handler(event, change, epoch);
      return;
    }
    const laneEvent = event as EventOf<LaneKind>;
    const lane = store.lanes.findByThread(laneEvent.thread_id);
    if (!lane) return;
    live.touch(laneEvent.thread_id);
    (laneHandlers[laneEvent.kind] as LaneHandlers["turn_started"])(
      lane,
      laneEvent as EventOf<"turn_started">,
      change,
      epoch,
    );
  }

  function applyInTransaction(epoch: Epoch, events: readonly AgentEvent[]): void {
    journal.note((change) => {
      for (const event of events) apply(epoch, event, change);
    });
  }

  return (epoch, events) => {
    try {
      applyInTransaction(epoch, events);
    } catch (thrown) {
      if (thrown instanceof DispatchError && thrown.code === "storage") throw thrown;
      // A bug in the handling of one event loses that event, not its batch.
      for (const event of events) {
        try {
          applyInTransaction(epoch, [event]);
        } catch (again) {
          if (again instanceof DispatchError && again.code === "storage") throw again;
          log.error("an event of Codex was lost to a bug", { kind: event.kind, thrown: again });
        }
      }
    }
  };
}

function globalEventHandlers(deps: CoreDeps): GlobalHandlers {
  const { store, live } = deps;
  return {
    // Not stored: a status is valid only while this child lives.
    thread_status({ thread_id, status }) {
      if (status === "not_loaded") live.drop(thread_id);
      else live.setStatus(thread_id, status);
    },
    thread_closed: ({ thread_id }) => live.drop(thread_id),
    thread_started() {
      // Our own threads are known from the answers; a thread of another app is not managed.
    },
    thread_late: (late, change) => noteLate(deps, change, late),
    request_opened: ({ request }, change, epoch) => openRequest(deps, change, epoch, request),
    request_resolved({ rpc_id }, change, epoch) {
      const request = store.requests.findByWire(epoch, rpc_id);
      if (request) expire(store, change, request.id);
      else live.pendingLookups.delete(rpc_id);
      cancelToolCalls(deps, change, { epoch, rpc_id }, "Codex no longer waits for it");
    },
    agents_working({ thread_id, agents, failed }, change) {
      const lane = store.lanes.findByThread(thread_id);
      if (!lane) return;
      live.setAgents(thread_id, agents);
      const working = agents.length;
      if (failed) agentFailed(store, change, lane, { ...failed, working });
      else change.append({ kind: "thread.agents", lane: lane.ref, data: { working } });
    },
    warned: (warned, change) => noteWarning(deps, change, warned),
    tokens(event, change) {
      const lane = store.lanes.findByThread(event.thread_id);
      if (lane) {
        live.touch(event.thread_id);
        endRetrying(deps, change, lane, event.turn_id);
        const { total, input, output } = event.total;
        store.lanes.set(lane.ref, {
          tokens: { total, input, output, context_window: event.context_window },
        });
      }
      countTokens(deps, change, event);
    },
    rate_limits({ limits }, change) {
      noteWindows(deps, change, limits);
      noteRateLimits(deps, change, limits);
    },
    hook_decided: (decided, change) => hookDecided(deps, change, decided),
  };
}

function laneEventHandlers(deps: CoreDeps, onTurnEnd: (lane: Lane) => void): LaneHandlers {
  const { store, live } = deps;
  return {
    turn_started(lane, { thread_id, turn_id }, change, epoch) {
      live.turnBegan(thread_id);
      live.retrying.delete(thread_id);
      turnStarted(store, change, lane, turn_id, epoch);
    },
    turn_completed(lane, { thread_id, turn }, change) {
      if (turn.status === "in_progress") return;
      const { id, status, error, completed_at } = turn;
      noteAnswer(deps, lane, turn.items, id, change.now);
      endTurn(deps, change, lane, { turn_id: id, status, error, completed_at });
      const why = indexedError(lane.ref, turn, change.now, indexedBytesMax(deps));
      if (why) store.items.put(why);
      const liveThread = live.get(thread_id);
      if (liveThread) liveThread.floor = id;
      change.after(() => onTurnEnd(lane));
    },
    prompt_refused: (lane, { turn_id, words }) => notePromptRefusal(store, lane.ref, turn_id, words),
    turn_retrying(lane, { thread_id, turn_id, message }, change) {
      const turn = store.turns.find(lane.ref, turn_id);
      if (turn?.status !== "in_progress") return;
      if (!live.retrying.has(thread_id)) live.retrying.set(thread_id, deps.clock.monotonic());
      const error = { message: preview(message), kind: "retrying" };
      store.turns.put({ ...turn, retrying_since: turn.retrying_since ?? change.now, error });
      if (turn.retrying_since !== null) return;
      change.append({ kind: "turn.retrying", lane: lane.ref, turn_id, data: { reason: preview(message) } });
    },
    turn_recovered: (lane, { turn_id }, change) => endRetrying(deps, change, lane, turn_id),
    item_completed: (lane, { turn_id, item }, change) =>
      itemCompleted(deps, change, lane, turn_id, item, onTurnEnd),
    goal_changed(lane, { goal }, change) {
      // Every resume of a thread without a goal reports `cleared` (facts F32): that ends no goal that is still to be
      // set.
      if (goal === null && lane.goal_setup !== null) return;
      const kept = goalToStore(deps, lane, goal);
      if (JSON.stringify(lane.goal) === JSON.stringify(kept)) return;
      store.lanes.set(lane.ref, { goal: kept });
      change.append({ kind: "goal.changed", lane: lane.ref, data: { status: kept?.status ?? null } });
    },
    thread_renamed(lane, { name }, change) {
      if (name === null || name === lane.title) return;
      store.lanes.set(lane.ref, {
        title: name.slice(0, limits.input.titleCharsMax).toWellFormed(),
        updated_at: change.now,
      });
      change.append({ kind: "thread.renamed", lane: lane.ref, data: { title: preview(name) } });
    },
    thread_archived(lane, { archived }, change) {
      if ((lane.archived_at !== null) === archived) return;
      // Another thread may have got its handle meanwhile.
      const handle = archived || lane.handle === null ? lane.handle : freeHandle(store, lane.handle);
      store.lanes.set(lane.ref, {
        archived_at: archived ? change.now : null,
        goal: archived ? cutGoal(lane.goal) : lane.goal,
        handle,
        updated_at: change.now,
      });
      change.append({ kind: archived ? "thread.archived" : "thread.restored", lane: lane.ref });
    },
  };
}
