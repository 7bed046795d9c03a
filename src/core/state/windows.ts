/** How far the windows of an account are used, as Codex last reported it. All functions run inside an open transaction. */
import { limits } from "../../base/limits.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import type { RateLimits } from "../model/ports/agentevent.ts";
import { isOver, noteCrossing, percentMark } from "./budget.ts";
import { providerOf } from "./lane.ts";

/** A report without a window says nothing about it, so what was seen before stays (facts C1.1). */
export function noteWindows(deps: CoreDeps, change: Change, { limit_id, windows }: RateLimits): void {
  const { store } = deps;
  const provider = windows.length === 0 ? null : reporter(deps);
  if (provider === null) return;
  const known = store.usage.windows();
  for (const { name, used_percent, window_minutes, resets_at } of windows) {
    const key = { provider, limit_id: limit_id ?? "", name };
    const before = known.find(
      (row) => row.provider === provider && row.limit_id === key.limit_id && row.name === name,
    );
    if (!before && known.length >= limits.usage.windowsMax) continue;
    const isSame = before !== undefined && !isOver(before, change.now);
    const mark = percentMark(deps, isSame ? before.used_percent : 0);
    store.usage.setWindow({
      ...key,
      used_percent,
      window_minutes: window_minutes ?? before?.window_minutes ?? null,
      resets_at: resets_at ?? (isSame ? before.resets_at : null),
      as_of: change.now,
    });
    if (mark) noteCrossing(change, mark, used_percent);
  }
}

/**
 * The report names no thread: it is from the only provider with a running turn, or from the one whose tokens were
 * reported last, which Codex does just before.
 */
function reporter({ store, live }: CoreDeps): string | null {
  const running = new Set(
    store.turns.listRunning().flatMap((turn) => {
      const lane = store.lanes.find(turn.lane);
      return (lane && providerOf(lane)) ?? [];
    }),
  );
  const [only] = running;
  return running.size === 1 && only !== undefined ? only : live.reporter();
}
