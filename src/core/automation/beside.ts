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

export interface Beside {
  /** Starts what is open, of each automation one after the other; does not wait for it. */
  start(): void;
  end(): Promise<void>;
}

export function beside(deps: CoreDeps, actions: Actions): Beside {
  const { store, clock, journal, log } = deps;
  const under = new Map<string, Promise<void>>();
  const over = new AbortController();

  function start(): void {
    const { besideMax } = limits.automation;
    if (over.signal.aborted || under.size >= besideMax) return;
    for (const firing of store.automations.opens(2 * besideMax)) {
      if (under.has(firing.automation) || under.size >= besideMax) continue;
      const working = settled(firing)
        .catch((thrown: unknown) => {
          log.error("what a trigger did could not be stored", { automation: firing.automation, thrown });
          // It is still open: without a pause it would be done again at once.
          return clock.sleep(limits.automation.backoffFirstMs, over.signal);
        })
        .finally(() => {
          under.delete(firing.automation);
          start();
        });
      under.set(firing.automation, working);
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
    if (over.signal.aborted && result.outcome === "failed") return;
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

  return {
    start,
    async end() {
      over.abort();
      const ended = new AbortController();
      await Promise.race([
        Promise.all(under.values()),
        clock.sleep(limits.daemon.shutdownCallsMs, ended.signal),
      ]);
      ended.abort();
    },
  };
}
