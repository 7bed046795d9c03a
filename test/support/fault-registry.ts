/** Read-only eyes on a daemon's registry: where a test cuts, and what was promised. Never used to ask for a status. */
import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";

export interface EpochSeen {
  id: number;
  pid: number;
  group: number;
  start_time: string;
  up_at: number | null;
  started_at: number;
  ended_at: number | null;
}

export interface MessageSeen {
  id: string;
  lane: string;
  mode: string;
  text: string;
  state: string;
  outcome: string | null;
  attempt: number;
  key: string | null;
  error: string | null;
}

export interface LaneSeen {
  ref: string;
  title: string;
  thread_id: string | null;
  rollout_path: string | null;
  setup: string;
  hold_reason: string | null;
  create_key: string | null;
  pending: number;
}

export interface EventSeen {
  seq: number;
  kind: string;
  receipt: string | null;
}

export interface Registry {
  /** The newest life of Codex, unless it is over. */
  child(): EpochSeen | undefined;
  epochs(): EpochSeen[];
  lanes(): LaneSeen[];
  messages(): MessageSeen[];
  lastSeq(): number;
  eventsAfter(seq: number): EventSeen[];
  close(): void;
}

export function registryAt(path: string): Registry {
  let db: Database | undefined;
  const all = <T>(sql: string, ...given: number[]): T[] => {
    if (db === undefined) {
      if (!existsSync(path)) return [];
      db = new Database(path, { readonly: true });
      db.run("PRAGMA busy_timeout = 1000");
    }
    try {
      return db.query<T, number[]>(sql).all(...given);
    } catch (thrown) {
      // It is just being made, or recovered after a kill: there is nothing to see yet.
      if (/no such table|locked|busy|unable to open/i.test(String(thrown))) return [];
      throw thrown;
    }
  };
  return {
    child: () => {
      const newest = all<EpochSeen>("SELECT * FROM epochs ORDER BY id DESC LIMIT 1")[0];
      return newest?.ended_at === null ? newest : undefined;
    },
    epochs: () => all("SELECT * FROM epochs ORDER BY id"),
    lanes: () =>
      all(
        "SELECT ref, title, thread_id, setup, rollout_path, hold_reason, create_key, pending FROM lanes WHERE forgotten_at IS NULL",
      ),
    messages: () =>
      all('SELECT id, lane, mode, text, state, outcome, attempt, "key", error FROM messages ORDER BY rowid'),
    lastSeq: () => all<{ seq: number }>("SELECT last_seq AS seq FROM meta")[0]?.seq ?? 0,
    eventsAfter: (seq) => all("SELECT seq, kind, receipt FROM events WHERE seq > ? ORDER BY seq", seq),
    close: () => db?.close(),
  };
}
