/** The Store port on SQLite. */
import type { Database } from "bun:sqlite";
import { fail } from "../base/error.ts";
import type { Counts } from "../core/model/ports/rows.ts";
import type { Store } from "../core/model/ports/store.ts";
import { automationStore, inboxStore, outboxStore } from "./automations.ts";
import { closeDb, openDb } from "./db.ts";
import { epochStore } from "./epochs.ts";
import { fileError, storageError } from "./errors.ts";
import { eventStore, logStore } from "./events.ts";
import { itemStore } from "./items.ts";
import { laneStore } from "./lanes.ts";
import { messageStore } from "./messages.ts";
import { profileStore } from "./profiles.ts";
import { relayStore } from "./relay.ts";
import { requestStore } from "./requests.ts";
import { toolCallStore } from "./toolcalls.ts";
import { turnStore } from "./turns.ts";
import { usageStore } from "./usage.ts";
import { usageLimitStore } from "./usagelimits.ts";
import { walSync } from "./walsync.ts";

/** `path` may be `:memory:`. Throws `storage`. */
export function openStore(path: string, now: number): Store {
  return storeOf(openDb(path, now));
}

/** Over a database as `openDb` returns it. */
export function storeOf(db: Database): Store {
  const count = (sql: string) => db.query<{ n: number }, []>(sql).get()!.n;
  // As `openDb` leaves it.
  let synchronous: "FULL" | "NORMAL" = "FULL";
  const wal = walSync(db.filename, () => {
    const row = db.query<{ busy: number }, []>("PRAGMA wal_checkpoint(TRUNCATE)").get();
    if (row?.busy !== 0) fail("storage", "the registry could not be written as a whole; it is tried again");
  });

  /** Set where it changes only: most transactions are of one kind, one after the other. */
  function synchronise(wanted: "FULL" | "NORMAL"): void {
    if (synchronous === wanted) return;
    db.run(`PRAGMA synchronous = ${wanted}`);
    synchronous = wanted;
  }

  return {
    tx(fn, how = "durable") {
      if (db.inTransaction) return fn();
      try {
        synchronise(how === "durable" ? "FULL" : "NORMAL");
        const result = db.transaction(fn).immediate();
        if (how === "soon") wal.wrote();
        return result;
      } catch (thrown) {
        throw storageError(thrown, "writing");
      }
    },
    async synced() {
      try {
        await wal.synced();
      } catch (thrown) {
        throw fileError(thrown, "confirming what was written");
      }
    },
    log: logStore(db),
    events: eventStore(db),
    epochs: epochStore(db),
    lanes: laneStore(db),
    turns: turnStore(db),
    messages: messageStore(db),
    requests: requestStore(db),
    toolCalls: toolCallStore(db),
    items: itemStore(db),
    usageLimits: usageLimitStore(db),
    usage: usageStore(db),
    profiles: profileStore(db),
    relay: relayStore(db),
    automations: automationStore(db),
    inbox: inboxStore(db),
    outbox: outboxStore(db),
    counts(): Counts {
      const states = db
        .query<{ state: string; n: number }, []>(
          `SELECT state, count(*) AS n FROM messages INDEXED BY messages_open
            WHERE state IN ('claimed', 'sent', 'delivered', 'unsure') GROUP BY state`,
        )
        .all();
      return {
        lanes: count("SELECT count(*) AS n FROM lanes WHERE forgotten_at IS NULL"),
        queued: count("SELECT count(*) AS n FROM messages WHERE state = 'queued'"),
        requests: count("SELECT count(*) AS n FROM requests WHERE state = 'open'"),
        messages: Object.fromEntries(states.map((row) => [row.state, row.n])),
      };
    },
    close() {
      wal.close();
      closeDb(db);
    },
  };
}
