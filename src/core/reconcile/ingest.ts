/** What the child says, made durable: the events of one read are one transaction. Of unmanaged threads nothing is kept. */

import { DispatchError } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { notePromptRefusal } from "../delivery/promptrefusal.ts";
import { endTurn } from "../delivery/turnend.ts";
import { goalToStore } from "../loading/goal.ts";
import { noteLate } from "../loading/late.ts";
import { clip } from "../model/clip.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import type { Epoch } from "../model/ports/agent.ts";
import type { AgentEvent } from "../model/ports/agentevent.ts";
import type { Lane } from "../model/ports/rows.ts";
import type { ItemFacts } from "../model/ports/thread.ts";
import { hookDecided } from "../requests/hookdecision.ts";
import { openRequest } from "../requests/request.ts";
import { indexedBytesMax, indexedError, indexedItem } from "../search/indexed.ts";
import { freeHandle } from "../state/handle.ts";
import { lineOf } from "../state/itemline.ts";
import { lastMessage, noteAnswer } from "../state/lastmessage.ts";
import { delivered, expire } from "../state/settle.ts";
import { turnStarted } from "../state/turn.ts";
import { noteRateLimits } from "../state/usagelimit.ts";
import { noteWarning } from "../state/warning.ts";

type Kind = AgentEvent["kind"];
type Of<K extends Kind> = Extract<AgentEvent, { kind: K }>;
/** Said of the process, or of a thread that need not be ours. */
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
  | "rate_limits";
type OfLane = Exclude<Kind, GlobalKind>;

type GlobalTable = { [K in GlobalKind]: (event: Of<K>, change: Change, epoch: Epoch) => void };
type LaneTable = { [K in OfLane]: (lane: Lane, event: Of<K>, change: Change, epoch: Epoch) => void };

/** Throws `storage`; then nothing of the batch happened. */
export type Ingest = (epoch: Epoch, events: AgentEvent[]) => void;

/** `turnOver` is told of each lane whose turn ended, after the commit: its next message may go. */
export function ingest(deps: CoreDeps, turnOver: (lane: Lane) => void): Ingest {
  const { store, journal, live, log } = deps;
  const loose = globalTable(deps);
  const ofLane = laneTable(deps, turnOver);

  function apply(epoch: Epoch, event: AgentEvent, change: Change): void {
    const said = loose[event.kind as GlobalKind] as
      | ((event: AgentEvent, change: Change, epoch: Epoch) => void)
      | undefined;
    if (said) {
      said(event, change, epoch);
      return;
    }
    const of = event as Of<OfLane>;
    const lane = store.lanes.findByThread(of.thread_id);
    if (!lane) return;
    live.touch(of.thread_id);
    (ofLane[of.kind] as LaneTable["turn_started"])(lane, of as Of<"turn_started">, change, epoch);
  }

  function together(epoch: Epoch, events: readonly AgentEvent[]): void {
    journal.note((change) => {
      for (const event of events) apply(epoch, event, change);
    });
  }

  return (epoch, events) => {
    try {
      together(epoch, events);
    } catch (thrown) {
      if (thrown instanceof DispatchError && thrown.code === "storage") throw thrown;
      // A bug over one event costs that one, not the batch it came in.
      for (const event of events) {
        try {
          together(epoch, [event]);
        } catch (one) {
          if (one instanceof DispatchError && one.code === "storage") throw one;
          log.error("an event of Codex was lost to a bug", { kind: event.kind, thrown: one });
        }
      }
    }
  };
}

function globalTable(deps: CoreDeps): GlobalTable {
  const { store, live } = deps;
  return {
    // Not durable: a status is only good while this child lives.
    thread_status({ thread_id, status }) {
      if (status === "not_loaded") live.drop(thread_id);
      else live.setStatus(thread_id, status);
    },
    thread_closed: ({ thread_id }) => live.drop(thread_id),
    thread_started() {
      // Our own starts are known by their answers; a stranger's thread is not managed.
    },
    thread_late: (late, change) => noteLate(deps, change, late),
    request_opened: ({ request }, change, epoch) => openRequest(deps, change, epoch, request),
    request_resolved({ rpc_id }, change, epoch) {
      const request = store.requests.findByWire(epoch, rpc_id);
      if (request) expire(store, change, request.id);
      else live.pendingLookups.delete(rpc_id);
    },
    agents_working({ thread_id, agents }, change) {
      const lane = store.lanes.findByThread(thread_id);
      if (!lane) return;
      live.setAgents(thread_id, agents);
      change.append({ kind: "thread.agents", lane: lane.ref, data: { working: agents.length } });
    },
    warned: (warned, change) => noteWarning(deps, change, warned),
    rate_limits: ({ limits }, change) => noteRateLimits(deps, change, limits),
    hook_decided: (decided, change) => hookDecided(deps, change, decided),
  };
}

function laneTable(deps: CoreDeps, turnOver: (lane: Lane) => void): LaneTable {
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
      const here = live.get(thread_id);
      if (here) here.floor = id;
      change.after(() => turnOver(lane));
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
    turn_recovered: (lane, { turn_id }, change) => recovered(deps, change, lane, turn_id),
    item_completed: (lane, { turn_id, item }, change) =>
      itemCompleted(deps, change, lane, turn_id, item, turnOver),
    tokens(lane, { turn_id, usage }, change) {
      recovered(deps, change, lane, turn_id);
      store.lanes.set(lane.ref, { tokens: usage });
    },
    goal_changed(lane, { goal }, change) {
      // Every resume of a thread without a goal says `cleared` (measured): that ends no goal that is still to be set.
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
      // Its handle may have been given away meanwhile.
      const handle = archived || lane.handle === null ? lane.handle : freeHandle(store, lane.handle);
      store.lanes.set(lane.ref, {
        archived_at: archived ? change.now : null,
        handle,
        updated_at: change.now,
      });
      change.append({ kind: archived ? "thread.archived" : "thread.restored", lane: lane.ref });
    },
  };
}

function itemCompleted(
  deps: CoreDeps,
  change: Change,
  lane: Lane,
  turnId: string,
  item: ItemFacts,
  next: (lane: Lane) => void,
): void {
  const { store } = deps;
  recovered(deps, change, lane, turnId);
  const turn = store.turns.find(lane.ref, turnId);
  if (item.type === "user_message" && item.client_id !== null) {
    const message = store.messages.find(item.client_id);
    if (message?.lane === lane.ref) {
      delivered(store, change, message, turnId);
      change.after(() => next(lane));
    } else if (turn?.origin === "other") store.turns.put({ ...turn, origin: "queue" });
  }
  if (item.type === "agent_message") {
    store.lanes.set(lane.ref, { last_message: lastMessage(item, turnId, change.now) });
  }
  const indexed = indexedItem(lane.ref, turnId, item, change.now, indexedBytesMax(deps));
  if (indexed) store.items.put(indexed);
  change.append({
    kind: "item.completed",
    lane: lane.ref,
    turn_id: turnId,
    receipt: item.type === "user_message" ? item.client_id : null,
    data: {
      item_id: item.id,
      type: item.type,
      preview: lineOf(item, lane.cwd),
      status: item.status,
      exit_code: item.exit_code,
    },
  });
}

/** Whatever a turn does ends its retrying. */
function recovered({ store, live }: CoreDeps, change: Change, lane: Lane, turnId: string): void {
  if (lane.thread_id !== null) live.retrying.delete(lane.thread_id);
  const turn = store.turns.find(lane.ref, turnId);
  if (!turn || turn.retrying_since === null || turn.status !== "in_progress") return;
  store.turns.put({ ...turn, retrying_since: null, error: null });
  change.append({ kind: "turn.recovered", lane: lane.ref, turn_id: turnId });
}

function preview(text: string): string {
  return clip(text, limits.thread.previewCharsMax);
}
