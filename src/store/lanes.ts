import type { Database } from "bun:sqlite";
import { fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Lane, LaneFacts, Ref, StatusFacts, Turn } from "../core/model/ports/rows.ts";
import type { Store } from "../core/model/ports/store.ts";
import { syncTable } from "./items.ts";
import { requestTable } from "./requests.ts";
import { summariesOf } from "./summaries.ts";
import { table } from "./table.ts";
import { turnTable } from "./turns.ts";
import { usageLimitStore } from "./usagelimits.ts";

const live = "forgotten_at IS NULL";

export function laneStore(db: Database): Store["lanes"] {
  const lanes = table<Lane>(db, "lanes", {
    json: ["settings", "effective", "goal", "tokens", "last_message"],
    bool: ["overridden", "named_by_agent"],
  });
  const readFacts = factsReader(db);

  const find = (ref: Ref) => lanes.find(`SELECT * FROM lanes WHERE ref = ? AND ${live}`, ref);
  const findFacts = (ref: Ref) => {
    const lane = find(ref);
    return lane && readFacts([lane])[0];
  };

  return {
    add: (lane) => lanes.insert(lane),
    find,
    get: (ref) => find(ref) ?? forgotten(ref),
    set(ref, change) {
      lanes.update(change, "ref = ?", ref);
    },
    forget(ref, at) {
      db.query("UPDATE lanes SET forgotten_at = ? WHERE ref = ?").run(at, ref);
    },
    findByThread: (threadId) => lanes.find(`SELECT * FROM lanes WHERE thread_id = ? AND ${live}`, threadId),
    waiting: (limit) =>
      db
        .query<{ ref: Ref }, [number]>(
          `SELECT l.ref, (SELECT created_at FROM messages WHERE lane = l.ref AND state = 'queued' ORDER BY position LIMIT 1) AS since
             FROM lanes AS l INDEXED BY lanes_waiting
            WHERE l.pending > 0 AND l.hold_reason IS NULL AND l.source = 'own' AND ${live} AND archived_at IS NULL AND gone_at IS NULL
              AND NOT EXISTS (SELECT 1 FROM turns INDEXED BY turns_running WHERE lane = l.ref AND status = 'in_progress')
            ORDER BY since LIMIT +?`,
        )
        .all(limit)
        .map((row) => row.ref),
    withActiveGoal: () =>
      lanes.all(
        `SELECT * FROM lanes WHERE ${live} AND source = 'own' AND archived_at IS NULL AND gone_at IS NULL AND json_extract(goal, '$.status') = 'active'`,
      ),
    withInterruptedGoal: () =>
      lanes.all(
        `SELECT * FROM lanes WHERE ${live} AND gone_at IS NULL AND json_extract(goal, '$.interrupted')`,
      ),
    ephemeral: () =>
      lanes.all(
        `SELECT * FROM lanes INDEXED BY lanes_ephemeral WHERE json_extract(settings, '$.ephemeral') AND gone_at IS NULL AND ${live}`,
      ),
    // Two queries, each with its own index: a single query would scan every lane.
    findByHandle: (handle) =>
      lanes.find(`SELECT * FROM lanes WHERE handle = ? AND ${live} AND archived_at IS NULL`, handle) ??
      lanes.find(
        `SELECT * FROM lanes WHERE handle = +? AND ${live} AND archived_at IS NOT NULL ORDER BY archived_at DESC LIMIT 1`,
        handle,
      ),
    findByTitle: (title) =>
      lanes.all(`SELECT * FROM lanes WHERE title = +? AND ${live} LIMIT ${limits.input.matchesMax}`, title),
    // Refs hold only letters and digits, so the prefix needs no escape; the range uses the primary key.
    findByPrefix: (prefix) =>
      lanes.all(
        `SELECT * FROM lanes WHERE ref >= +? AND ref < +? AND ${live} LIMIT ${limits.input.matchesMax}`,
        prefix,
        `${prefix}{`,
      ),
    findByPart: (part) =>
      lanes.all(
        `SELECT * FROM lanes WHERE instr(lower(title), lower(+?)) > 0 AND ${live} LIMIT ${limits.input.matchesMax}`,
        part,
      ),
    findByCreateKey: (key) => lanes.find(`SELECT * FROM lanes WHERE create_key = ?`, key),
    isOwn: (ref) =>
      db.query(`SELECT 1 FROM lanes WHERE ref = ? AND source = 'own' AND ${live}`).get(ref) !== null,
    isRefTaken: (ref) => db.query("SELECT 1 FROM lanes WHERE ref = ?").get(ref) !== null,
    findFacts,
    getFacts: (ref) => findFacts(ref) ?? forgotten(ref),
    listFacts: ({ archived, limit }) =>
      readFacts(
        lanes.all(
          `SELECT * FROM lanes WHERE ${live} AND (archived_at IS NOT NULL) = +? ORDER BY updated_at DESC, rowid DESC LIMIT +?`,
          archived ? 1 : 0,
          limit,
        ),
      ),
    summaries: summariesOf(db),
    statusFacts: () =>
      db
        .query<StatusRow, []>(
          `SELECT l.ref, l.thread_id, l.source, l.setup, l.evidence_at, l.archived_at, l.gone_at, t.status, t.epoch,
                  (SELECT count(*) FROM requests AS r WHERE r.lane = l.ref AND r.state = 'open') AS asks
             FROM lanes AS l LEFT JOIN turns AS t
               ON t.lane = l.ref AND t.turn_id = (SELECT max(turn_id) FROM turns WHERE lane = l.ref)
            WHERE l.forgotten_at IS NULL AND l.archived_at IS NULL`,
        )
        .all()
        .map(({ status, epoch, asks, ...lane }) => ({
          lane,
          latest: status === null ? null : { status, epoch },
          requests: { length: asks },
        })),
    count: () => db.query<{ n: number }, []>(`SELECT count(*) AS n FROM lanes WHERE ${live}`).get()!.n,
    unfinished: () =>
      db
        .query<{ ref: Ref }, []>(
          `SELECT ref FROM lanes WHERE ${live} AND archived_at IS NULL AND gone_at IS NULL AND ref IN (
             SELECT ref FROM lanes WHERE setup <> 'ready'
             UNION SELECT ref FROM lanes WHERE goal_setup IS NOT NULL
             UNION SELECT lane FROM turns WHERE status = 'in_progress'
             UNION SELECT ref FROM lanes WHERE pending > 0
             UNION SELECT lane FROM messages INDEXED BY messages_open
               WHERE state IN ('claimed', 'sent', 'delivered', 'unsure') AND state <> 'unsure')`,
        )
        .all()
        .map((row) => row.ref),
  };
}

function forgotten(ref: Ref): never {
  return fail("not_found", `thread ${ref} was forgotten`, { hint: "dispatch list" });
}

type StatusRow = StatusFacts["lane"] & {
  status: Turn["status"] | null;
  epoch: number | null;
  asks: number;
};

/**
 * The rows that views need besides the lanes: four look-ups by index and one in a short table, for any number of lanes.
 */
function factsReader(db: Database): (lanes: readonly Lane[]) => LaneFacts[] {
  const turns = turnTable(db);
  const requests = requestTable(db);
  const syncs = syncTable(db);
  const limited = usageLimitStore(db);
  return (lanes) => {
    const refs = JSON.stringify(lanes.map((lane) => lane.ref));
    const latest = byLane(
      turns.all(
        `SELECT t.* FROM json_each(+?) AS l JOIN turns AS t
           ON t.lane = l.value AND t.turn_id = (SELECT max(turn_id) FROM turns WHERE lane = l.value)`,
        refs,
      ),
    );
    const openRequests = byLane(
      requests.all(
        `SELECT r.* FROM json_each(+?) AS l JOIN requests AS r ON r.lane = l.value AND r.state = 'open' ORDER BY r.asked_at`,
        refs,
      ),
    );
    const counts = byLane(
      db
        .query<{ lane: Ref; in_flight: number; unsure: number }, [string]>(
          `SELECT m.lane, sum(m.state <> 'unsure') AS in_flight, sum(m.state = 'unsure') AS unsure
             FROM json_each(+?) AS l JOIN messages AS m
               ON m.lane = l.value AND m.state IN ('claimed', 'sent', 'delivered', 'unsure')
            GROUP BY m.lane`,
        )
        .all(refs),
    );
    const synced = byLane(
      syncs.all("SELECT s.* FROM json_each(+?) AS l JOIN syncs AS s ON s.lane = l.value", refs),
    );
    const usage_limits = limited.list();
    return lanes.map((lane) => ({
      lane,
      latest: latest.get(lane.ref)?.[0] ?? null,
      in_flight: counts.get(lane.ref)?.[0]?.in_flight ?? 0,
      unsure: counts.get(lane.ref)?.[0]?.unsure ?? 0,
      requests: openRequests.get(lane.ref) ?? [],
      sync: synced.get(lane.ref)?.[0] ?? null,
      usage_limits,
    }));
  };
}

function byLane<T extends { lane: Ref }>(rows: readonly T[]): Map<Ref, T[]> {
  return Map.groupBy(rows, (row) => row.lane);
}
