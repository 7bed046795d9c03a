/** The daemons of a run: one after the other over one registry, each of which may be killed at any commit. */
import type { Ref } from "../../src/core/model/ports/rows.ts";
import type { Store } from "../../src/core/model/ports/store.ts";
import { endOrphans } from "../../src/daemon/orphan.ts";
import { handClock } from "../support/codex-clock.ts";
import { quietLog } from "../support/codex-sink.ts";
import { memoryStore } from "../support/memorystore.ts";
import { seeded } from "../support/seeded.ts";
import { type TestWorld, testWorld } from "../world/world.ts";
import { budgetsOf, overBudget } from "./budget.ts";
import { ledger, recordInto } from "./ledger.ts";
import { program } from "./program.ts";
import { Killed, noTally, type Sim, up } from "./state.ts";

export function begin(seed: number): Sim {
  const clock = handClock();
  const sim: Omit<Sim, "world"> = {
    random: seeded(seed),
    clock,
    store: memoryStore(),
    isDead: false,
    diesIn: 0,
    diesBefore: false,
    // Every third one may run one turn at a time.
    turnsMax: seed % 3 === 0 ? 1 : null,
    budgets: budgetsOf(seed),
    attemptsMax: seed % 20 === 0 ? Number.POSITIVE_INFINITY : 4,
    deadly: new Set(),
    notify: [],
    codex: new Map(),
    writers: new Map(),
    due: [],
    tally: { ...noTally },
    sent: [],
    refs: [],
    calls: [],
    trail: [],
    ledger: ledger(),
  };
  // The first world is made of it, and from then on it has one.
  const begun = sim as Sim;
  // Every registry draws its own; the end of a usage limit follows from it.
  begun.store.log.id = () => `seed-${seed}`;
  recordInto(begun);
  guard(begun);
  begun.world = worldOf(begun);
  begun.world.engine.begin();
  begun.world.agent.up();
  return begun;
}

function worldOf(sim: Sim): TestWorld {
  const { clock, store, random, codex: threads, due } = sim;
  const life = { isOver: false };
  const world = testWorld({
    clock,
    store: mortal(sim, store, life, () => world.abandon()),
    random,
    threads,
    schedule: (fn) => void due.push(fn),
    // Whatever was asked before a call, another thread's step may come in between.
    pause: () => (random() < 0.3 ? Math.floor(random() * 6) : 0),
    policy: {
      maxRunningTurns: sim.turnsMax,
      get budgets() {
        return sim.budgets;
      },
      get notify() {
        return sim.notify;
      },
    },
    runProgram: program(sim),
  });
  return {
    ...world,
    abandon() {
      life.isOver = true;
      world.abandon();
    },
  };
}

/** The registry of one daemon. Where it is killed at a commit, the commit is made or not, and nothing of it runs on. */
function mortal(sim: Sim, store: Store, life: { isOver: boolean }, abandon: () => void): Store {
  let depth = 0;
  function die(): never {
    life.isOver = true;
    sim.isDead = true;
    abandon();
    throw new Killed("killed");
  }
  return {
    ...store,
    tx(fn, how) {
      if (depth > 0) return store.tx(fn, how);
      if (life.isOver) throw new Killed("killed");
      const isLast = sim.diesIn > 0 && --sim.diesIn === 0;
      if (isLast && sim.diesBefore) die();
      depth++;
      try {
        return store.tx(fn, how);
      } finally {
        depth--;
        if (isLast) die();
      }
    },
  };
}

/** What must never be, at the moment when the registry is told of it. */
function guard(sim: Sim): void {
  const { store } = sim;
  const { append } = store.events;
  store.events.append = (event, now) => {
    const seq = append(event, now);
    const { kind, lane, receipt } = event;
    const data = (event.data ?? {}) as Record<string, unknown>;
    const live = sim.world?.live;
    if (kind === "message.queued" && Number(data["attempt"] ?? 0) > 0 && live.epoch() !== null) {
      const threadId = store.lanes.get(lane as Ref)?.thread_id ?? "";
      if (sim.writers.has(threadId))
        sim.broken ??= `${receipt} of ${lane} is to go again while another process has the thread open`;
    }
    if (kind === "message.queued" && Number(data["attempt"] ?? 0) >= sim.attemptsMax)
      sim.deadly.add(receipt!);
    const isStart = kind === "message.claimed" && data["mode"] !== "steer" && data["mode"] !== "context";
    const running = isStart && sim.turnsMax !== null ? store.messages.countBusy(live.epoch()) : 0;
    if (running > (sim.turnsMax ?? 0)) sim.broken ??= `${running} turns run at a time, with ${receipt}`;
    const over = isStart ? overBudget(sim, lane as Ref) : null;
    if (over !== null) sim.broken ??= `${receipt} starts a turn over ${over}`;
    if (kind === "limit.full") sim.tally.limits++;
    return seq;
  };
}

/** kill -9 of the daemon: its memory is gone, its child dies with its stdin, the registry and the threads stay. */
export async function restart(sim: Sim): Promise<void> {
  sim.tally.restarts++;
  sim.world.abandon();
  sim.due.length = 0;
  sim.diesIn = 0;
  sim.isDead = false;
  sim.world = worldOf(sim);
  await endOrphans(sim.store.epochs.unended(), sim.world.engine.sink.onExit, sim.clock, quietLog);
  sim.world.engine.begin();
  sim.due.push(() => up(sim));
}
