/**
 * What daemons committed, in order, and the promises that each commit keeps: a firing and its effect are one
 * transaction, a moment fires once, and the guards hold.
 */
import { limits } from "../../src/base/limits.ts";
import { byWords } from "../../src/core/automation/effect.ts";
import type { Automation, Firing, InboxMessage } from "../../src/core/model/ports/automation.ts";
import type { Lane, Message } from "../../src/core/model/ports/rows.ts";
import { guarded } from "./guards.ts";
import type { Sim } from "./state.ts";

export interface Fired extends Firing {
  /** The last event before it was committed. */
  last: number;
}

/** A trigger or a subscription that a step added. */
export interface Known {
  /** When it was active last from: the wall clock, the log, and how many firings there were. */
  from: number;
  since: number;
  firings: number;
  setBacks: number;
  /** Each `since`, the first one first. */
  sinces: number[];
}

export interface Ledger {
  /** No more harm is done. */
  isCalm: boolean;
  /** Of a program and the seq of an event. */
  tries: Map<string, number>;
  taken: Set<string>;
  known: Map<string, Known>;
  firings: Fired[];
  /** Of automations: what was last fired by each, and what must be unique. */
  lastFired: Map<string, Fired>;
  slots: Set<string>;
  /** Threads that triggers made, and those of them that a firing has. */
  made: Set<string>;
  madeBy: Set<string>;
  posted: number;
  added: number;
  /** How often the wall clock was set back, and at all. */
  setBacks: number;
  sets: number;
}

export function ledger(): Ledger {
  return {
    isCalm: false,
    tries: new Map(),
    taken: new Set(),
    known: new Map(),
    firings: [],
    lastFired: new Map(),
    slots: new Set(),
    made: new Set(),
    madeBy: new Set(),
    posted: 0,
    added: 0,
    setBacks: 0,
    sets: 0,
  };
}

interface Commit {
  firings: Firing[];
  messages: Message[];
  inbox: InboxMessage[];
  /** Automations that were added, or are active again. */
  started: string[];
  lanes: Lane[];
  /** Firings that Codex was asked for. */
  settled: Pick<Firing, "outcome" | "reason" | "lane">[];
}

/** From now on every commit is checked, and kept in the ledger. One that is rolled back leaves nothing. */
export function recordInto(sim: Sim): void {
  const { store } = sim;
  const { tx } = store;
  let open: Commit | null = null;
  store.tx = (fn, how) => {
    if (open) return tx(fn, how);
    const commit: Commit = { firings: [], messages: [], inbox: [], started: [], lanes: [], settled: [] };
    open = commit;
    let result: ReturnType<typeof fn>;
    try {
      result = tx(fn, how);
    } finally {
      open = null;
    }
    try {
      committed(sim, commit);
    } catch (thrown) {
      sim.broken ??= String(thrown);
    }
    return result;
  };
  const { add: addAutomation, set } = store.automations;
  store.automations.add = (row, watched) => {
    addAutomation(row, watched);
    open?.started.push(row.id);
  };
  store.automations.set = (id, change) => {
    set(id, change);
    if (change.state === "active") open?.started.push(id);
  };
  const { fire, settle } = store.automations;
  store.automations.fire = (firing, work) => {
    fire(firing, work);
    open?.firings.push(firing);
  };
  store.automations.settle = (id, change) => {
    const isFirst = settle(id, change);
    if (isFirst) open?.settled.push(change);
    return isFirst;
  };
  const { add } = store.messages;
  store.messages.add = (message) => {
    add(message);
    open?.messages.push(message);
  };
  const { add: post } = store.inbox;
  store.inbox.add = (message) => {
    post(message);
    open?.inbox.push(message);
  };
  const { add: addLane } = store.lanes;
  store.lanes.add = (lane) => {
    addLane(lane);
    open?.lanes.push(lane);
  };
}

function committed(sim: Sim, { firings, messages, inbox, lanes, settled, started }: Commit): void {
  for (const { id, lane, mode } of messages) sim.sent.push({ id, lane, mode });
  sim.ledger.posted += inbox.length;
  for (const id of started) noteStart(sim, id);
  for (const { ref, created_by } of lanes) if (isAutomatic(created_by)) sim.ledger.made.add(ref);
  for (const { outcome, lane } of settled) {
    if (outcome !== "fired") sim.tally.refusals++;
    else sim.tally.firings++;
    // A stop has the thread that it stops.
    if (outcome === "fired" && lane !== null && sim.ledger.made.has(lane) && !sim.refs.includes(lane)) {
      if (sim.ledger.madeBy.has(lane)) throw new Error(`two firings made ${lane}`);
      sim.ledger.madeBy.add(lane);
    }
  }
  const effects = new Set<string>();
  for (const firing of firings) {
    const automation = sim.store.automations.find(firing.automation);
    if (!automation) throw new Error(`a firing of nothing: ${JSON.stringify(firing)}`);
    unique(sim, automation, firing);
    if (firing.outcome === "fired" || firing.outcome === "open") {
      effects.add(effectOf(automation, firing, messages, inbox));
      guarded(sim, automation, firing, new Set(messages.map(({ id }) => id)));
    }
    const kept = { ...firing, last: sim.store.log.last() };
    sim.ledger.firings.push(kept);
    if (firing.outcome === "fired" || firing.outcome === "open")
      sim.ledger.lastFired.set(automation.id, kept);
    if (firing.outcome === "fired") sim.tally.firings++;
    else if (firing.outcome !== "open") sim.tally.refusals++;
  }
  for (const message of messages) {
    const isMade = lanes.some(({ ref }) => ref === message.lane);
    if (isAutomatic(message.caller) && !isMade && !effects.has(message.id))
      throw new Error(`${message.id} of ${message.caller} without a firing`);
    if (message.depth > limits.automation.depthMax)
      throw new Error(`${message.id} is ${message.depth} hops deep`);
    const cause = message.cause_id === null ? undefined : sim.store.messages.find(message.cause_id);
    if (cause && message.depth !== cause.depth + 1)
      throw new Error(`${message.id} is ${message.depth} deep, and its cause is ${cause.depth}`);
  }
  for (const { id, sender } of inbox)
    if (isAutomatic(sender) && !effects.has(id)) throw new Error(`${id} of ${sender} without a firing`);
}

function noteStart({ ledger, clock, store }: Sim, id: string): void {
  const since = store.automations.find(id)!.since;
  const sinces = [...(ledger.known.get(id)?.sinces ?? []), since];
  const { setBacks, firings } = ledger;
  ledger.known.set(id, { from: clock.now(), since, sinces, setBacks, firings: firings.length });
}

function isAutomatic(caller: string | null): boolean {
  return caller !== null && /^(trigger|subscription) /.test(caller);
}

/** The id of what it did. Nothing is known of one that Codex is asked for. */
function effectOf(
  automation: Automation,
  firing: Firing,
  messages: readonly Message[],
  inbox: readonly InboxMessage[],
): string {
  const { action } = automation;
  const words = `${firing.slot} of ${byWords(automation)}`;
  if (action.kind === "stop" || action.kind === "new") return "";
  if (action.kind === "wake" && (action.deliver === "inbox" || automation.lane === null)) {
    const mine = inbox.filter(({ sender }) => sender === byWords(automation));
    if (mine.length !== 1) throw new Error(`${mine.length} messages in the inbox for ${words}`);
    return mine[0]!.id;
  }
  const mine = messages.filter(({ caller }) => caller === byWords(automation));
  if (mine.length !== 1 || mine[0]!.id !== firing.receipt)
    throw new Error(`${mine.length} messages for ${words}, whose receipt is ${firing.receipt}`);
  return mine[0]!.id;
}

/** One firing for a moment, and for an event. The moments of an interval come again where a clock is set back. */
function unique({ ledger }: Sim, { id, when }: Automation, { slot, seq }: Firing): void {
  const moment = when.kind === "interval" ? `${slot.split(" ")[0]}, set ${ledger.setBacks}` : slot;
  for (const key of seq === null ? [moment] : [moment, seq]) {
    const what = `${key} of ${id}`;
    if (ledger.slots.has(what)) throw new Error(`twice: ${what} (${slot})`);
    ledger.slots.add(what);
  }
}
