import type { Database } from "bun:sqlite";
import { fail } from "../base/error.ts";
import type { Ref, Turn } from "../core/model/ports/rows.ts";
import type { Store } from "../core/model/ports/store.ts";
import { type Table, table } from "./table.ts";

export const turnTable = (db: Database): Table<Turn> => table<Turn>(db, "turns", { json: ["error"] });

/** The least UUIDv7 of a time. */
function firstIdAt(at: number): string {
  const hex = Math.max(0, Math.floor(at)).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}`;
}

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
    listNewest: (lane, limit) =>
      turns.all("SELECT * FROM turns WHERE lane = +? ORDER BY turn_id DESC LIMIT +?", lane, limit),
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
    listSince(lane, since, limit) {
      const floor = firstIdAt(since);
      const found = turns.all(
        "SELECT * FROM turns WHERE lane = +? AND turn_id >= +? ORDER BY turn_id DESC LIMIT +?",
        lane,
        floor,
        limit,
      );
      const before = turns.find(
        "SELECT * FROM turns WHERE lane = +? AND turn_id < +? ORDER BY turn_id DESC LIMIT 1",
        lane,
        floor,
      );
      const isInside =
        before && (before.completed_at ?? (before.status === "in_progress" ? since : 0)) >= since;
      return [...found, ...(isInside && found.length < limit ? [before] : [])].reverse();
    },
    dropFrom(lane, turnId) {
      db.query("DELETE FROM turns WHERE lane = ? AND turn_id >= ?").run(lane, turnId);
    },
    listRunning: () =>
      turns.all(
        "SELECT t.* FROM turns AS t JOIN lanes AS l ON l.ref = t.lane AND l.forgotten_at IS NULL AND l.source = 'own' WHERE t.status = 'in_progress'",
      ),
  };
}
