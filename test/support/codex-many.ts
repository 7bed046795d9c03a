/** A Codex home that knows very many threads: one real thread's row in Codex's own database, copied. */
import { Database } from "bun:sqlite";
import { readdirSync } from "node:fs";
import { join } from "node:path";

/** To be called while no Codex runs on this home. The rollout is shared: these threads are for listing only. */
export function copyThreads(home: string, count: number): string[] {
  const threads = Array.from({ length: count }, (_, at) => ({
    id: `01a00000-0000-7000-8000-${String(at).padStart(12, "0")}`,
  }));
  addThreads(home, threads);
  return threads.map(({ id }) => id);
}

/** `rollout_path`: where a thread has one of its own. */
export function addThreads(home: string, threads: readonly { id: string; rollout_path?: string }[]): void {
  const name = readdirSync(home).find((file) => /^state_\d+\.sqlite$/.test(file));
  if (!name) throw new Error(`${home} holds no state database of Codex's`);
  const db = new Database(join(home, name));
  const row = db.query<Record<string, string | number | null>, []>("SELECT * FROM threads LIMIT 1").get();
  if (!row) throw new Error("a real thread with a turn is wanted first");
  const columns = Object.keys(row);
  const insert = db.query(
    `INSERT INTO threads (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
  );
  db.transaction(() => {
    for (const [at, thread] of threads.entries()) {
      const copy: typeof row = {
        ...row,
        ...thread,
        name: `thread ${at}`,
        title: `thread ${at}`,
        updated_at_ms: Number(row["updated_at_ms"]) - at - 1,
      };
      insert.run(...columns.map((column) => copy[column] ?? null));
    }
  })();
  db.close();
}
