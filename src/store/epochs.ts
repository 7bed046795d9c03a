import type { Database } from "bun:sqlite";
import type { EpochRow } from "../core/model/ports/rows.ts";
import type { Store } from "../core/model/ports/store.ts";
import { table } from "./table.ts";

export function epochStore(db: Database): Store["epochs"] {
  const epochs = table<EpochRow>(db, "epochs");
  return {
    open(child, at) {
      return db
        .query<{ id: number }, [number, number, string, string, number]>(
          'INSERT INTO epochs (pid, "group", start_time, boot_id, started_at) VALUES (?, ?, ?, ?, ?) RETURNING id',
        )
        .get(child.pid, child.group, child.start_time, child.boot_id, at)!.id;
    },
    markUp(id, version, at) {
      epochs.update({ version, up_at: at }, "id = ?", id);
    },
    end(id, reason, at) {
      epochs.update({ ended_at: at, end_reason: reason }, "id = ? AND ended_at IS NULL", id);
    },
    isEnded: (id) =>
      id !== null && db.query("SELECT 1 FROM epochs WHERE id = ? AND ended_at IS NOT NULL").get(id) !== null,
    unended: () => epochs.all("SELECT * FROM epochs WHERE ended_at IS NULL ORDER BY id"),
  };
}
