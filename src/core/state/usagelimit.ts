/**
 * A usage limit is a state of an account, not of the work. It begins when a turn fails with it and Codex gave the time
 * of the reset; until then no turn starts in any thread of that model provider. The registry keeps it.
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

/** Why no turn may start in this thread; null where no limit holds it back. */
export function limitWords({ store }: CoreDeps, lane: Lane): string | null {
  return limitFor(lane, store.usageLimits.list())?.words ?? null;
}

/** Throws `thread_busy`: a text that is to run now cannot. */
export function refuseLimited({ store }: CoreDeps, lane: Lane): void {
  const limit = limitFor(lane, store.usageLimits.list());
  if (limit === null) return;
  fail("thread_busy", limit.words, {
    hint: "send it with --queue: it waits until the limit ends",
    data: { limited_until: iso(limit.until) },
  });
}

/** A broken configuration changes nothing of what is usual. */
export function usageLimitPolicy({ policy, log }: CoreDeps): UsageLimitPolicy {
  try {
    return policy().usageLimits;
  } catch (thrown) {
    log.warn("the configuration is not read", { reason: errorMessage(thrown) });
    return { continue: "queue", nudge: null };
  }
}

/** Inside the transaction that ends a turn. Answers whether the limit of the account cut that turn. */
export function beginLimit(deps: CoreDeps, change: Change, lane: Lane, error: TurnError | null): boolean {
  if (error?.kind !== "usageLimitExceeded") return false;
  const { store, live, clock } = deps;
  const provider = providerOf(lane);
  if (provider === null) return false;
  const known = store.usageLimits.list().find((one) => one.provider === provider);
  const said = live.exhausted();
  // The error itself gives its time in prose only: Codex says the reset just before it (facts C1.3). Used once, since a
  // later failure may be of another kind, with no reset.
  live.setExhausted(null);
  const isFresh = said !== null && clock.monotonic() - said.at <= limits.usageLimit.saidMs;
  // One in the past says nothing of when to try again.
  if (!isFresh || said.resets_at <= change.now) return known !== undefined;
  if (known && known.resets_at >= said.resets_at) return true;
  const { until, doubt } = believed(store.log.id(), said.resets_at, change.now);
  const reason = clip(error.message, limits.thread.previewCharsMax);
  const row = { provider, limit_id: said.limit_id, resets_at: said.resets_at, until, began_at: change.now };
  live.limitEnds.delete(provider);
  store.usageLimits.put({ ...row, reason: doubt === null ? reason : `${reason} (${doubt})` });
  change.append({
    kind: "limit.reached",
    data: { provider, until: iso(until), ...(doubt === null ? {} : { doubt }), error: { message: reason } },
  });
  return true;
}

/** A time further away than any window of Codex is not taken as it is. */
function believed(logId: string, resetsAt: number, now: number): { until: number; doubt: string | null } {
  const last = now + limits.usageLimit.maxMs;
  if (resetsAt > last)
    return {
      until: last,
      doubt: `Codex gave a reset after more than ${limits.usageLimit.maxMs / limits.timer.dayMs} days`,
    };
  // The same after a restart; another one for each daemon of the account.
  const share = Number.parseInt(sha256(`${logId} ${resetsAt}`).slice(0, 8), 16) / 2 ** 32;
  return {
    until: resetsAt + limits.usageLimit.jitterMinMs + Math.floor(share * limits.usageLimit.jitterMs),
    doubt: null,
  };
}

/** What Codex says of the account: remembered for the turn that fails next, or the end of a limit. */
export function noteRateLimits(deps: CoreDeps, change: Change, said: RateLimits): void {
  const { store, live, clock } = deps;
  if (said.windows.length === 0) return;
  const exhausted = exhaustedBy(said, clock.monotonic());
  if (exhausted) {
    live.setExhausted(exhausted);
    return;
  }
  if (live.exhausted()?.limit_id === said.limit_id) live.setExhausted(null);
  for (const limit of store.usageLimits.list())
    if (limit.limit_id === said.limit_id && isAbout(deps, limit)) endLimit(deps, change, limit, "early");
}

function exhaustedBy({ limit_id, windows, reached }: RateLimits, at: number): Exhausted | null {
  const full = windows.filter(({ used_percent }) => used_percent >= 100);
  // Codex rounds: a window that is used up may read 99.
  const causes = full.length > 0 || reached !== "rate_limit_reached" ? full : windows;
  const resets = causes.flatMap(({ resets_at }) => resets_at ?? []);
  return resets.length === 0 ? null : { limit_id, resets_at: Math.max(...resets), at };
}

/**
 * The update names no thread. A turn that began before the limit may bring what was true then, and one of another
 * provider another account's.
 */
function isAbout({ store }: CoreDeps, { provider, began_at }: UsageLimit): boolean {
  return store.turns.listRunning().every((turn) => {
    const lane = store.lanes.find(turn.lane);
    return lane === undefined || (providerOf(lane) === provider && turn.started_at >= began_at);
  });
}

/** Ends what is over. The pass that follows brings what waits to Codex. */
export function endDueLimits(deps: CoreDeps): void {
  const { store, journal } = deps;
  const over = store.usageLimits.list().filter((limit) => isOver(deps, limit));
  if (over.length === 0) return;
  journal.commit((change) => {
    for (const limit of over) endLimit(deps, change, limit, "reset");
  });
}

/** By either clock: a wall clock that is set back makes no limit longer than it was when it began. */
function isOver({ live, clock }: CoreDeps, { provider, until, began_at }: UsageLimit): boolean {
  const now = clock.now();
  const leftMs = Math.min(until - now, until - began_at);
  const end = Math.min(live.limitEnds.get(provider) ?? Number.POSITIVE_INFINITY, clock.monotonic() + leftMs);
  live.limitEnds.set(provider, end);
  return leftMs <= 0 || end <= clock.monotonic();
}

/** By a person, who knows better. */
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
