/** What was used: by thread, day or model, with the windows of the account and the limits of the user. */
import { iso, isoOrNull } from "../../base/clock.ts";
import { limits } from "../../base/limits.ts";
import { localDay } from "../../base/moment.ts";
import type { UsageView } from "../../contract/usage.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Ref } from "../model/ports/rows.ts";
import type { Tokens } from "../model/ports/usage.ts";
import { budgetsOf, isOver } from "./budget.ts";

export interface UsageQuery {
  ref: Ref | null;
  /** Epoch ms: from its day on. null: all days that are kept. */
  since: number | null;
  by: UsageView["by"];
}

export function usageView(deps: CoreDeps, { ref, since, by }: UsageQuery): UsageView {
  const { store, clock } = deps;
  const { usage } = store;
  const day = since === null ? null : localDay(since);
  const found = usage.sums({
    by: by === "thread" ? "lane" : by,
    lane: ref,
    since: day,
    limit: limits.input.pageMax + 1,
  });
  const days = usage.sums({ by: "day", lane: ref, since: day, limit: limits.usage.daysMax });
  return {
    by,
    since: days.at(-1)?.day ?? null,
    used: found.slice(0, limits.input.pageMax).map(({ lane, day, model, incomplete, ...tokens }) => ({
      thread: lane,
      title: lane === null ? null : (store.lanes.find(lane)?.title ?? null),
      day,
      model,
      ...withTotal(tokens),
      incomplete,
    })),
    truncated: found.length > limits.input.pageMax,
    total: {
      ...withTotal({
        input: sumOf(days, "input"),
        cached: sumOf(days, "cached"),
        output: sumOf(days, "output"),
        reasoning: sumOf(days, "reasoning"),
      }),
      incomplete: days.some(({ incomplete }) => incomplete),
    },
    windows: usage.windows().map(({ provider, limit_id, name, ...window }) => ({
      provider,
      limit: limit_id === "" ? null : limit_id,
      window: name,
      used_percent: window.used_percent,
      window_minutes: window.window_minutes,
      resets_at: isoOrNull(window.resets_at),
      as_of: iso(window.as_of),
      age_seconds: Math.max(0, Math.round((clock.now() - window.as_of) / 1000)),
    })),
    limits: limitsOf(deps),
  };
}

function sumOf(rows: readonly Tokens[], key: keyof Tokens): number {
  return rows.reduce((sum, row) => sum + row[key], 0);
}

function withTotal({ input, cached, output, reasoning }: Tokens): Tokens & { total: number } {
  return { total: input + output, input, cached, output, reasoning };
}

function limitsOf(deps: CoreDeps): UsageView["limits"] {
  const { store, clock } = deps;
  const { tokensPerDay, tokensPerThread, pauseAtPercent } = budgetsOf(deps);
  const now = clock.now();
  const found: UsageView["limits"] = [];
  const add = (limit: UsageView["limits"][number]["limit"], max: number | null, used: () => number) => {
    if (max === null) return;
    const amount = used();
    const state = amount >= max ? "full" : amount >= max * limits.usage.nearShare ? "near" : "ok";
    found.push({ limit, max, used: amount, state });
  };
  add("tokens_per_day", tokensPerDay, () => store.usage.tokensOfDay(localDay(now)));
  add("tokens_per_thread", tokensPerThread, () => {
    const [most] = store.usage.sums({ by: "lane", lane: null, since: null, limit: 1 });
    return most ? most.input + most.output : 0;
  });
  add("pause_at_percent", pauseAtPercent, () =>
    store.usage
      .windows()
      .filter((window) => !isOver(window, now))
      .reduce((most, { used_percent }) => Math.max(most, used_percent), 0),
  );
  return found;
}
