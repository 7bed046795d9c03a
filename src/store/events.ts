import type { Database, SQLQueryBindings } from "bun:sqlite";
import { limits } from "../base/limits.ts";
import type { EventRow } from "../core/model/events.ts";
import type { Ref } from "../core/model/ports/rows.ts";
import type { Store } from "../core/model/ports/store.ts";
import { table } from "./table.ts";

export function logStore(db: Database): Store["log"] {
  const id = db.query<{ log_id: string }, []>("SELECT log_id FROM meta").get()!.log_id;
  // Kept, as it is asked for most often of all: to look it up by its text takes as long as to run it.
  const last = db.query<{ last_seq: number }, []>("SELECT last_seq FROM meta");
  return {
    id: () => id,
    first: () => db.query<{ seq: number | null }, []>("SELECT min(seq) AS seq FROM events").get()?.seq ?? 1,
    last: () => last.get()!.last_seq,
    catalogue() {
      const row = db
        .query<{ catalogue: string | null; catalogue_at: number }, []>(
          "SELECT catalogue, catalogue_at FROM meta",
        )
        .get()!;
      return row.catalogue === null ? null : { catalogue: JSON.parse(row.catalogue), at: row.catalogue_at };
    },
    setCatalogue(catalogue, at) {
      db.query("UPDATE meta SET catalogue = ?, catalogue_at = ?").run(JSON.stringify(catalogue), at);
    },
    codexHome: () =>
      db.query<{ codex_home: string | null }, []>("SELECT codex_home FROM meta").get()!.codex_home,
    setCodexHome(home) {
      db.query("UPDATE meta SET codex_home = ?").run(home);
    },
  };
}

export function eventStore(db: Database): Store["events"] {
  const events = table<EventRow>(db, "events", { json: ["data"] });
  const log = logStore(db);
  // AUTOINCREMENT leaves holes when a transaction is rolled back; this sequence has none.
  const next = db.query<{ last_seq: number }, []>(
    "UPDATE meta SET last_seq = last_seq + 1 RETURNING last_seq",
  );
  return {
    append(event, at) {
      const seq = next.get()!.last_seq;
      events.insert({
        seq,
        at,
        kind: event.kind,
        lane: event.lane ?? null,
        turn_id: event.turn_id ?? null,
        receipt: event.receipt ?? null,
        data: bounded(event.data ?? {}),
      });
      return seq;
    },
    list({ after, limit, ...filter }) {
      // A reader at the end of the log has few rows to look at: to read them costs less than a look-up for each kind.
      const isAtEnd = log.last() - after <= limits.event.tailRows;
      const { where, params } = filterSql(filter, isAtEnd);
      return events.all(
        `SELECT * FROM events WHERE seq > +? ${where} ORDER BY seq LIMIT +?`,
        after,
        ...params,
        limit,
      );
    },
    newest({ limit, ...filter }) {
      const { where, params } = filterSql(filter);
      return events.all(`SELECT * FROM events WHERE 1 ${where} ORDER BY seq DESC LIMIT +?`, ...params, limit);
    },
    workingAgents: () =>
      db
        .query<{ lane: Ref; working: number }, []>(
          `SELECT lane, data ->> '$.working' AS working
           FROM (SELECT lane, data, max(seq) FROM events
                 WHERE kind = 'thread.agents'
                 AND seq > ifnull((SELECT max(seq) FROM events WHERE kind = 'codex.up'), 0)
                 GROUP BY lane)
           WHERE working > 0`,
        )
        .all(),
    lanesSince: (seq) =>
      db
        .query<{ lane: Ref | null }, [number]>(
          "SELECT lane FROM events WHERE seq > ? AND kind <> 'op.called'",
        )
        .all(seq)
        .map((row) => row.lane),
    // Only the oldest rows are read: the log is in the order of time, and has no index by time.
    prune(before, limit) {
      const { last } = db
        .query<{ last: number | null }, [number, number]>(
          "SELECT max(seq) AS last FROM (SELECT seq, at FROM events ORDER BY seq LIMIT +?2) WHERE at < +?1",
        )
        .get(before, limit)!;
      if (last === null) return 0;
      return db
        .query("DELETE FROM events WHERE seq <= ?2 AND at < ?1 AND seq < (SELECT last_seq FROM meta)")
        .run(before, last).changes;
    },
  };
}

/** The log has ids and previews only. Larger data is replaced by a note, never stored. */
function bounded(data: Record<string, unknown>): Record<string, unknown> {
  const bytes = Buffer.byteLength(JSON.stringify(data));
  return bytes <= limits.event.dataBytesMax
    ? data
    : { dropped: `${bytes} bytes are over the limit of an event` };
}

/** `isScan`: kinds are compared row by row, and not looked up by their index. */
function filterSql(
  filter: { kinds?: readonly string[]; lanes?: readonly Ref[] },
  isScan = false,
): {
  where: string;
  params: SQLQueryBindings[];
} {
  const oneOf = (column: string, values: readonly string[] | undefined) =>
    values ? `AND ${column} IN (${values.map(() => "+?").join(", ")})` : "";
  return {
    where: `${oneOf(isScan ? "+kind" : "kind", filter.kinds)} ${oneOf("lane", filter.lanes)}`,
    params: [...(filter.kinds ?? []), ...(filter.lanes ?? [])],
  };
}
