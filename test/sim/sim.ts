/**
 * The simulator: the product's own core and registry over the model of Codex, with a clock and a scheduler that a
 * seed drives. Anything may happen between any two steps of anything: a send in any mode, a stop, a kill of Codex, a
 * death of the daemon at any of its commits, lost events and answers, another process that writes a thread, triggers,
 * subscriptions and notifications that come and go, time. At the end all is brought up and every promise is checked
 * against the threads' own history, the event log and what the programs were given.
 */
import type { Ref } from "../../src/core/model/ports/rows.ts";
import { act } from "./actions.ts";
import { calmDown } from "./calm.ts";
import { check } from "./check.ts";
import { newThread, type Sim, signal, type Tally, turnTheCrank } from "./state.ts";
import { begin } from "./world.ts";

export async function simulate(seed: number, steps: number): Promise<Tally> {
  const sim = begin(seed);
  try {
    for (let at = 0; at < 3; at++) await create(sim, `lane ${at}`);
    for (let step = 0; step < steps; step++) await act(sim);
    await calmDown(sim);
    check(sim);
    if (sim.broken) throw new Error(sim.broken);
    return sim.tally;
  } catch (thrown) {
    const words = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    throw new Error(`seed ${seed}: ${words}\n${sim.trail.slice(-40).join("\n")}`);
  } finally {
    sim.world.abandon();
    sim.store.close();
  }
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
