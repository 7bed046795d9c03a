/**
 * The rows that `list` is made of. They are kept until the registry changes: scripts and agents ask for the list again
 * and again, and reading 100 rows takes longer than all else in the call.
 */
import type { Database } from "bun:sqlite";
import { limits } from "../base/limits.ts";
import type { SummaryFacts, Turn } from "../core/model/ports/rows.ts";
import type { Store } from "../core/model/ports/store.ts";
import { usageLimitStore } from "./usagelimits.ts";

type SummaryRow = Omit<SummaryFacts["lane"], "settings" | "effective"> &
  Pick<SummaryFacts, "goal" | "last" | "last_at"> & {
    status: Turn["status"] | null;
    epoch: number | null;
    retrying_since: number | null;
    provider_effective: string | null;
    provider_requested: string | null;
    asks: string | null;
    ephemeral: number;
  };

export function summariesOf(db: Database): Store["lanes"]["summaries"] {
  const usageLimits = usageLimitStore(db);
  let kept: { of: string; rows: SummaryFacts[] } | undefined;

  /** Rows that this connection changed since it was opened. Nobody else writes the registry of a daemon. */
  const changes = () => db.query<{ n: number }, []>("SELECT total_changes() AS n").get()!.n;

  function read({ archived, limit }: { archived: boolean; limit: number }): SummaryFacts[] {
    const usage_limits = usageLimits.list();
    return db
      .query<SummaryRow, [number, number, number]>(
        `SELECT l.ref, l.thread_id, l.source, l.setup, l.evidence_at, l.archived_at, l.gone_at, l.title, l.handle,
                l.cwd, l.parent_id, l.pending, l.hold_reason, l.blocked_reason, l.durable_at, l.updated_at,
                t.status, t.epoch, t.retrying_since,
                json_extract(l.effective, '$.model_provider') AS provider_effective,
                json_extract(l.settings, '$.model_provider') AS provider_requested,
                json_extract(l.settings, '$.ephemeral') IS 1 AS ephemeral,
                iif(json_extract(l.goal, '$.interrupted'), 'interrupted', json_extract(l.goal, '$.status')) AS goal,
                substr(json_extract(l.last_message, '$.text'), 1, +?) AS last,
                json_extract(l.last_message, '$.at') AS last_at,
                (SELECT group_concat(id, ' ') FROM
                  (SELECT id FROM requests AS r WHERE r.lane = l.ref AND r.state = 'open' ORDER BY asked_at)) AS asks
           FROM lanes AS l LEFT JOIN turns AS t
             ON t.lane = l.ref AND t.turn_id = (SELECT max(turn_id) FROM turns WHERE lane = l.ref)
          WHERE l.forgotten_at IS NULL AND (l.archived_at IS NOT NULL) = +?
          ORDER BY l.updated_at DESC, l.rowid DESC LIMIT +?`,
      )
      .all(limits.thread.summaryTextCharsMax, archived ? 1 : 0, limit)
      .map((row) => {
        const { status, epoch, retrying_since, asks, ephemeral, goal, last, last_at, ...more } = row;
        const { provider_effective, provider_requested, ...lane } = more;
        return {
          lane: {
            ...lane,
            settings: provider_requested === null ? {} : { model_provider: provider_requested },
            effective: provider_effective === null ? null : { model_provider: provider_effective },
          },
          latest: status === null ? null : { status, epoch, retrying_since },
          requests: asks?.split(" ") ?? [],
          ephemeral: ephemeral === 1,
          usage_limits,
          goal,
          last,
          last_at,
        };
      });
  }

  return (filter) => {
    const of = `${filter.archived} ${filter.limit} ${changes()}`;
    if (kept?.of === of) return kept.rows;
    const rows = read(filter);
    // What a transaction reads may be rolled back, and that counts as no change.
    kept = db.inTransaction ? undefined : { of, rows };
    return rows;
  };
}
