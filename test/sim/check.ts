/** Every promise of delivery, against the threads' own history and the log. */
import type { EventRow } from "../../src/core/model/events.ts";
import type { Ref } from "../../src/core/model/ports/rows.ts";
import { counted } from "./budget.ts";
import { promises } from "./promises.ts";
import { relayed } from "./relay.ts";
import { type Sim, threadOf } from "./state.ts";

export function check(sim: Sim): void {
  const { store, tally } = sim;
  const all = store.messages.list({ limit: 100_000 });
  tally.accepted = all.length;
  tally.relayed = (sim.peer?.sent.length ?? 0) + store.relay.listRelayed({ limit: 100_000 }).length;
  for (const message of all) {
    const times = occurrences(sim, message.id);
    const says = `${message.mode} ${message.id} is ${message.state}/${message.outcome} and stands ${times} times in history`;
    if (times > 1) throw new Error(`doubled: ${says}`);
    if (message.state === "done" && times !== 1) throw new Error(`lost: ${says}`);
    if ((message.state === "failed" || message.state === "cancelled") && times !== 0)
      throw new Error(`a lie: ${says}`);
    if (message.state === "done") tally.done++;
    else if (message.state === "failed") tally.failed++;
    else if (message.state === "cancelled") tally.cancelled++;
    else if (message.state === "unsure") tally.unsure++;
    else if (store.lanes.find(message.lane)?.hold_reason !== "unsure") throw new Error(`unsettled: ${says}`);
  }
  for (const ref of sim.refs) inOrder(sim, ref);
  for (const [id, thread] of sim.world.agent.threads)
    if (thread.isDurable && !store.lanes.findByThread(id))
      throw new Error(`no row knows the thread ${id} (${thread.name}, ${thread.mark})`);
  const events = store.events.list({ after: 0, limit: 1_000_000 });
  gapless(events);
  once(events);
  limited(events);
  promises(sim, events);
  counted(sim);
  relayed(sim);
  for (const ref of sim.refs) {
    const { settings } = sim.world.agent.threads.get(store.lanes.get(ref).thread_id!)!;
    if (settings.sandbox !== "read-only") throw new Error(`${ref} was raised to ${settings.sandbox}`);
  }
}

function occurrences(sim: Sim, id: string): number {
  let times = 0;
  for (const thread of sim.world.agent.threads.values()) {
    // A fork has the history of its source.
    if (thread.mark !== null) continue;
    times += thread.injected.filter((item) => item === id).length;
    for (const turn of thread.turns) times += turn.items.filter((item) => item.client_id === id).length;
  }
  return times;
}

/** Queued messages are first in, first out: the order of acceptance is the order in history. */
function inOrder(sim: Sim, ref: Ref): void {
  const queued = new Map(
    sim.sent.filter((one) => one.lane === ref && one.mode === "queue").map((one, at) => [one.id, at]),
  );
  let last = -1;
  for (const turn of threadOf(sim, ref).turns) {
    for (const item of turn.items) {
      const at = item.client_id === null ? undefined : queued.get(item.client_id);
      if (at === undefined) continue;
      if (at < last) throw new Error(`out of order: ${item.client_id} of ${ref}`);
      last = at;
    }
  }
}

/** No turn of ours starts from the moment that a usage limit is known until it ends. */
function limited(events: readonly EventRow[]): void {
  let isLimited = false;
  for (const { seq, kind, data } of events) {
    if (kind === "limit.reached" || kind === "limit.ended") isLimited = kind === "limit.reached";
    const starts = kind === "message.claimed" && data["mode"] !== "steer" && data["mode"] !== "context";
    if (starts && isLimited) throw new Error(`event ${seq} starts a turn of a limited account`);
  }
}

/** A turn ends once, and a message is delivered and done once. */
function once(events: readonly EventRow[]): void {
  const seen = new Set<string>();
  for (const { kind, lane, turn_id, receipt } of events) {
    const isEnd = kind === "turn.completed" || kind === "turn.failed" || kind === "turn.interrupted";
    if (!isEnd && kind !== "message.delivered" && kind !== "message.done") continue;
    const what = isEnd ? `turn ${turn_id} of ${lane} ended` : `${kind} of ${receipt}`;
    if (seen.has(what)) throw new Error(`twice: ${what}`);
    seen.add(what);
  }
}

function gapless(events: readonly EventRow[]): void {
  for (const [at, row] of events.entries()) {
    if (row.seq !== at + 1) throw new Error(`the log has a hole before ${row.seq}`);
  }
}
