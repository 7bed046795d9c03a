/** What was used: one row for a thread, a day and a model, kept as long as the history. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { localDay } from "../../src/base/moment.ts";
import type { Ref } from "../../src/core/model/ports/rows.ts";
import { openStore } from "../../src/store/store.ts";
import { registryFolder } from "./files.ts";
import { laneRow } from "./rows.ts";

const dayMs = 86_400_000;
const now = Date.UTC(2026, 5, 15, 12);

let place: ReturnType<typeof registryFolder>;
beforeEach(() => {
  place = registryFolder();
});
afterEach(() => place.dispose());

const store = () => {
  const opened = openStore(place.path, now);
  opened.lanes.add(laneRow());
  return opened;
};
const lane = laneRow().ref;
const used = (day: number, model = "m") => ({
  ...{ lane, day: localDay(day), model },
  ...{ input: 10, cached: 4, output: 3, reasoning: 1, incomplete: false },
});
const window = {
  provider: "openai",
  limit_id: "codex",
  used_percent: 42.5,
  window_minutes: 300,
  resets_at: 5,
};

test("rows of one thread, day and model are one, and it is there in the next daemon", () => {
  const first = store();
  for (const row of [used(now), used(now), { ...used(now, "n"), incomplete: true }, used(now - dayMs)])
    first.usage.add(row);
  first.usage.setWindow({ ...window, name: "primary", as_of: 1 });
  first.usage.setWindow({ ...window, name: "primary", as_of: 2 });
  first.close();
  const { usage, close } = openStore(place.path, now);
  const sums = (by: "lane" | "day" | "model") =>
    usage
      .sums({ by, lane: null, since: null, limit: 10 })
      .map((row) => [row.lane ?? row.day ?? row.model, row.input, row.output, row.incomplete]);
  expect(sums("lane")).toEqual([[lane, 40, 12, true]]);
  expect(sums("day")).toEqual([
    [localDay(now), 30, 9, true],
    [localDay(now - dayMs), 10, 3, false],
  ]);
  expect(sums("model")).toEqual([
    ["m", 30, 9, false],
    ["n", 10, 3, true],
  ]);
  expect(usage.sums({ by: "day", lane, since: localDay(now), limit: 10 })).toHaveLength(1);
  expect(usage.sums({ by: "day", lane: "other" as Ref, since: null, limit: 10 })).toEqual([]);
  expect(usage.tokensOfDay(localDay(now))).toBe(39);
  expect(usage.tokensOfDay("2026-01-01")).toBe(0);
  expect(usage.tokensOfLane(lane)).toBe(52);
  expect(usage.windows()).toEqual([{ ...window, name: "primary", as_of: 2 }]);
  close();
});

test("the permission profiles of a directory are kept as last seen, and go when nobody looks", () => {
  const { profiles, close } = store();
  const found = [{ id: ":workspace", description: null, allowed: true }];
  profiles.put("/repo", [], 1);
  profiles.put("/repo", found, 2);
  profiles.put("/other", found, 1);
  expect(profiles.find("/repo")).toEqual({ profiles: found, at: 2 });
  expect([profiles.prune(2, 10), profiles.prune(2, 10)]).toEqual([1, 0]);
  expect(profiles.find("/other")).toBeUndefined();
  expect(profiles.find("/repo")?.at).toBe(2);
  close();
});

test("what is older than the history is pruned, a page at a time", () => {
  const { usage, close } = store();
  for (const days of [0, 1, 2, 3]) usage.add(used(now - days * dayMs));
  const total = { lane, total: 13, input: 10, cached: 4, output: 3, reasoning: 1 };
  usage.setTotal({ ...total, thread_id: "old", at: now - 2 * dayMs });
  usage.setTotal({ ...total, thread_id: "new", at: now });
  usage.setWindow({ ...window, name: "secondary", as_of: now - 2 * dayMs });
  expect(usage.prune(now - dayMs, 1)).toBe(3);
  expect(usage.prune(now - dayMs, 1)).toBe(1);
  expect(usage.prune(now - dayMs, 1)).toBe(0);
  expect(usage.sums({ by: "day", lane: null, since: null, limit: 10 }).map(({ day }) => day)).toEqual([
    localDay(now),
    localDay(now - dayMs),
  ]);
  expect([usage.total("old"), usage.total("new")]).toEqual([
    undefined,
    { ...total, thread_id: "new", at: now },
  ]);
  expect(usage.windows()).toEqual([]);
  close();
});
