/** The steps of a run, and how often each is taken. */
import type { Mode } from "../../src/contract/words.ts";
import { plain } from "../../src/core/delivery/accept.ts";
import type { TestWorld } from "../world/world.ts";
import { addTrigger, answer, configure, inbox, pause, remove, resume, subscribe } from "./automation.ts";
import { isLimited } from "./budget.ts";
import { harms } from "./relay.ts";
import {
  breathe,
  Killed,
  type ModelThread,
  newThread,
  pick,
  type Sim,
  signal,
  threadOf,
  turnTheCrank,
  type Untaken,
  up,
} from "./state.ts";
import { restart } from "./world.ts";

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
  [3, "kill the daemon at a commit", killAtCommit],
  [5, "add a trigger", addTrigger],
  [4, "subscribe", subscribe],
  [2, "pause", pause],
  [3, "resume", resume],
  [1, "remove", remove],
  [1, "inbox", inbox],
  [1, "configure a notification", configure],
  [3, "answer a request", answer],
  [1, "new", (sim) => make(sim, (core) => core.create(newThread(`new ${sim.clock.monotonic()}`), signal()))],
  [2, "fork", fork],
  [1, "a late answer", withhold],
  [1, "set the clock", setClock],
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
const withRelay = [...actions, ...harms];
const weightOf = (all: typeof actions) => all.reduce((sum, [weight]) => sum + weight, 0);
const weights = { alone: weightOf(actions), withRelay: weightOf(withRelay) };

export async function act(sim: Sim): Promise<void> {
  if (sim.world.agent.status().state !== "running") sim.due.push(() => up(sim));
  let left = sim.random() * weights[sim.peer ? "withRelay" : "alone"];
  const [, name, action] = (sim.peer ? withRelay : actions).find(([weight]) => {
    left -= weight;
    return left < 0;
  })!;
  if (name !== "crank" && name !== "the stream moves") sim.trail.push(`${name} at ${sim.clock.monotonic()}`);
  await untilKilled(sim, () => action(sim));
}

/** Where the daemon is killed on the way, another one starts. */
export async function untilKilled(sim: Sim, step: () => Promise<void> | void): Promise<void> {
  try {
    await step();
  } catch (thrown) {
    if (!(thrown instanceof Killed)) throw thrown;
  }
  await breathe();
  if (!sim.isDead) return;
  sim.trail.push("  the daemon is killed");
  await restart(sim);
  await breathe();
}

function killAtCommit(sim: Sim): void {
  sim.diesIn = 1 + Math.floor(sim.random() * 12);
  sim.diesBefore = sim.random() < 0.3;
}

function setClock(sim: Sim): void {
  const ms = (sim.random() < 0.5 ? -1 : 1) * 3_600_000;
  sim.clock.set(ms);
  sim.ledger.sets++;
  if (ms < 0) sim.ledger.setBacks++;
}

const scripts = [
  '[{"wait":"go"},{"say":"released"}]',
  '[{"fail":"no luck"}]',
  '[{"refuse":"not this"}]',
  '[{"hook":"go"},{"say":"after a slow hook"}]',
  '[{"die":true}]',
  '[{"limit":60000}]',
  '[{"ask":"touch x"},{"say":"asked"}]',
  "plain",
  "plain",
  "plain",
  "plain",
];

const spending = [
  ...scripts,
  '[{"usage":{"input":900,"output":100}},{"say":"cheap"}]',
  '[{"usage":{"input":900,"output":100}},{"wait":"go"},{"usage":{"input":3000,"output":20}},{"say":"dear"}]',
  '[{"usage":{"input":10,"output":1}},{"window":95},{"say":"used"}]',
  '[{"usage":{"input":10,"output":1}},{"window":40},{"say":"free"}]',
];

function send(sim: Sim, mode: Mode): void {
  const lane = pick(sim, sim.refs);
  const { core } = sim.world.engine;
  const or_queue = mode === "steer" && sim.random() < 0.5;
  const draft = { ...plain, mode, or_queue, text: pick(sim, isLimited(sim) ? spending : scripts), key: null };
  // Refusals store nothing; what is stored is found in the ledger, whatever becomes of the call.
  const call = core
    .send(lane, draft, signal())
    .catch((thrown: unknown) =>
      sim.trail.push(`  refused: ${thrown instanceof Error ? thrown.message : thrown}`),
    );
  sim.calls.push(call);
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

export function closeElsewhere(sim: Sim, id: string): void {
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
