/** What the child says, made durable: the events of one read are one transaction. Of unmanaged threads nothing is kept. */
import { limits } from "../base/limits.ts";
import type { Change } from "./journal.ts";
import type { AgentEvent, Epoch, ItemFacts } from "./ports/agent.ts";
import type { Lane, LastMessage } from "./ports/store.ts";
import { openRequest } from "./request.ts";
import { delivered, expire, turnEnded, turnStarted } from "./settle.ts";
import type { World } from "./world.ts";

export interface Ingest {
  /** Throws `storage`; then nothing of this batch happened. */
  batch(epoch: Epoch, events: AgentEvent[]): void;
}

/** `turnOver` is told of each lane whose turn ended, after the commit: its next message may go. */
export function ingest(world: World, turnOver: (lane: Lane) => void): Ingest {
  const { store, journal, live } = world;

  function apply(epoch: Epoch, event: AgentEvent, change: Change): void {
    if (event.kind === "thread_status") return status(world, event, change.now);
    if (event.kind === "thread_closed") return live.drop(event.thread_id);
    if (event.kind === "request_opened") return openRequest(world, change, epoch, event.request);
    if (event.kind === "request_resolved") {
      const request = store.requests.findByWire(epoch, event.rpc_id);
      if (request) expire(store, change, request.id);
      return;
    }
    if (event.kind === "thread_started") return;
    const lane = store.lanes.findByThread(event.thread_id);
    if (!lane) return;
    live.heard(event.thread_id, change.now);
    applyToLane(epoch, lane, event, change);
  }

  function applyToLane(epoch: Epoch, lane: Lane, event: LaneEvent, change: Change): void {
    switch (event.kind) {
      case "turn_started":
        return turnStarted(store, change, lane, event.turn_id, epoch);
      case "turn_completed": {
        const { turn } = event;
        if (turn.status === "in_progress") return;
        const last = turn.items.findLast((item) => item.type === "agent_message");
        if (last) store.lanes.set(lane.ref, { last_message: lastMessage(last, turn.id, change.now) });
        turnEnded(store, change, lane, {
          turn_id: turn.id,
          status: turn.status,
          error: turn.error,
          completed_at: turn.completed_at,
        });
        const here = live.get(event.thread_id);
        if (here) here.floor = turn.id;
        return change.after(() => turnOver(lane));
      }
      case "turn_retrying": {
        const turn = store.turns.get(lane.ref, event.turn_id);
        if (!turn || turn.retrying_since !== null || turn.status !== "in_progress") return;
        store.turns.put({ ...turn, retrying_since: change.now });
        return change.append({
          kind: "lane.changed",
          lane: lane.ref,
          turn_id: turn.turn_id,
          data: { retrying: event.message.slice(0, limits.previewCharsMax) },
        });
      }
      case "item_completed":
        return itemCompleted(world, change, lane, event.turn_id, event.item);
      case "tokens":
        return store.lanes.set(lane.ref, { tokens: event.usage });
      case "goal_changed": {
        if (JSON.stringify(lane.goal) === JSON.stringify(event.goal)) return;
        store.lanes.set(lane.ref, { goal: event.goal });
        return change.append({
          kind: "goal.changed",
          lane: lane.ref,
          data: { status: event.goal?.status ?? null },
        });
      }
      case "thread_renamed": {
        if (event.name === null || event.name === lane.title) return;
        store.lanes.set(lane.ref, { title: event.name, updated_at: change.now });
        return change.append({
          kind: "lane.changed",
          lane: lane.ref,
          data: { title: event.name.slice(0, limits.titleCharsMax) },
        });
      }
      case "thread_archived": {
        store.lanes.set(lane.ref, {
          archived_at: event.archived ? change.now : null,
          updated_at: change.now,
        });
        return change.append({ kind: "lane.changed", lane: lane.ref, data: { archived: event.archived } });
      }
    }
  }

  return {
    batch(epoch, events) {
      journal.commit((change) => {
        for (const event of events) apply(epoch, event, change);
      });
    },
  };
}

type LaneEvent = Exclude<
  AgentEvent,
  { kind: "thread_status" | "thread_closed" | "thread_started" | "request_opened" | "request_resolved" }
>;

/** Not durable: a status is only good while this child lives. */
function status({ live }: World, event: Extract<AgentEvent, { kind: "thread_status" }>, now: number): void {
  if (event.status === "not_loaded") return live.drop(event.thread_id);
  const known = live.get(event.thread_id);
  live.set(event.thread_id, { status: event.status, at: now, heard: now, floor: known?.floor ?? null });
}

function itemCompleted({ store }: World, change: Change, lane: Lane, turnId: string, item: ItemFacts): void {
  const turn = store.turns.get(lane.ref, turnId);
  if (turn?.retrying_since) store.turns.put({ ...turn, retrying_since: null });
  if (item.type === "user_message" && item.client_id !== null) {
    const message = store.messages.get(item.client_id);
    if (message?.lane === lane.ref) delivered(store, change, message, turnId);
    else if (turn?.origin === "other") store.turns.put({ ...turn, origin: "queue" });
  }
  if (item.type === "agent_message") {
    store.lanes.set(lane.ref, { last_message: lastMessage(item, turnId, change.now) });
  }
  change.append({
    kind: "item.completed",
    lane: lane.ref,
    turn_id: turnId,
    receipt: item.type === "user_message" ? item.client_id : null,
    data: {
      item_id: item.id,
      type: item.type,
      preview: previewOf(item),
      status: item.status,
      exit_code: item.exit_code,
    },
  });
}

function previewOf(item: ItemFacts): string {
  return (item.command ?? item.path ?? item.text).slice(0, limits.previewCharsMax).toWellFormed();
}

/** The final answer, kept whole up to a limit so that `get` and `wait` need no read. */
export function lastMessage(item: ItemFacts, turnId: string, now: number): LastMessage {
  const bytes = Buffer.from(item.text);
  const isCut = bytes.length > limits.lastMessageBytesMax;
  return {
    text: isCut
      ? bytes
          .subarray(0, limits.lastMessageBytesMax)
          .toString()
          .replace(/\ufffd$/, "")
      : item.text,
    truncated: isCut,
    turn_id: turnId,
    at: item.at ?? now,
  };
}
