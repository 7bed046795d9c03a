import type { Database } from "bun:sqlite";
import type { Lane, LaneFacts, Ref, Request, Store, Turn } from "../core/ports/store.ts";
import { requestTable } from "./requests.ts";
import { table } from "./table.ts";
import { turnTable } from "./turns.ts";

const live = "forgotten_at IS NULL";

export function laneStore(db: Database): Store["lanes"] {
  const lanes = table<Lane>(db, "lanes", {
    json: ["settings", "effective", "goal", "tokens", "last_message"],
    bool: ["overridden"],
    hidden: ["forgotten_at"],
  });
  const readFacts = factsReader(db);

  return {
    add: (lane) => lanes.insert(lane),
    get: (ref) => lanes.one(`SELECT * FROM lanes WHERE ref = ? AND ${live}`, ref),
    set(ref, change) {
      lanes.update(change, "ref = ?", ref);
    },
    forget(ref, at) {
      db.query("UPDATE lanes SET forgotten_at = ? WHERE ref = ?").run(at, ref);
    },
    findByThread: (threadId) => lanes.one(`SELECT * FROM lanes WHERE thread_id = ? AND ${live}`, threadId),
    findByHandle: (handle) =>
      lanes.one(
        `SELECT * FROM lanes WHERE handle = ? AND ${live} ORDER BY archived_at IS NOT NULL LIMIT 1`,
        handle,
      ),
    findByTitle: (title) => lanes.all(`SELECT * FROM lanes WHERE title = ? AND ${live} LIMIT 20`, title),
    // Refs hold only letters and digits, so the prefix needs no escape; the range uses the primary key.
    findByPrefix: (prefix) =>
      lanes.all(`SELECT * FROM lanes WHERE ref >= ? AND ref < ? AND ${live} LIMIT 20`, prefix, `${prefix}{`),
    findByCreateKey: (key) => lanes.one(`SELECT * FROM lanes WHERE create_key = ?`, key),
    isRefTaken: (ref) => db.query("SELECT 1 FROM lanes WHERE ref = ?").get(ref) !== null,
    facts(ref) {
      const lane = lanes.one(`SELECT * FROM lanes WHERE ref = ? AND ${live}`, ref);
      return lane && readFacts(lane);
    },
    listFacts: ({ archived, limit }) =>
      lanes
        .all(
          `SELECT * FROM lanes WHERE ${live} AND (archived_at IS NOT NULL) = ? ORDER BY updated_at DESC, ref LIMIT ?`,
          archived ? 1 : 0,
          limit,
        )
        .map(readFacts),
    count: () => db.query<{ n: number }, []>(`SELECT count(*) AS n FROM lanes WHERE ${live}`).get()!.n,
    unfinished: () =>
      db
        .query<{ ref: Ref }, []>(
          `SELECT ref FROM lanes WHERE ${live} AND archived_at IS NULL AND gone_at IS NULL AND ref IN (
             SELECT ref FROM lanes WHERE setup <> 'ready'
             UNION SELECT lane FROM turns WHERE status = 'in_progress'
             UNION SELECT ref FROM lanes WHERE pending > 0
             UNION SELECT lane FROM messages WHERE state IN ('claimed', 'sent', 'delivered'))`,
        )
        .all()
        .map((row) => row.ref),
  };
}

/** The rows a view needs beside the lane's own: four look-ups by index. */
function factsReader(db: Database): (lane: Lane) => LaneFacts {
  const turns = turnTable(db);
  const requests = requestTable(db);
  const count = (sql: string, ref: Ref) => db.query<{ n: number }, [string]>(sql).get(ref)!.n;
  return (lane) => {
    const latest: Turn | undefined = turns.one(
      "SELECT * FROM turns WHERE lane = ? ORDER BY turn_id DESC LIMIT 1",
      lane.ref,
    );
    const open: Request[] = requests.all(
      "SELECT * FROM requests WHERE lane = ? AND state = 'open' ORDER BY asked_at",
      lane.ref,
    );
    return {
      lane,
      latest: latest ?? null,
      in_flight: count(
        "SELECT count(*) AS n FROM messages WHERE lane = ? AND state IN ('claimed', 'sent', 'delivered')",
        lane.ref,
      ),
      unsure: count("SELECT count(*) AS n FROM messages WHERE lane = ? AND state = 'unsure'", lane.ref),
      requests: open,
    };
  };
}
