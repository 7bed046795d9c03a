/** The moments of the clock: each one that came is in the row of a firing, as fired or as skipped with a reason. */
import type { Automation, When } from "../../src/core/model/ports/automation.ts";
import type { Sim } from "./state.ts";

export function account({ ledger }: Sim, one: Automation): void {
  const known = ledger.known.get(one.id);
  const period = periodOf(one.when);
  // What a clock that is set back makes of it is not counted.
  if (!known || period === null || one.state !== "active" || known.setBacks !== ledger.setBacks) return;
  if (one.slot_at === null) throw new Error(`${one.id} is active, and has no moment`);
  const rows = ledger.firings.slice(known.firings).filter(({ automation }) => automation === one.id);
  // Nor a moment of a day that fired before the clock was set back, and does not fire again.
  const before = ledger.firings.slice(0, known.firings).filter(({ automation }) => automation === one.id);
  if (one.when.kind === "cron" && before.some(({ slot }) => Date.parse(slot) > known.from)) return;
  const anchor = one.when.kind === "interval" ? one.created_at : 0;
  const index = (at: number) => Math.floor((at - anchor) / period);
  const came = index(one.slot_at) - index(known.from) - 1;
  const kept = rows.reduce((sum, { slots }) => sum + slots, 0);
  if (came !== kept)
    throw new Error(
      `${one.id}: ${came} moments came, and its firings have ${kept}: ${JSON.stringify({ one, known, rows })}`,
    );
  for (const { outcome, reason, slots } of rows)
    if (((outcome !== "fired" && outcome !== "open") || slots > 1) && reason === null)
      throw new Error(`${one.id}: a moment was left out without a reason`);
  if (one.guards.catch_up === "all" && ledger.sets === 0 && rows.some(({ slots }) => slots > 1))
    throw new Error(`${one.id} left out moments that it was to catch up`);
}

function periodOf(when: When): number | null {
  if (when.kind === "interval") return when.seconds * 1000;
  if (when.kind !== "cron") return null;
  return when.cron === "* * * * *" ? 60_000 : when.cron === "*/5 * * * *" ? 300_000 : 20_000;
}
