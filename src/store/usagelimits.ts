import type { Database } from "bun:sqlite";
import type { UsageLimit } from "../core/model/ports/rows.ts";
import type { Store } from "../core/model/ports/store.ts";
import { table } from "./table.ts";

export function usageLimitStore(db: Database): Store["usageLimits"] {
  const rows = table<UsageLimit>(db, "usage_limits");
  const remove = (provider: string) => {
    db.query("DELETE FROM usage_limits WHERE provider = ?").run(provider);
  };
  return {
    list: () => rows.all("SELECT * FROM usage_limits ORDER BY provider"),
    put(limit) {
      remove(limit.provider);
      rows.insert(limit);
    },
    remove,
  };
}
