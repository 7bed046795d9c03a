import type { Database } from "bun:sqlite";
import { fail } from "../base/error.ts";
import type { Ref, Turn } from "../core/model/ports/rows.ts";
import type { Store } from "../core/model/ports/store.ts";
import { type Table, table } from "./table.ts";

export const turnTable = (db: Database): Table<Turn> => table<Turn>(db, "turns", { json: ["error"] });

/** Turn ids are UUIDv7: their order is the order of time. */
export function turnStore(db: Database): Store["turns"] {
  const turns = turnTable(db);
  const find = (lane: Ref, turnId: string) =>
    turns.find("SELECT * FROM turns WHERE lane = ? AND turn_id = ?", lane, turnId);
  return {
    find,
    get: (lane, turnId) =>
      find(lane, turnId) ??
      fail("not_found", `thread ${lane} has no turn ${turnId}`, { hint: `dispatch tail ${lane}` }),
    put(turn) {
      const { lane, turn_id, ...rest } = turn;
      if (turns.update(rest, "lane = ? AND turn_id = ?", lane, turn_id) === 0) turns.insert(turn);
    },
    latest: (lane) => turns.find("SELECT * FROM turns WHERE lane = +? ORDER BY turn_id DESC LIMIT 1", lane),
    next: (lane, after) =>
      turns.find(
        "SELECT * FROM turns WHERE lane = +? AND turn_id > +? ORDER BY turn_id LIMIT 1",
        lane,
        after ?? "",
      ),
    running: (lane) =>
      turns.all(
        "SELECT * FROM turns INDEXED BY turns_running WHERE lane = +? AND status = 'in_progress' ORDER BY turn_id",
        lane,
      ),
    dropFrom(lane, turnId) {
      db.query("DELETE FROM turns WHERE lane = ? AND turn_id >= ?").run(lane, turnId);
    },
    listRunning: () =>
      turns.all(
        "SELECT t.* FROM turns AS t JOIN lanes AS l ON l.ref = t.lane AND l.forgotten_at IS NULL AND l.source = 'own' WHERE t.status = 'in_progress'",
      ),
  };
}
