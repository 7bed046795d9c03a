/** What acts by itself, at the end of a run: nothing that was to wake is lost, and nothing woke without a reason. */
import { limits } from "../../src/base/limits.ts";
import { kindsOf } from "../../src/contract/events.ts";
import type { Condition } from "../../src/contract/words.ts";
import { holdsNow } from "../../src/core/events/wait.ts";
import type { EventRow } from "../../src/core/model/events.ts";
import type { Automation } from "../../src/core/model/ports/automation.ts";
import type { Ref } from "../../src/core/model/ports/rows.ts";
import { allOf } from "./automation.ts";
import type { Known } from "./ledger.ts";
import type { Sim } from "./state.ts";

const ends = ["turn.completed", "turn.failed", "turn.interrupted"];

export function promises(sim: Sim, events: readonly EventRow[]): void {
  for (const one of allOf(sim)) {
    const known = sim.ledger.known.get(one.id)!;
    if (one.when.kind === "event") ofEvents(sim, one, known, one.when.kinds, events);
    if (one.when.kind === "condition") ofConditions(sim, one, known, events);
    if (one.when.kind === "idle_for") onceEachIdle(sim, one, events);
  }
  const stuck = sim.store.messages
    .list({ limit: 100_000 })
    .filter(({ depth }) => depth > limits.automation.depthMax);
  if (stuck.length > 0) throw new Error(`${stuck[0]!.id} is too deep`);
  for (const ref of sim.ledger.made) {
    const lane = sim.store.lanes.find(ref as Ref);
    const isKnown = allOf(sim).some(({ name, id }) => lane?.created_by === `trigger ${name ?? id}`);
    if (lane && isKnown && !sim.ledger.madeBy.has(ref)) throw new Error(`no firing made ${ref}`);
  }
  told(sim, events);
  const kept = sim.store.inbox.list({ states: ["pending", "acked"], limit: 100_000 }).length;
  if (kept !== sim.ledger.posted) throw new Error(`${sim.ledger.posted} were posted, and ${kept} are kept`);
}

function watchedBy(sim: Sim, id: string): Ref[] {
  return sim.store.automations.watched(id).map(({ lane }) => lane as Ref);
}

function rowsOf(sim: Sim, id: string) {
  return sim.ledger.firings.filter(({ automation }) => automation === id);
}

/** Each event since it is active has one row; each row has an event that it was to look at. */
function ofEvents(
  sim: Sim,
  one: Automation,
  known: Known,
  kinds: readonly string[],
  events: readonly EventRow[],
): void {
  const watched = new Set<string>(watchedBy(sim, one.id));
  const wanted = events.filter(
    ({ kind, lane, data }) =>
      kinds.includes(kind) && lane !== null && watched.has(lane) && data["trigger"] !== one.id,
  );
  const rows = new Set(rowsOf(sim, one.id).map(({ seq }) => seq));
  if (one.state === "active")
    for (const { seq, kind } of wanted)
      if (seq > known.since && !rows.has(seq)) throw new Error(`${one.id} never looked at ${kind} ${seq}`);
  const all = new Set(wanted.map(({ seq }) => seq));
  for (const seq of rows)
    if (seq === null || !all.has(seq) || seq <= known.sinces[0]!)
      throw new Error(`${one.id} fired for ${seq}, which is none of its events`);
}

function ofConditions(sim: Sim, one: Automation, known: Known, events: readonly EventRow[]): void {
  if (one.when.kind !== "condition") return;
  const { conditions, all } = one.when;
  const watched = watchedBy(sim, one.id);
  const rows = rowsOf(sim, one.id);
  const states = conditions.filter((kind) => kind !== "failed" && kind !== "waiting");
  const words = () => `${JSON.stringify(one)} ${JSON.stringify(rows.map(({ slot }) => slot))}`;
  // Of a trigger only what comes to hold counts, of a subscription what holds as well.
  const holding = watched.filter((ref) =>
    states.some((state) => holdsNow(sim.world, state as Condition, sim.store.lanes.getFacts(ref))),
  );
  const isHeld = all ? holding.length === watched.length : holding.length > 0;
  const isNew = rows.every(({ outcome }) => outcome !== "fired");
  if (one.face === "subscription" && one.state === "active" && isHeld && isNew)
    throw new Error(`never woken: ${words()}`);
  const isOfOccurrences = conditions.every((kind) => kind === "failed");
  for (const ref of watched) {
    const mine = events.filter(({ lane }) => lane === ref);
    const starts = mine.filter(({ kind }) => kind === "turn.started");
    if (isOfOccurrences) {
      const failed = mine.filter(({ kind, seq }) => kind === "turn.failed" && seq > known.since);
      if (one.state === "active" && !all)
        for (const { seq } of failed)
          if (!rows.some((row) => row.seq === seq)) throw new Error(`no wake for ${seq}: ${words()}`);
      continue;
    }
    // Between two wakes of one thread it ran, or for some conditions something else came to hold.
    if (conditions.some((kind) => kind !== "done" && kind !== "idle")) continue;
    if (!all && watched.length > 1) continue;
    for (const [at, row] of rows.entries()) {
      const before = rows[at - 1];
      if (before && !starts.some(({ seq }) => seq > (before.seq ?? 0) && seq < (row.seq ?? row.last)))
        throw new Error(`twice without a turn of ${ref} between: ${before.slot} and ${row.slot}: ${words()}`);
    }
    const lastEnd = mine.findLast(({ kind, seq }) => ends.includes(kind) && seq > known.since);
    if (!all && one.state === "active" && lastEnd && holding.includes(ref))
      if (!rows.some(({ last }) => last >= lastEnd.seq))
        throw new Error(`no wake since the turn that ended with ${lastEnd.seq}: ${words()}`);
  }
}

/** Once for each time that the thread idles. */
function onceEachIdle(sim: Sim, one: Automation, events: readonly EventRow[]): void {
  const [watched] = watchedBy(sim, one.id);
  const rows = rowsOf(sim, one.id);
  for (const [at, { last, slot }] of rows.entries()) {
    const before = rows[at - 1];
    if (!before) continue;
    const hasEnded = events.some(
      ({ seq, kind, lane }) => lane === watched && ends.includes(kind) && seq > before.last && seq <= last,
    );
    if (!hasEnded) throw new Error(`${one.id} fires twice while ${watched} idles: ${before.slot}, ${slot}`);
  }
}

/** After enough time: what idles has been noticed since its last turn. */
export function idled(sim: Sim, id: string): void {
  const one = sim.store.automations.find(id);
  if (one?.state !== "active" || one.when.kind !== "idle_for") return;
  const [watched] = watchedBy(sim, id);
  const latest = sim.store.turns.latest(watched!);
  if (latest?.status === "in_progress" || one.due_at !== null) return;
  const end = sim.store.events.newest({ lanes: [watched!], kinds: ends, limit: 1 })[0]?.seq ?? 0;
  if (!rowsOf(sim, id).some(({ last }) => last >= end))
    throw new Error(
      `${id} never noticed that ${watched} idles: ${JSON.stringify(one)} ${JSON.stringify(latest)}`,
    );
}

/** Every event that a block of the configuration names was taken by its program, or given up. */
function told(sim: Sim, events: readonly EventRow[]): void {
  const { store, ledger } = sim;
  if (store.outbox.firsts().length > 0) throw new Error("the outbox is not empty");
  for (const { when, action, since, id } of store.automations.list({ face: "notification", limit: 100 })) {
    if (action.kind !== "exec") throw new Error(`${id} runs no program`);
    const [program] = action.exec;
    const isOccurrence = when.kind === "condition" && when.conditions.includes("failed");
    const kinds: readonly string[] =
      when.kind === "event"
        ? kindsOf(when.kinds as Parameters<typeof kindsOf>[0])
        : isOccurrence
          ? ["turn.failed"]
          : [];
    for (const { seq, kind } of events)
      if (seq > since && kinds.includes(kind) && !ledger.taken.has(`${program} ${seq}`))
        throw new Error(`${program} was never told of ${kind} ${seq}`);
  }
  const known = new Set(events.map(({ seq }) => seq));
  for (const key of ledger.tries.keys())
    if (!known.has(Number(key.split(" ")[1]))) throw new Error(`${key} is no event`);
}
