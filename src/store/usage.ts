import type { Database } from "bun:sqlite";
import { localDay } from "../base/moment.ts";
import type {
  UsageKey,
  UsageRow,
  UsageStore,
  UsageSum,
  UsageTotal,
  UsageWindow,
} from "../core/model/ports/usage.ts";
import { table } from "./table.ts";

const orders: Record<UsageKey, string> = {
  day: "day DESC",
  lane: "sum(input) + sum(output) DESC, lane",
  model: "sum(input) + sum(output) DESC, model",
};

export function usageStore(db: Database): UsageStore {
  const totals = table<UsageTotal>(db, "usage_totals");
  const windows = table<UsageWindow>(db, "usage_windows");
  const sums = table<UsageSum>(db, "usage", { bool: ["incomplete"] });
  const sum = (where: string, value: string) =>
    db
      .query<{ n: number | null }, [string]>(`SELECT sum(input) + sum(output) AS n FROM usage WHERE ${where}`)
      .get(value)?.n ?? 0;
  return {
    add({ lane, day, model, input, cached, output, reasoning, incomplete }: UsageRow) {
      db.query(
        `INSERT INTO usage (lane, day, model, input, cached, output, reasoning, incomplete)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT DO UPDATE SET input = input + ?4, cached = cached + ?5, output = output + ?6,
           reasoning = reasoning + ?7, incomplete = max(incomplete, ?8)`,
      ).run(lane, day, model, input, cached, output, reasoning, incomplete ? 1 : 0);
    },
    tokensOfDay: (day) => sum("day = ?", day),
    tokensOfLane: (lane) => sum("lane = ?", lane),
    sums({ by, lane, since, limit }) {
      const keys = (["lane", "day", "model"] as const).map((key) => (key === by ? key : `NULL AS ${key}`));
      return sums.all(
        `SELECT ${keys.join(", ")}, sum(input) AS input, sum(cached) AS cached, sum(output) AS output,
                sum(reasoning) AS reasoning, max(incomplete) AS incomplete
           FROM usage WHERE ${lane === null ? "" : "lane = +? AND "}day >= +?
          GROUP BY usage.${by} ORDER BY ${orders[by]} LIMIT +?`,
        ...(lane === null ? [] : [lane]),
        since ?? "",
        limit,
      );
    },
    total: (threadId) => totals.find("SELECT * FROM usage_totals WHERE thread_id = ?", threadId),
    setTotal(total) {
      const { thread_id, ...rest } = total;
      if (totals.update(rest, "thread_id = ?", thread_id) === 0) totals.insert(total);
    },
    windows: () => windows.all("SELECT * FROM usage_windows ORDER BY provider, limit_id, name"),
    setWindow(window) {
      const { provider, limit_id, name, ...rest } = window;
      const where = "provider = ? AND limit_id = ? AND name = ?";
      if (windows.update(rest, where, provider, limit_id, name) === 0) windows.insert(window);
    },
    prune(before, limit) {
      const drop = (from: string, keys: string, where: string, value: string | number) =>
        db
          .query(
            `DELETE FROM ${from} WHERE (${keys}) IN (SELECT ${keys} FROM ${from} WHERE ${where} LIMIT +?)`,
          )
          .run(value, limit).changes;
      return (
        drop("usage", "lane, day, model", "day < +?", localDay(before)) +
        drop("usage_totals", "thread_id", "at < +?", before) +
        drop("usage_windows", "provider, limit_id, name", "as_of < +?", before)
      );
    },
  };
}
