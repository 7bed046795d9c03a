/** A new registry in memory: a copy of one that was migrated once, since the migrations take longer than most tests. */
import { Database } from "bun:sqlite";
import type { Store } from "../../src/core/model/ports/store.ts";
import { openDb } from "../../src/store/db.ts";
import { storeOf } from "../../src/store/store.ts";

let template: Uint8Array | undefined;

export function memoryStore(): Store {
  template ??= openDb(":memory:", 0).serialize();
  const db = Database.deserialize(template, { strict: true });
  db.run("PRAGMA foreign_keys = ON");
  db.run("PRAGMA trusted_schema = OFF");
  db.run("UPDATE meta SET log_id = lower(hex(randomblob(4)))");
  return storeOf(db);
}
