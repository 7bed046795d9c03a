import type { Database, SQLQueryBindings } from "bun:sqlite";
import { highestKey, lowestKey } from "../base/cursor.ts";
import { fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Message } from "../core/model/ports/rows.ts";
import type { MessageCursor, Store } from "../core/model/ports/store.ts";
import { table } from "./table.ts";

const step = limits.message.positionStep;

export function messageStore(db: Database): Store["messages"] {
  const messages = table<Message>(db, "messages", {
    json: ["settings", "error"],
    bool: ["joined", "or_queue"],
  });
  const number = (sql: string, lane: string) =>
    db.query<{ n: number | null }, [string]>(sql).get(lane)?.n ?? 0;
  const find = (id: string) => messages.find("SELECT * FROM messages WHERE id = ?", id);
  return {
    add: (message) => messages.insert(message),
    find,
    get: (id) => find(id) ?? fail("not_found", `no receipt ${id}`, { hint: "dispatch receipt list" }),
    findByKey: (key) => messages.find('SELECT * FROM messages WHERE "key" = ?', key),
    listSince: (since, limit) =>
      messages.all(
        "SELECT * FROM messages INDEXED BY messages_recent WHERE created_at >= +? ORDER BY created_at DESC, id DESC LIMIT +?",
        since,
        limit,
      ),
    set(id, change) {
      messages.update(change, "id = ?", id);
    },
    // The conditions repeat those of the partial indexes word for word, or SQLite would scan.
    next: (lane, urgent) =>
      urgent
        ? messages.find(
            "SELECT * FROM messages WHERE lane = +? AND state = 'queued' AND mode IN ('send', 'interject') ORDER BY position LIMIT 1",
            lane,
          )
        : messages.find(
            "SELECT * FROM messages WHERE lane = +? AND state = 'queued' AND mode <> 'context' AND NOT (mode = 'steer' AND target_turn_id IS NOT NULL) ORDER BY position LIMIT 1",
            lane,
          ),
    nextContext: (lane) =>
      messages.find(
        "SELECT * FROM messages WHERE lane = +? AND state = 'queued' AND mode = 'context' ORDER BY position LIMIT 1",
        lane,
      ),
    steers: (lane, turnId) =>
      messages.all(
        "SELECT * FROM messages WHERE lane = +? AND target_turn_id = +? AND mode = 'steer' AND state IN ('queued', 'claimed', 'sent') ORDER BY position",
        lane,
        turnId,
      ),
    countBusy: (epoch, cwd) =>
      db
        .query<{ n: number }, [number | null, string | null]>(
          `SELECT count(*) AS n FROM (
             SELECT lane FROM turns INDEXED BY turns_running WHERE status = 'in_progress' AND epoch = +?1
             UNION
             SELECT lane FROM messages INDEXED BY messages_one_in_flight
              WHERE state IN ('claimed', 'sent') AND mode <> 'context' AND via = 'turn')
            WHERE +?2 IS NULL OR (SELECT cwd FROM lanes WHERE ref = lane) = +?2`,
        )
        .get(epoch, cwd ?? null)!.n,
    inFlight: (lane) =>
      messages.find("SELECT * FROM messages WHERE lane = ? AND state IN ('claimed', 'sent')", lane),
    open: (lane) =>
      messages.all(
        "SELECT * FROM messages INDEXED BY messages_open WHERE lane = +? AND state IN ('claimed', 'sent', 'delivered', 'unsure') ORDER BY position",
        lane,
      ),
    ofTurn: (lane, turnId) =>
      messages.all(
        "SELECT * FROM messages WHERE lane = ? AND turn_id = ? AND state IN ('claimed', 'sent', 'delivered', 'unsure')",
        lane,
        turnId,
      ),
    answeredBy: (lane, turnId, limit) =>
      messages.all(
        `SELECT * FROM messages INDEXED BY messages_turn WHERE lane = +? AND turn_id = +?
          ORDER BY depth DESC LIMIT +?`,
        lane,
        turnId,
        limit,
      ),
    // Also behind the message in flight: if that returns to the queue, it is still first.
    position(lane, at) {
      if (at === "front")
        return (
          number("SELECT min(position) AS n FROM messages WHERE lane = +? AND state = 'queued'", lane) - step
        );
      if (at === "urgent") {
        const last = messages.find(
          "SELECT * FROM messages WHERE lane = +? AND state = 'queued' AND mode IN ('send', 'interject') ORDER BY position DESC LIMIT 1",
          lane,
        );
        if (!last) return this.position(lane, "front");
        const [next] = this.listQueued(lane, { after: [last.position, last.id], limit: 1 });
        return next ? this.positionBefore(lane, next.position) : last.position + step;
      }
      const queued = number(
        "SELECT max(position) AS n FROM messages WHERE lane = +? AND state = 'queued'",
        lane,
      );
      const inFlight = number(
        "SELECT max(position) AS n FROM messages WHERE lane = +? AND state IN ('claimed', 'sent')",
        lane,
      );
      return Math.max(queued, inFlight) + step;
    },
    positionBefore(lane, position) {
      const before = ["state = 'queued'", "state IN ('claimed', 'sent')"].map(
        (state) =>
          db
            .query<{ n: number | null }, [string, number]>(
              `SELECT max(position) AS n FROM messages WHERE lane = +? AND ${state} AND position < +?`,
            )
            .get(lane, position)!.n ?? position - 2 * step,
      );
      const last = Math.max(...before);
      const middle = Math.floor((last + position) / 2);
      if (middle > last) return middle;
      db.query(
        "UPDATE messages SET position = position + ? WHERE lane = ? AND state = 'queued' AND position >= ?",
      ).run(step, lane, position);
      return Math.floor((last + position + step) / 2);
    },
    countFrom: (lane, caller, since) =>
      db
        .query<{ n: number }, [string, number, string]>(
          "SELECT count(*) AS n FROM messages INDEXED BY messages_lane WHERE lane = ? AND created_at >= ? AND caller = ?",
        )
        .get(lane, since, caller)!.n,
    first: (lane) =>
      messages.find("SELECT * FROM messages WHERE lane = +? ORDER BY created_at, id LIMIT 1", lane),
    listQueued: (lane, { after, limit }) =>
      messages.all(
        "SELECT * FROM messages WHERE lane = +? AND state = 'queued' AND (position, id) > (+?, +?) ORDER BY position, id LIMIT +?",
        lane,
        ...(after ?? lowestKey),
        limit,
      ),
    list({ lane, states, after, limit }) {
      const where = ["(created_at, id) < (+?, +?)"];
      const params: SQLQueryBindings[] = [...(after ?? highestKey)];
      if (lane) {
        where.push("lane = +?");
        params.push(lane);
      }
      if (states) {
        where.push(`state IN (${states.map(() => "+?").join(", ")})`);
        params.push(...states);
      }
      // The index of those repeats this condition word for word.
      if (states && !states.includes("done")) where.push("state <> 'done'");
      return messages.all(
        `SELECT * FROM messages WHERE ${where.join(" AND ")} ORDER BY created_at DESC, id DESC LIMIT +?`,
        ...params,
        limit,
      );
    },
    dropTexts({ before, after, limit }) {
      const page = db
        .query<MessageCursor, [number, number, string, number]>(
          `SELECT created_at, id FROM messages
            WHERE created_at < +? AND (created_at, id) > (+?, +?) ORDER BY created_at, id LIMIT +?`,
        )
        .all(before, after?.created_at ?? 0, after?.id ?? "", limit);
      db.query(
        `UPDATE messages SET text = '' WHERE id IN (SELECT value FROM json_each(?))
            AND state IN ('done', 'failed', 'cancelled') AND text <> ''`,
      ).run(JSON.stringify(page.map(({ id }) => id)));
      return page.length < limit ? null : page.at(-1)!;
    },
  };
}
