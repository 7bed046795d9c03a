/**
 * What Codex is asked for by a firing: a new thread, or the stop of a turn. Codex may take a minute for it, so it goes
 * on beside the loop. Its row is open until it has ended, and what a daemon leaves open is done by the next one: a
 * thread is made under a key of its firing, and only the turn that ran is stopped.
 */
import { errorMessage, isStorage } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Automation, Firing, OpenFiring } from "../model/ports/automation.ts";
import { type Actions, byWords } from "./effect.ts";
import { report } from "./fire.ts";
import { sideWork } from "./sidework.ts";

export interface Beside {
  /** Starts what is open, of each automation one after the other; does not wait for it. */
  start(): void;
  end(): Promise<void>;
}

export function beside(deps: CoreDeps, actions: Actions): Beside {
  const { store, journal } = deps;
  const works = sideWork(deps, "what a trigger did could not be stored");

  function start(): void {
    const { besideMax } = limits.automation;
    if (works.isOver() || works.count() >= besideMax) return;
    for (const firing of store.automations.opens(2 * besideMax)) {
      const { automation } = firing;
      if (works.isAtWork(automation) || works.count() >= besideMax) continue;
      works.start(automation, () => settled(firing), start);
    }
  }

  async function settled(firing: OpenFiring): Promise<void> {
    const automation = store.automations.find(firing.automation);
    if (!automation) return;
    const result = await done(automation, firing).catch((thrown: unknown) => {
      if (isStorage(thrown)) throw thrown;
      return { outcome: "failed" as const, reason: errorMessage(thrown), lane: firing.lane };
    });
    // The next daemon does it: this one ends its Codex.
    if (works.isOver() && result.outcome === "failed") return;
    journal.commit((change) => {
      if (store.automations.settle(firing.id, result)) report(deps, change, { ...firing, ...result }, null);
    });
  }

  async function done(
    automation: Automation,
    { slot, lane, reason, work }: OpenFiring,
  ): Promise<Pick<Firing, "outcome" | "reason" | "lane">> {
    if (work.kind === "new") {
      const { preset, name, text } = work;
      const key = `${automation.id}-${slot}`;
      const made = await actions.create({ preset, name, text, key, by: byWords(automation) });
      return { outcome: "fired", reason, lane: made };
    }
    const isOver =
      lane === null ||
      (work.turn_id !== null && store.turns.find(lane, work.turn_id)?.status !== "in_progress");
    if (!isOver) await actions.stop(lane);
    return { outcome: "fired", reason, lane };
  }

  return { start, end: works.end };
}
