/** The end of a run: no more harm, and everything is given the time that it needs. */

import type { Automation } from "../../src/core/model/ports/automation.ts";
import type { Ref } from "../../src/core/model/ports/rows.ts";
import { closeElsewhere, untilKilled } from "./actions.ts";
import { allOf, pauseThis, resumeThis } from "./automation.ts";
import { nextDay } from "./budget.ts";
import { idled } from "./promises.ts";
import { calmRelay, isRelayAtRest, turnTheStream } from "./relay.ts";
import { lanesOf, type Sim, turnTheCrank, up } from "./state.ts";

/** First with the triggers of the clock, which find always more to do, then without them until nothing moves. */
export async function calmDown(sim: Sim): Promise<void> {
  sim.diesIn = 0;
  sim.ledger.isCalm = true;
  for (let rounds = 0; rounds < 5; rounds++) await round(sim);
  pauseEndless(sim);
  await rest(sim);
  const idle = allOf(sim).filter(({ when, state }) => when.kind === "idle_for" && state === "paused");
  for (const one of idle) resumeThis(sim, one);
  // Longer than each of them waits.
  for (let rounds = 0; idle.length > 0 && rounds < 14; rounds++) await round(sim);
  for (const one of idle) idled(sim, one.id);
  pauseEndless(sim);
  if (idle.length > 0) await rest(sim);
}

function pauseEndless(sim: Sim): void {
  pauseAll(sim, ({ when }) => ["interval", "cron", "at", "idle_for"].includes(when.kind));
}

function pauseAll(sim: Sim, isMeant: (one: Automation) => boolean): void {
  for (const one of allOf(sim)) if (one.state === "active" && isMeant(one)) pauseThis(sim, one);
}

async function round(sim: Sim): Promise<void> {
  await untilKilled(sim, async () => {
    // What is started anew at once may end Codex again: some of its attempts go in one round.
    for (let starts = 0; starts < 4; starts++) {
      settle(sim);
      while (sim.due.length > 0 || (sim.peer?.due.length ?? 0) > 0) {
        await turnTheStream(sim);
        await turnTheCrank(sim);
        withdraw(sim);
      }
      if (sim.world.agent.status().state === "running") break;
    }
    await sim.clock.advance(7000);
  });
}

/** Codex is up, nobody else writes, and what waits for a person is answered and released. */
function settle(sim: Sim): void {
  up(sim);
  calmRelay(sim);
  const { agent, engine } = sim.world;
  agent.deadly.clear();
  agent.release("go");
  for (const id of sim.writers.keys()) closeElsewhere(sim, id);
  for (const { id } of engine.core.requests({ ref: null, all: false, limit: 100 }))
    sim.calls.push(engine.core.answer(id, { decision: "approve" }, "cli", null).catch(() => {}));
  for (const { ref, queue } of engine.core.list({ archived: false, limit: 1000 }))
    if (queue.held && queue.reason !== "unsure") engine.core.release(ref as Ref);
}

/** In most runs a person takes back what ended Codex often; in the others it has all of its attempts. */
function withdraw(sim: Sim): void {
  for (const id of sim.deadly)
    if (sim.store.messages.find(id)?.state === "queued") {
      sim.world.engine.core.cancel(id);
      sim.deadly.delete(id);
    }
}

async function rest(sim: Sim): Promise<void> {
  let still = 0;
  // A text that ends Codex takes all of its attempts, some seconds each.
  for (let rounds = 0; rounds < 1200; rounds++) {
    const before = sim.store.log.last();
    // Several that wake each other fill a queue, up to the eighth hop of each.
    if (rounds === 8) pauseAll(sim, ({ guards }) => guards.max_fires !== 1);
    if (rounds % 15 === 14) nextDay(sim);
    await round(sim);
    still = isAtRest(sim) && sim.store.log.last() === before ? still + 1 : 0;
    if (still > 1) return;
  }
  const stuck = sim.store.messages.list({ states: ["queued", "claimed", "sent", "delivered"], limit: 10 });
  const words = stuck.map(({ id, mode, state, lane, target_turn_id }) => ({
    id,
    mode,
    state,
    lane,
    target_turn_id,
  }));
  const last = sim.store.events.newest({ limit: 5 });
  throw new Error(
    `never came to rest: ${JSON.stringify(words)} ${JSON.stringify(last)} ${JSON.stringify(sim.refs.map((ref) => sim.store.lanes.find(ref)))}`,
  );
}

function isAtRest(sim: Sim): boolean {
  const { store, due, world } = sim;
  const isBusy = store.messages.list({ states: ["claimed", "sent", "delivered"], limit: 1 }).length > 0;
  if (due.length > 0 || isBusy || store.outbox.firsts().length > 0 || store.automations.opens(1).length > 0)
    return false;
  if (!isRelayAtRest(sim)) return false;
  // Also of threads that triggers made: a limit of the day may hold their first message.
  return lanesOf(world).every((ref) => {
    const { setup, pending, hold_reason } = store.lanes.get(ref);
    return setup === "ready" && (pending === 0 || hold_reason === "unsure");
  });
}
