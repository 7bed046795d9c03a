import type { Database, SQLQueryBindings } from "bun:sqlite";
import { limits } from "../base/limits.ts";
import type { EventRow } from "../core/event.ts";
import type { Store } from "../core/ports/store.ts";
import { table } from "./table.ts";

export function logStore(db: Database): Store["log"] {
  const id = db.query<{ log_id: string }, []>("SELECT log_id FROM meta").get()!.log_id;
  return {
    id: () => id,
    first: () => db.query<{ seq: number | null }, []>("SELECT min(seq) AS seq FROM events").get()?.seq ?? 1,
    last: () => db.query<{ last_seq: number }, []>("SELECT last_seq FROM meta").get()!.last_seq,
    codexHome: () => db.query<{ codex_home: string | null }, []>("SELECT codex_home FROM meta").get()!.codex_home,
    setCodexHome(home) {
      db.query("UPDATE meta SET codex_home = ?").run(home);
    },
  };
}

export function eventStore(db: Database): Store["events"] {
  const events = table<EventRow>(db, "events", { json: ["data"] });
  const marks = (n: number) => Array(n).fill("?").join(", ");
  return {
    // AUTOINCREMENT leaves holes when a transaction is rolled back; this sequence has none.
    append(event, at) {
      const seq = db
        .query<{ last_seq: number }, []>("UPDATE meta SET last_seq = last_seq + 1 RETURNING last_seq")
        .get()!.last_seq;
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
    list({ after, limit, kinds, lanes }) {
      const where = ["seq > ?"];
      const params: SQLQueryBindings[] = [after];
      if (kinds) {
        where.push(`kind IN (${marks(kinds.length)})`);
        params.push(...kinds);
      }
      if (lanes) {
        where.push(`lane IN (${marks(lanes.length)})`);
        params.push(...lanes);
      }
      return events.all(`SELECT * FROM events WHERE ${where.join(" AND ")} ORDER BY seq LIMIT ?`, ...params, limit);
    },
    newest({ kinds, limit }) {
      return events.all(
        `SELECT * FROM events WHERE kind IN (${marks(kinds.length)}) ORDER BY seq DESC LIMIT ?`,
        ...kinds,
        limit,
      );
    },
    prune(before) {
      return db.query("DELETE FROM events WHERE at < ? AND seq < (SELECT last_seq FROM meta)").run(before).changes;
    },
  };
}

/** The log holds ids and previews; whatever is larger is replaced by a word saying so, never stored. */
function bounded(data: Record<string, unknown>): Record<string, unknown> {
  const bytes = Buffer.byteLength(JSON.stringify(data));
  return bytes <= limits.eventDataBytesMax ? data : { dropped: `${bytes} bytes are over the limit of an event` };
}
