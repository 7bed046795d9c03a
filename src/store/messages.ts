import type { Database, SQLQueryBindings } from "bun:sqlite";
import type { Message, Store } from "../core/ports/store.ts";
import { table } from "./table.ts";

export function messageStore(db: Database): Store["messages"] {
  const messages = table<Message>(db, "messages", {
    json: ["settings", "error"],
    bool: ["joined", "or_queue"],
  });
  const number = (sql: string, lane: string) =>
    db.query<{ n: number | null }, [string]>(sql).get(lane)?.n ?? 0;
  return {
    add: (message) => messages.insert(message),
    get: (id) => messages.one("SELECT * FROM messages WHERE id = ?", id),
    findByKey: (key) => messages.one('SELECT * FROM messages WHERE "key" = ?', key),
    set(id, change) {
      messages.update(change, "id = ?", id);
    },
    next: (lane) =>
      messages.one(
        "SELECT * FROM messages WHERE lane = ? AND state = 'queued' ORDER BY position LIMIT 1",
        lane,
      ),
    open: (lane) =>
      messages.all(
        "SELECT * FROM messages WHERE lane = ? AND state IN ('claimed', 'sent', 'delivered', 'unsure') ORDER BY position",
        lane,
      ),
    ofTurn: (lane, turnId) =>
      messages.all(
        "SELECT * FROM messages WHERE lane = ? AND turn_id = ? AND state IN ('claimed', 'sent', 'delivered', 'unsure')",
        lane,
        turnId,
      ),
    countQueued: (lane) =>
      number("SELECT count(*) AS n FROM messages WHERE lane = ? AND state = 'queued'", lane),
    position: (lane, at) =>
      at === "back"
        ? number("SELECT max(position) AS n FROM messages WHERE lane = ? AND state = 'queued'", lane) + 1
        : number("SELECT min(position) AS n FROM messages WHERE lane = ? AND state = 'queued'", lane) - 1,
    listQueued: (lane, { after, limit }) =>
      messages.all(
        "SELECT * FROM messages WHERE lane = ? AND state = 'queued' AND position > ? ORDER BY position LIMIT ?",
        lane,
        after ?? Number.MIN_SAFE_INTEGER,
        limit,
      ),
    list({ lane, states, limit }) {
      const where = ["1"];
      const params: SQLQueryBindings[] = [];
      if (lane) {
        where.push("lane = ?");
        params.push(lane);
      }
      if (states) {
        where.push(`state IN (${states.map(() => "?").join(", ")})`);
        params.push(...states);
      }
      return messages.all(
        `SELECT * FROM messages WHERE ${where.join(" AND ")} ORDER BY created_at DESC, id DESC LIMIT ?`,
        ...params,
        limit,
      );
    },
  };
}
