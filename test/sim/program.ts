/** The programs of notifications: one that takes everything, one that often fails, one that often hangs. */
import { limits } from "../../src/base/limits.ts";
import type { Notice } from "../../src/core/automation/notify.ts";
import type { TestWorld } from "../world/world.ts";
import type { Sim } from "./state.ts";

export function program(sim: Sim): TestWorld["runProgram"] {
  return async ([name], input) => {
    const { seq } = JSON.parse(input) as Notice;
    const { tries, taken } = sim.ledger;
    tries.set(`${name} ${seq}`, (tries.get(`${name} ${seq}`) ?? 0) + 1);
    const isBad = !sim.ledger.isCalm && sim.random() < 0.6;
    if (name === "flaky" && isBad) throw new Error("no network");
    if (name === "stuck" && isBad) {
      await sim.clock.sleep(limits.automation.execTimeoutMs);
      throw new Error("it takes too long");
    }
    taken.add(`${name} ${seq}`);
    sim.tally.notices++;
  };
}
