/** The guards of an automation, checked at the commit of each firing. */
import { limits } from "../../src/base/limits.ts";
import { byWords } from "../../src/core/automation/effect.ts";
import { isTerminal } from "../../src/core/model/message.ts";
import type { Automation, Firing } from "../../src/core/model/ports/automation.ts";
import type { Sim } from "./state.ts";

/** `together`: messages of the same commit. What fired behind it there was not yet in the queue. */
export function guarded(
  sim: Sim,
  automation: Automation,
  firing: Firing,
  together: ReadonlySet<string>,
): void {
  const { store, ledger } = sim;
  const { guards, lane, id, fired } = automation;
  const words = `${firing.slot} of ${byWords(automation)}`;
  const before = ledger.lastFired.get(id);
  if (guards.max_fires !== null && fired > guards.max_fires) throw new Error(`${words} is one too many`);
  const passed = before ? firing.at - before.at : null;
  if (guards.min_interval !== null && passed !== null && passed >= 0 && passed < guards.min_interval)
    throw new Error(`${words} comes ${passed} ms after the one before`);
  const last = guards.dedupe && before?.receipt ? store.messages.find(before.receipt) : undefined;
  if (last && !isTerminal(last.state)) throw new Error(`${words} comes while ${last.id} is ${last.state}`);
  if (guards.idle_only && lane !== null) {
    const others = store.messages
      .list({ lane, states: ["queued", "claimed", "sent", "delivered"], limit: 10 })
      .filter(({ id }) => !together.has(id));
    if (others.length > 0) throw new Error(`${words} comes while ${others[0]!.id} is ${others[0]!.state}`);
  }
  late(automation, firing);
  tooOften(sim, automation, firing);
}

/** A moment that was missed does not fire where it is not to be caught up. */
function late({ when, guards }: Automation, { slot, at }: Firing): void {
  if (when.kind !== "interval" && when.kind !== "cron") return;
  const moment = Date.parse(slot.split(" ")[0]!);
  if (guards.catch_up === "none" && at - moment > limits.automation.lateMs + guards.jitter)
    throw new Error(`${slot} was to be left out, and fired ${at - moment} ms late`);
  if (guards.until !== null && moment > guards.until) throw new Error(`${slot} is after its end`);
}

/** Of firings that events cause. */
function tooOften({ ledger }: Sim, { id }: Automation, { at, seq, slot }: Firing): void {
  const { rateMax, rateWindowMs } = limits.automation;
  if (seq === null) return;
  const mine = ledger.firings.filter((one) => one.automation === id && one.seq !== null);
  const first = mine.at(-rateMax);
  if (first && at >= first.at && at - first.at < rateWindowMs)
    throw new Error(`${slot} of ${id} is the ${rateMax + 1}th within ${rateWindowMs} ms`);
}
