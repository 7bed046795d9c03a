/**
 * The simulator: the product's own core and registry over the model of Codex, with a clock and a scheduler that a
 * seed drives. Anything may happen between any two steps of anything: a send in any mode, a stop, a kill of Codex, a
 * death of the daemon, lost events and answers, another process that writes a thread, time. At the end all is brought
 * up and every promise is checked against the threads' own history.
 */

import type { Mode } from "../../src/contract/words.ts";
import { plain } from "../../src/core/delivery/accept.ts";
import type { EventRow } from "../../src/core/model/events.ts";
import type { MessageId, Ref } from "../../src/core/model/ports/rows.ts";
import type { Store } from "../../src/core/model/ports/store.ts";
import type { NewThread } from "../../src/core/threads/create.ts";
import { endOrphans } from "../../src/daemon/orphan.ts";
import { openStore } from "../../src/store/store.ts";
import { handClock } from "../support/codex-clock.ts";
import { quietLog } from "../support/codex-sink.ts";
import type { ModelAgent } from "../world/model.ts";
import { type TestWorld, testWorld } from "../world/world.ts";

export interface Tally {
  accepted: number;
  kills: number;
  restarts: number;
  /** Turns that another process wrote. */
  elsewhere: number;
  done: number;
  failed: number;
  cancelled: number;
  unsure: number;
}

/** mulberry32: small, seeded, good enough to choose. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

type ModelThread = ModelAgent["threads"] extends Map<string, infer T> ? T : never;
type Untaken = NonNullable<NonNullable<ModelThread["running"]>["untaken"]>;

interface Sim {
  random(): number;
  clock: ReturnType<typeof handClock>;
  store: Store;
  world: TestWorld;
  /** How many turns of ours may run at a time. */
  turnsMax: number | null;
  /** The first promise that was seen broken on the way. */
  broken?: string;
  /** Threads outlive daemons and children, as files do. */
  codex: ModelAgent["threads"];
  /** Other processes by the thread that each has open, with the text of ours that it may still write. */
  writers: Map<string, Untaken | null>;
  due: (() => void)[];
  tally: Tally;
  /** In the order they were accepted. */
  sent: { id: string; lane: Ref; mode: Mode }[];
  refs: Ref[];
  calls: Promise<unknown>[];
  trail: string[];
}

export async function simulate(seed: number, steps: number): Promise<Tally> {
  const sim = begin(seed);
  try {
    for (let at = 0; at < 2; at++) await create(sim, `lane ${at}`);
    for (let step = 0; step < steps; step++) await act(sim);
    await calmDown(sim);
    check(sim);
    if (sim.broken) throw new Error(sim.broken);
    return sim.tally;
  } catch (thrown) {
    const words = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    throw new Error(`seed ${seed}: ${words}\n${sim.trail.slice(-40).join("\n")}`);
  }
}

function begin(seed: number): Sim {
  const random = seeded(seed);
  const clock = handClock();
  const store = openStore(":memory:", clock.now());
  const due: (() => void)[] = [];
  const nothing = { done: 0, failed: 0, cancelled: 0, unsure: 0 };
  const sim: Omit<Sim, "world"> = {
    random,
    clock,
    store,
    // Every third one may run one turn at a time.
    turnsMax: seed % 3 === 0 ? 1 : null,
    codex: new Map(),
    writers: new Map(),
    due,
    tally: { accepted: 0, kills: 0, restarts: 0, elsewhere: 0, ...nothing },
    sent: [],
    refs: [],
    calls: [],
    trail: [],
  };
  const begun = Object.assign(sim, { world: worldOf(sim) });
  guard(begun);
  begun.world.engine.begin();
  begun.world.agent.up();
  return begun;
}

function worldOf(sim: Omit<Sim, "world">): TestWorld {
  const { clock, store, random, codex: threads, due } = sim;
  return testWorld({
    clock,
    store,
    random,
    threads,
    schedule: (fn) => void due.push(fn),
    // Whatever was asked before a call, another thread's step may come in between.
    pause: () => (random() < 0.3 ? Math.floor(random() * 6) : 0),
    policy: { maxRunningTurns: sim.turnsMax },
  });
}

/** What must never be, at the moment when the registry is told of it. */
function guard(sim: Sim): void {
  const { store } = sim;
  const { append } = store.events;
  store.events.append = (event, now) => {
    const seq = append(event, now);
    const { kind, lane, receipt } = event;
    const data = (event.data ?? {}) as Record<string, unknown>;
    const { live } = sim.world;
    if (kind === "message.queued" && Number(data["attempt"] ?? 0) > 0 && live.epoch() !== null) {
      const threadId = store.lanes.get(lane as Ref)?.thread_id ?? "";
      if (sim.writers.has(threadId))
        sim.broken ??= `${receipt} of ${lane} is to go again while another process has the thread open`;
    }
    const isStart = kind === "message.claimed" && data["mode"] !== "steer" && data["mode"] !== "context";
    const running = isStart && sim.turnsMax !== null ? store.messages.countBusy(live.epoch()) : 0;
    if (running > (sim.turnsMax ?? 0)) sim.broken ??= `${running} turns run at a time, with ${receipt}`;
    return seq;
  };
}

/** Lets what was started go on until it needs the scheduler. */
const breathe = () => new Promise<void>((resolve) => setImmediate(resolve));

async function turnTheCrank(sim: Sim): Promise<void> {
  sim.due.shift()?.();
  await breathe();
}

const signal = () => new AbortController().signal;

function newThread(name: string): NewThread {
  const settings = { cwd: "/repo", sandbox: "read-only" } as const;
  return { name, text: null, goal: null, settings, key: null, created_by: "sim" };
}

async function create(sim: Sim, name: string): Promise<void> {
  const { core } = sim.world.engine;
  const made = core.create(newThread(name), signal());
  let ref: Ref | undefined;
  void made.then((created) => {
    ref = created.ref;
  });
  for (let tries = 0; ref === undefined && tries < 200; tries++) await turnTheCrank(sim);
  if (ref === undefined) throw new Error("a thread was never created");
  sim.refs.push(ref);
}

type Action = (sim: Sim) => Promise<void> | void;

const actions: [weight: number, name: string, action: Action][] = [
  [60, "crank", turnTheCrank],
  [10, "time", (sim) => sim.clock.advance(Math.floor(sim.random() * 3000))],
  [2, "long time", (sim) => sim.clock.advance(20_000 + Math.floor(sim.random() * 70_000))],
  [10, "send", (sim) => send(sim, "send")],
  [12, "queue", (sim) => send(sim, "queue")],
  [5, "steer", (sim) => send(sim, "steer")],
  [4, "context", (sim) => send(sim, "context")],
  [3, "interject", (sim) => send(sim, "interject")],
  [3, "stop", stop],
  [2, "cancel", cancel],
  [4, "release", release],
  [4, "finish", (sim) => sim.world.agent.release("go")],
  [4, "kill Codex", kill],
  [3, "another process opens a thread", openElsewhere],
  [6, "another process writes, or closes it", goOnElsewhere],
  [2, "restart", restart],
  [1, "new", (sim) => make(sim, (core) => core.create(newThread(`new ${sim.clock.monotonic()}`), signal()))],
  [2, "fork", fork],
  [1, "a late answer", withhold],
  [1, "set the clock", (sim) => sim.clock.set((sim.random() < 0.5 ? -1 : 1) * 3_600_000)],
  [
    1,
    "a thread that ends Codex",
    (sim) => void sim.world.agent.deadly.add(threadOf(sim, pick(sim, sim.refs)).id),
  ],
  [2, "harmless again", (sim) => sim.world.agent.deadly.clear()],
  [
    1,
    "lose an answer",
    (sim) => sim.world.agent.loseNextAnswer(pick(sim, ["startTurn", "steerTurn", "injectText"] as const)),
  ],
  [
    1,
    "lose an event",
    (sim) =>
      sim.world.agent.swallow(pick(sim, ["item_completed", "turn_started", "turn_completed"] as const)),
  ],
  [
    1,
    "refuse",
    (sim) =>
      sim.world.agent.refuseNext(
        pick(sim, ["startTurn", "resumeThread"] as const),
        pick(sim, ["overloaded", "not_loaded", "active_writer"] as const),
      ),
  ],
];
const weights = actions.reduce((sum, [weight]) => sum + weight, 0);

async function act(sim: Sim): Promise<void> {
  if (sim.world.agent.status().state !== "running") sim.due.push(() => up(sim));
  let left = sim.random() * weights;
  for (const [weight, name, action] of actions) {
    left -= weight;
    if (left >= 0) continue;
    if (name !== "crank") sim.trail.push(`${name} at ${sim.clock.monotonic()}`);
    await action(sim);
    return breathe();
  }
}

function pick<T>(sim: Sim, from: readonly T[]): T {
  return from[Math.floor(sim.random() * from.length)]!;
}

const scripts = [
  '[{"wait":"go"},{"say":"released"}]',
  '[{"fail":"no luck"}]',
  '[{"refuse":"not this"}]',
  '[{"hook":"go"},{"say":"after a slow hook"}]',
  '[{"die":true}]',
  '[{"limit":60000}]',
  "plain",
  "plain",
  "plain",
  "plain",
];

function send(sim: Sim, mode: Mode): void {
  const lane = pick(sim, sim.refs);
  const { core } = sim.world.engine;
  const or_queue = mode === "steer" && sim.random() < 0.5;
  const before = new Set(sim.store.messages.list({ limit: 10 }).map((message) => message.id));
  const draft = { ...plain, mode, or_queue, text: pick(sim, scripts), key: null };
  // Refusals store nothing; what is stored is found in the registry, whatever becomes of the call.
  const call = core
    .send(lane, draft, new AbortController().signal)
    .catch((thrown: unknown) =>
      sim.trail.push(`  refused: ${thrown instanceof Error ? thrown.message : thrown}`),
    );
  sim.calls.push(call);
  note(sim, before);
}

/** Every accepted message, once, in the order the registry took it. */
function note(sim: Sim, before: Set<MessageId>): void {
  // One send stores one message, and what it kicks stores none before it answers.
  for (const { id, lane, mode } of sim.store.messages.list({ limit: 5 }).reverse()) {
    if (!before.has(id)) sim.sent.push({ id, lane, mode });
  }
}

function stop(sim: Sim): void {
  sim.calls.push(sim.world.engine.core.stop(pick(sim, sim.refs), 1000).catch(() => {}));
}

function cancel(sim: Sim): void {
  const [message] = sim.store.messages.listQueued(pick(sim, sim.refs), { after: null, limit: 1 });
  if (message) sim.world.engine.core.cancel(message.id);
}

function release(sim: Sim): void {
  const ref = pick(sim, sim.refs);
  if (sim.store.lanes.find(ref)?.hold_reason !== "unsure") sim.world.engine.core.release(ref);
}

/** Whatever becomes of the call, what it makes is found in the registry. */
function make(sim: Sim, call: (core: TestWorld["engine"]["core"]) => Promise<unknown>): void {
  sim.calls.push(call(sim.world.engine.core).catch(() => {}));
}

function fork(sim: Sim): void {
  const more = { last_turn: null, flags: {}, requests: null, key: null, created_by: "sim" };
  const name = `fork ${sim.clock.monotonic()}`;
  make(sim, (core) => core.fork(pick(sim, sim.refs), { ...more, name }));
}

/** It comes in its time, or never, where Codex or the daemon is killed before. */
function withhold(sim: Sim): void {
  const verb = pick(sim, ["startThread", "forkThread", "resumeThread", "nameThread"] as const);
  const { agent } = sim.world;
  sim.clock.after(sim.random() * 120_000, agent.withhold(verb, 1));
}

/** A thread that our child has loaded is locked for others. */
function openElsewhere(sim: Sim): void {
  const thread = threadOf(sim, pick(sim, sim.refs));
  if (thread.isLoaded || !thread.isDurable) return;
  holdElsewhere(sim, thread, null);
}

function holdElsewhere({ writers }: Sim, thread: ModelThread, untaken: Untaken | null): void {
  thread.isHeldElsewhere = true;
  writers.set(thread.id, untaken);
}

/** A turn of its own; or the text that our child had given it, where what has it open is what that child left. */
function goOnElsewhere(sim: Sim): void {
  const [id] = [...sim.writers.keys()];
  if (id === undefined) return;
  if (sim.random() < 0.3) {
    closeElsewhere(sim, id);
    return;
  }
  sim.tally.elsewhere++;
  const untaken = sim.writers.get(id) ?? null;
  sim.writers.set(id, null);
  sim.world.agent.writeElsewhere(id, untaken?.text ?? "theirs", untaken?.clientId ?? null);
}

function closeElsewhere(sim: Sim, id: string): void {
  sim.writers.delete(id);
  const thread = sim.codex.get(id);
  if (thread) thread.isHeldElsewhere = false;
}

function kill(sim: Sim): void {
  sim.tally.kills++;
  const { agent } = sim.world;
  const left = [...sim.codex.values()].flatMap((thread) => {
    const untaken = thread.isDurable ? thread.running?.untaken : null;
    return untaken && sim.random() < 0.5 ? [{ thread, untaken }] : [];
  });
  agent.kill();
  // A process of it lives on, with what it was given.
  for (const { thread, untaken } of left) holdElsewhere(sim, thread, untaken);
  // A supervisor starts another after a while.
  sim.due.push(() => up(sim));
}

function up(sim: Sim): void {
  if (sim.world.agent.status().state !== "running") sim.world.agent.up();
}

/** kill -9 of the daemon: its memory is gone, its child dies with its stdin, the registry and the threads stay. */
async function restart(sim: Sim): Promise<void> {
  sim.tally.restarts++;
  sim.world.abandon();
  sim.due.length = 0;
  sim.world = worldOf(sim);
  await endOrphans(sim.store.epochs.unended(), sim.world.engine.sink.onExit, sim.clock, quietLog);
  sim.world.engine.begin();
  sim.due.push(() => up(sim));
}

/** No more harm: everything is up, released and given time, until nothing moves. */
async function calmDown(sim: Sim): Promise<void> {
  // A text that ends Codex takes all of its attempts, some seconds each.
  for (let round = 0; round < 1200; round++) {
    up(sim);
    sim.world.agent.deadly.clear();
    sim.world.agent.release("go");
    for (const id of sim.writers.keys()) closeElsewhere(sim, id);
    for (const ref of lanesOf(sim)) {
      const reason = sim.store.lanes.find(ref)?.hold_reason;
      if (reason && reason !== "unsure") sim.world.engine.core.release(ref);
    }
    while (sim.due.length > 0) await turnTheCrank(sim);
    await sim.clock.advance(7000);
    const moving = sim.store.messages.list({ states: ["claimed", "sent", "delivered"], limit: 10 });
    const waiting = sim.refs.filter((ref) => {
      const lane = sim.store.lanes.get(ref);
      return lane.pending > 0 && lane.hold_reason !== "unsure";
    });
    const isAtRest = sim.due.length === 0 && moving.length === 0 && waiting.length === 0;
    if (isAtRest && lanesOf(sim).every((ref) => sim.store.lanes.get(ref)!.setup === "ready")) return;
  }
  const stuck = sim.store.messages.list({ states: ["queued", "claimed", "sent", "delivered"], limit: 10 });
  throw new Error(
    `never came to rest: ${JSON.stringify(stuck.map(({ id, mode, state, lane, target_turn_id }) => ({ id, mode, state, lane, target_turn_id })))} ${JSON.stringify(sim.refs.map((ref) => sim.store.lanes.find(ref)))}`,
  );
}

/** Every promise, against the threads' own history. */
function check(sim: Sim): void {
  const { store, tally } = sim;
  const all = store.messages.list({ limit: 100_000 });
  tally.accepted = all.length;
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
  for (const ref of sim.refs) {
    const { settings } = sim.world.agent.threads.get(store.lanes.get(ref).thread_id!)!;
    if (settings.sandbox !== "read-only") throw new Error(`${ref} was raised to ${settings.sandbox}`);
  }
}

function lanesOf({ world }: Sim): Ref[] {
  return world.engine.core.list({ archived: false, limit: 1000 }).map(({ ref }) => ref as Ref);
}

function threadOf(sim: Sim, ref: Ref) {
  const thread = sim.world.agent.threads.get(sim.store.lanes.get(ref).thread_id ?? "");
  if (!thread) throw new Error(`the thread of ${ref} is gone`);
  return thread;
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
