/**
 * The limits that the user sets on tokens and on the windows of the account: `[limits]`. At 80 % an event is recorded, at
 * 100 % no turn starts. A turn that runs goes on.
 */
import { iso } from "../../base/clock.ts";
import { errorMessage } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { localDay, nextLocalDay } from "../../base/moment.ts";
import type { Budgets, CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import type { Lane, Ref } from "../model/ports/rows.ts";
import type { UsageWindow } from "../model/ports/usage.ts";
import { providerOf } from "./lane.ts";

export interface Block {
  message: string;
  /** For a text that was to run at once. */
  hint: string;
}

const none: Budgets = {
  turns: null,
  turnsPerCwd: null,
  tokensPerDay: null,
  tokensPerThread: null,
  pauseAtPercent: null,
};

/** A broken configuration limits nothing: `dispatch doctor` reports it. */
export function budgetsOf({ policy, log }: Pick<CoreDeps, "policy" | "log">): Budgets {
  try {
    return policy().budgets;
  } catch (thrown) {
    log.debug("the configuration is not read", { reason: errorMessage(thrown) });
    return none;
  }
}

/** Why no turn may start in this thread, by what was used; null: one may. */
export function budgetBlock(
  deps: CoreDeps,
  lane: Pick<Lane, "ref" | "settings" | "effective">,
): Block | null {
  const budgets = budgetsOf(deps);
  return (
    dayBlock(deps, budgets.tokensPerDay) ??
    threadBlock(deps, lane.ref, budgets.tokensPerThread) ??
    windowBlock(deps, providerOf(lane), budgets.pauseAtPercent)
  );
}

function dayBlock({ store, clock }: CoreDeps, max: number | null): Block | null {
  const now = clock.now();
  if (max === null || store.usage.tokensOfDay(localDay(now)) < max) return null;
  return {
    message: `the ${max} tokens that [limits] tokens_per_day allows are used today: it goes on at ${iso(nextLocalDay(now))}`,
    hint: "send it with --queue: it goes tomorrow; or raise [limits] tokens_per_day in config.toml",
  };
}

function threadBlock({ store }: CoreDeps, ref: Ref, max: number | null): Block | null {
  if (max === null || store.usage.tokensOfLane(ref) < max) return null;
  return {
    message: `thread ${ref} has used ${max} tokens, as many as [limits] tokens_per_thread allows`,
    hint: `raise [limits] tokens_per_thread in config.toml, or go on in another thread: dispatch fork ${ref} --name NAME`,
  };
}

function windowBlock({ store, clock }: CoreDeps, provider: string | null, max: number | null): Block | null {
  if (max === null || provider === null) return null;
  const full = store.usage
    .windows()
    .filter((window) => window.provider === provider && window.used_percent >= max)
    .filter((window) => !isOver(window, clock.now()));
  const last = full.sort((a, b) => endOf(b) - endOf(a))[0];
  if (last === undefined) return null;
  return {
    message: `the ${nameOf(last)} of the account is ${Math.round(last.used_percent)} % used, and [limits] pause_at_percent is ${max}: it goes on at ${iso(endOf(last))}`,
    hint: "send it with --queue: it waits for the reset; or raise [limits] pause_at_percent in config.toml",
  };
}

/** Epoch ms. A window without a reset ends when it would end if it had begun at the report. */
function endOf({ resets_at, window_minutes, as_of }: UsageWindow): number {
  return resets_at ?? as_of + (window_minutes ?? limits.usage.windowMinutes) * 60_000;
}

export function isOver(window: UsageWindow, now: number): boolean {
  return endOf(window) <= now;
}

function nameOf({ window_minutes, name }: UsageWindow): string {
  return window_minutes === null ? `${name} window` : `window of ${window_minutes / 60} h`;
}

/** A limit, and how much of it is used. */
export interface Mark {
  limit: "tokens_per_day" | "tokens_per_thread" | "pause_at_percent";
  lane: Ref | null;
  used: number;
  max: number;
}

/** The limits that the tokens of this lane on this day count for. */
export function tokenMarks(deps: CoreDeps, { lane, day }: { lane: Ref; day: string }): Mark[] {
  const { tokensPerDay, tokensPerThread } = budgetsOf(deps);
  const { usage } = deps.store;
  const marks: Mark[] = [];
  if (tokensPerDay !== null)
    marks.push({ limit: "tokens_per_day", lane: null, used: usage.tokensOfDay(day), max: tokensPerDay });
  if (tokensPerThread !== null)
    marks.push({ limit: "tokens_per_thread", lane, used: usage.tokensOfLane(lane), max: tokensPerThread });
  return marks;
}

export function percentMark(deps: CoreDeps, used: number): Mark | null {
  const max = budgetsOf(deps).pauseAtPercent;
  return max === null ? null : { limit: "pause_at_percent", lane: null, used, max };
}

/** One event for each mark that was passed between `mark.used` and `now`. */
export function noteCrossing(change: Change, { limit, lane, used, max }: Mark, now: number): void {
  const passes = (mark: number) => used < mark && now >= mark;
  const data = { limit, used: now, max };
  if (passes(max * limits.usage.nearShare)) change.append({ kind: "limit.near", lane, data });
  if (passes(max)) change.append({ kind: "limit.full", lane, data });
}
