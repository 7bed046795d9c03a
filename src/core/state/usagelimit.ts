/**
 * A usage limit is a state of an account, not of the work. It begins when a turn fails with it and Codex reported the
 * time of the reset. Until then no turn starts in any thread of that model provider. The registry stores it.
 */
import { iso } from "../../base/clock.ts";
import { sha256 } from "../../base/digest.ts";
import { errorMessage, fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { clip } from "../model/clip.ts";
import type { CoreDeps, UsageLimitPolicy } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import type { Exhausted } from "../model/live.ts";
import type { RateLimits } from "../model/ports/agentevent.ts";
import type { Lane, UsageLimit } from "../model/ports/rows.ts";
import type { TurnError } from "../model/ports/thread.ts";
import { hold } from "./hold.ts";
import { limitFor, providerOf } from "./lane.ts";

/** Why no turn may start in this thread; null: no limit applies. */
export function limitMessage({ store }: CoreDeps, lane: Lane): string | null {
  return limitFor(lane, store.usageLimits.list())?.message ?? null;
}

/** Throws `thread_busy` while a limit lasts: a text that is to run now cannot. */
export function refuseLimited({ store }: CoreDeps, lane: Lane): void {
  const limit = limitFor(lane, store.usageLimits.list());
  if (limit === null) return;
  fail("thread_busy", limit.message, {
    hint: "send it with --queue: it waits until the limit ends",
    data: { limited_until: iso(limit.until) },
  });
}

/** The defaults when the configuration is broken. */
export function usageLimitPolicy({ policy, log }: CoreDeps): UsageLimitPolicy {
  try {
    return policy().usageLimits;
  } catch (thrown) {
    log.warn("the configuration is not read", { reason: errorMessage(thrown) });
    return { continue: "queue", nudge: null };
  }
}

/** Inside the transaction that ends a turn. Returns whether a usage limit cut that turn. */
export function beginLimit(deps: CoreDeps, change: Change, lane: Lane, error: TurnError | null): boolean {
  if (error?.kind !== "usageLimitExceeded") return false;
  const { store, live, clock } = deps;
  const provider = providerOf(lane);
  if (provider === null) return false;
  const known = store.usageLimits.list().find((limit) => limit.provider === provider);
  const exhausted = live.exhausted();
  // The error has the time in prose only; Codex reports the reset just before it (facts C1.3). It is used once, since a
  // later failure may be of another kind, without a reset.
  live.setExhausted(null);
  const isFresh = exhausted !== null && clock.monotonic() - exhausted.at <= limits.usageLimit.saidMs;
  // A reset in the past does not tell when to try again.
  if (!isFresh || exhausted.resets_at <= change.now) return known !== undefined;
  if (known && known.resets_at >= exhausted.resets_at) return true;
  const { until, doubt } = resumeTime(store.log.id(), exhausted.resets_at, change.now);
  const reason = clip(error.message, limits.thread.previewCharsMax);
  const row = {
    provider,
    limit_id: exhausted.limit_id,
    resets_at: exhausted.resets_at,
    until,
    began_at: change.now,
  };
  live.limitEnds.delete(provider);
  store.usageLimits.put({ ...row, reason: doubt === null ? reason : `${reason} (${doubt})` });
  change.append({
    kind: "limit.reached",
    data: { provider, until: iso(until), ...(doubt === null ? {} : { doubt }), error: { message: reason } },
  });
  return true;
}

/** When the queue goes on. A reset that is later than any window of Codex is replaced by the maximum. */
function resumeTime(logId: string, resetsAt: number, now: number): { until: number; doubt: string | null } {
  const last = now + limits.usageLimit.maxMs;
  if (resetsAt > last)
    return {
      until: last,
      doubt: `Codex gave a reset after more than ${limits.usageLimit.maxMs / limits.timer.dayMs} days`,
    };
  // The same after a restart, and different for each daemon of the account.
  const share = Number.parseInt(sha256(`${logId} ${resetsAt}`).slice(0, 8), 16) / 2 ** 32;
  return {
    until: resetsAt + limits.usageLimit.jitterMinMs + Math.floor(share * limits.usageLimit.jitterMs),
    doubt: null,
  };
}

/** Codex reported the limits of the account: kept for the turn that fails next, or the end of a limit. */
export function noteRateLimits(deps: CoreDeps, change: Change, reported: RateLimits): void {
  const { store, live, clock } = deps;
  if (reported.windows.length === 0) return;
  const exhausted = exhaustedBy(reported, clock.monotonic());
  if (exhausted) {
    live.setExhausted(exhausted);
    return;
  }
  if (live.exhausted()?.limit_id === reported.limit_id) live.setExhausted(null);
  for (const limit of store.usageLimits.list())
    if (limit.limit_id === reported.limit_id && isAbout(deps, limit)) endLimit(deps, change, limit, "early");
}

function exhaustedBy({ limit_id, windows, reached }: RateLimits, at: number): Exhausted | null {
  const full = windows.filter(({ used_percent }) => used_percent >= 100);
  // Codex rounds: a window that is used up may read 99.
  const causes = full.length > 0 || reached !== "rate_limit_reached" ? full : windows;
  const resets = causes.flatMap(({ resets_at }) => resets_at ?? []);
  return resets.length === 0 ? null : { limit_id, resets_at: Math.max(...resets), at };
}

/**
 * The report names no thread. It may come from a turn that began before the limit, or from a turn of another provider,
 * and so of another account.
 */
function isAbout({ store }: CoreDeps, { provider, began_at }: UsageLimit): boolean {
  return store.turns.listRunning().every((turn) => {
    const lane = store.lanes.find(turn.lane);
    return lane === undefined || (providerOf(lane) === provider && turn.started_at >= began_at);
  });
}

/** Ends the limits that are over. The loop then delivers what waits. */
export function endDueLimits(deps: CoreDeps): void {
  const { store, journal } = deps;
  const over = store.usageLimits.list().filter((limit) => isOver(deps, limit));
  if (over.length === 0) return;
  journal.commit((change) => {
    for (const limit of over) endLimit(deps, change, limit, "reset");
  });
}

/** By either clock: a wall clock that is set back makes no limit longer than it was at its start. */
function isOver({ live, clock }: CoreDeps, { provider, until, began_at }: UsageLimit): boolean {
  const now = clock.now();
  const leftMs = Math.min(until - now, until - began_at);
  const end = Math.min(live.limitEnds.get(provider) ?? Number.POSITIVE_INFINITY, clock.monotonic() + leftMs);
  live.limitEnds.set(provider, end);
  return leftMs <= 0 || end <= clock.monotonic();
}

/** On request of a person. */
export function endAllLimits(deps: CoreDeps): void {
  const { store, journal } = deps;
  if (store.usageLimits.list().length === 0) return;
  journal.commit((change) => {
    for (const limit of store.usageLimits.list()) endLimit(deps, change, limit, "by_hand");
  });
}

function endLimit(
  deps: CoreDeps,
  change: Change,
  limit: UsageLimit,
  why: "reset" | "early" | "by_hand",
): void {
  const { store } = deps;
  const { provider } = limit;
  store.usageLimits.remove(provider);
  deps.live.limitEnds.delete(provider);
  change.append({ kind: "limit.ended", data: { provider, why } });
  if (why === "by_hand" || usageLimitPolicy(deps).continue !== "hold") return;
  for (const ref of store.lanes.unfinished()) {
    const lane = store.lanes.find(ref);
    if (lane && lane.pending > 0 && limitFor(lane, [limit]) !== null) hold(store, change, ref, "stopped");
  }
}
