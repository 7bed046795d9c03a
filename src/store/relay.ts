import type { Database, SQLQueryBindings } from "bun:sqlite";
import { highestKey } from "../base/cursor.ts";
import type { Arrived, Relayed, RelayStore } from "../core/model/ports/relay.ts";
import { table } from "./table.ts";

export function relayStore(db: Database): RelayStore {
  const relayed = table<Relayed>(db, "relayed", { json: ["error", "asks"], bool: ["joined"] });
  const arrived = table<Arrived>(db, "arrived", { json: ["error"] });
  return {
    addRelayed: (row) => relayed.insert(row),
    findRelayed: (id) => relayed.find("SELECT * FROM relayed WHERE id = ?", id),
    findRelayedByKey: (key) => relayed.find('SELECT * FROM relayed WHERE "key" = ?', key),
    setRelayed(id, change) {
      relayed.update(change, "id = ?", id);
    },
    listRelayed({ states, after, limit }) {
      const params: SQLQueryBindings[] = states ? [...states] : [];
      const where = states ? `state IN (${states.map(() => "+?").join(", ")})` : "1";
      return relayed.all(
        `SELECT * FROM relayed INDEXED BY relayed_recent WHERE ${where} AND (created_at, id) < (+?, +?)
          ORDER BY created_at DESC, id DESC LIMIT +?`,
        ...params,
        ...(after ?? highestKey),
        limit,
      );
    },
    countRelayed: (target, caller, since) =>
      db
        .query<{ n: number }, [string, number, string]>(
          `SELECT count(*) AS n FROM relayed INDEXED BY relayed_target
            WHERE target = ? AND created_at >= ? AND caller = ?`,
        )
        .get(target, since, caller)!.n,
    addArrived: (row) => arrived.insert(row),
    findArrived: (id) => arrived.find("SELECT * FROM arrived WHERE id = ?", id),
    setArrived(id, change) {
      arrived.update(change, "id = ?", id);
    },
    removeArrived(id) {
      db.query("DELETE FROM arrived WHERE id = ?").run(id);
    },
    // The conditions repeat that of the partial index word for word.
    listArrived: (states, limit) =>
      arrived.all(
        `SELECT * FROM arrived INDEXED BY arrived_open
          WHERE state IN ('claiming', 'won', 'taken') AND pool IS NOT NULL
            AND state IN (${states.map(() => "+?").join(", ")}) ORDER BY created_at, id LIMIT +?`,
        ...states,
        limit,
      ),
    countOpen: (pool) =>
      db
        .query<{ n: number }, [string]>(
          `SELECT count(*) AS n FROM arrived INDEXED BY arrived_open
            WHERE state IN ('claiming', 'won', 'taken') AND pool IS NOT NULL AND pool = ?`,
        )
        .get(pool)!.n,
    cursor: () =>
      db.query<{ cursor: number | null }, []>('SELECT "cursor" FROM relay WHERE id = 1').get()!.cursor,
    setCursor(seq) {
      db.query('UPDATE relay SET "cursor" = ? WHERE id = 1').run(seq);
    },
    prune(before, limit) {
      const drop = (table: string, ended: string) =>
        db
          .query(
            `DELETE FROM ${table} WHERE id IN
               (SELECT id FROM ${table} WHERE created_at < +? AND state IN (${ended}) ORDER BY created_at LIMIT +?)`,
          )
          .run(before, limit).changes;
      return drop("relayed", "'done', 'failed', 'cancelled'") + drop("arrived", "'over', 'refused'");
    },
  };
}
