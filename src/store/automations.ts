import type { Database } from "bun:sqlite";
import { highestKey, lowestKey } from "../base/cursor.ts";
import type {
  Automation,
  AutomationStore,
  Firing,
  InboxMessage,
  InboxStore,
  OpenFiring,
  OutboxStore,
  Outgoing,
  Watched,
  When,
  Work,
} from "../core/model/ports/automation.ts";
import { table } from "./table.ts";

export function automationStore(db: Database): AutomationStore {
  const automations = table<Automation>(db, "automations", { json: ["when", "action", "guards"] });
  const watchers = table<Automation & { watched_holds: boolean; watched_seq: number | null }>(
    db,
    "automations",
    {
      json: ["when", "action", "guards"],
      bool: ["watched_holds"],
    },
  );
  const watched = table<Watched>(db, "watched", { bool: ["holds"] });
  let version = 0;
  const firings = table<Firing>(db, "firings");
  const works = table<OpenFiring>(db, "firings", { json: ["work"] });
  const find = (id: string) => automations.find("SELECT * FROM automations WHERE id = ?", id);
  // Kept, as they are asked for at each round: to look them up by their text takes as long as to run them.
  const active = db.query(
    "SELECT 1 FROM automations INDEXED BY automations_lane WHERE state = 'active' LIMIT 1",
  );
  const nextDue = db.query<{ at: number | null }, []>(
    "SELECT min(due_at) AS at FROM automations WHERE state = 'active' AND due_at IS NOT NULL",
  );
  return {
    add(row, lanes) {
      version++;
      automations.insert(row);
      for (const lane of lanes) watched.insert({ automation: row.id, lane, holds: false, seq: null });
    },
    find,
    findByName: (name) =>
      automations.find(
        "SELECT * FROM automations WHERE name = +? AND face = 'trigger' AND state <> 'ended' LIMIT 1",
        name,
      ) ??
      automations.find(
        "SELECT * FROM automations WHERE name = +? AND face = 'trigger' ORDER BY created_at DESC LIMIT 1",
        name,
      ),
    set(id, change) {
      if (change.state !== undefined) version++;
      automations.update(change, "id = ?", id);
    },
    version: () => version,
    whens: () =>
      db
        .query<{ when: string }, []>("SELECT DISTINCT \"when\" FROM automations WHERE state = 'active'")
        .all()
        .map((row) => JSON.parse(row.when) as When),
    remove(id) {
      db.query("DELETE FROM automations WHERE id = ?").run(id);
    },
    list: ({ face, lane, after, limit }) =>
      automations.all(
        `SELECT * FROM automations WHERE face = +? AND (created_at, id) < (+?, +?)${lane === undefined ? "" : " AND lane IS +?"}
          ORDER BY created_at DESC, id DESC LIMIT +?`,
        face,
        ...(after ?? highestKey),
        ...(lane === undefined ? [] : [lane]),
        limit,
      ),
    count: () =>
      db.query<{ n: number }, []>("SELECT count(*) AS n FROM automations WHERE state <> 'ended'").get()!.n,
    due: (now, limit) =>
      automations.all(
        "SELECT * FROM automations WHERE state = 'active' AND due_at IS NOT NULL AND due_at <= +? ORDER BY due_at LIMIT +?",
        now,
        limit,
      ),
    nextDue: () => nextDue.get()!.at,
    // Two questions, each by the index of the watched: asked in one, all who watch would be walked.
    watching: (lane) =>
      (lane === null ? ["*"] : ["*", lane]).flatMap((name) =>
        watchers
          .all(
            `SELECT a.*, coalesce(m.holds, 0) AS watched_holds, m.seq AS watched_seq
               FROM watched AS w INDEXED BY watched_lane JOIN automations AS a ON a.id = w.automation
               LEFT JOIN watched AS m ON m.automation = w.automation AND m.lane = +?2
              WHERE w.lane = +?1 AND w.named = 1 AND a.state = 'active'`,
            name,
            lane,
          )
          .map(({ watched_holds, watched_seq, ...automation }) => ({
            automation,
            watched: { automation: automation.id, lane: lane ?? "*", holds: watched_holds, seq: watched_seq },
          })),
      ),
    concerning: (lane) => [
      ...automations.all("SELECT * FROM automations WHERE lane = ? AND state = 'active'", lane),
      ...automations.all(
        `SELECT a.* FROM watched AS w INDEXED BY watched_lane JOIN automations AS a ON a.id = w.automation
          WHERE w.lane = +?1 AND w.named = 1 AND a.state = 'active' AND a.lane IS NOT +?1`,
        lane,
      ),
    ],
    hasActive: () => active.get() !== null,
    watched: (id) => watched.all("SELECT * FROM watched WHERE automation = ? AND named = 1", id),
    setWatched(id, lane, { holds, seq }) {
      db.query(
        `INSERT INTO watched (automation, lane, holds, seq, named) VALUES (?, ?, ?, ?, 0)
         ON CONFLICT (automation, lane) DO UPDATE SET holds = excluded.holds, seq = excluded.seq`,
      ).run(id, lane, holds ? 1 : 0, seq);
    },
    spendWatched(id) {
      db.query("UPDATE watched SET seq = NULL WHERE automation = ?").run(id);
    },
    hasFired: (id, slot) =>
      db.query("SELECT 1 FROM firings WHERE automation = ? AND slot = ?").get(id, slot) !== null,
    fire: (firing, work) => works.insert({ ...firing, work: work ?? null } as OpenFiring),
    opens: (limit) =>
      works.all(
        `SELECT * FROM firings
          WHERE id IN (SELECT min(id) FROM firings INDEXED BY firings_open WHERE outcome = 'open' GROUP BY automation)
          ORDER BY id LIMIT +?`,
        limit,
      ),
    countOpen: (id) =>
      db
        .query<{ n: number }, [string]>(
          "SELECT count(*) AS n FROM firings INDEXED BY firings_open WHERE automation = ? AND outcome = 'open'",
        )
        .get(id)!.n,
    settle: (id, change) =>
      works.update({ ...change, work: null as unknown as Work }, "id = ? AND outcome = 'open'", id) > 0,
    firings: (id, limit) =>
      firings.all(
        `SELECT automation, slot, at, outcome, reason, slots, receipt, lane, seq FROM firings
          WHERE automation = +? ORDER BY id DESC LIMIT +?`,
        id,
        limit,
      ),
    cursor: () =>
      db.query<{ automation_seq: number }, []>("SELECT automation_seq FROM meta").get()!.automation_seq,
    setCursor(seq) {
      db.query("UPDATE meta SET automation_seq = ?").run(seq);
    },
    // Firings by their rowid, which grows with the time.
    prune: (before, limit) =>
      db
        .query("DELETE FROM firings WHERE id IN (SELECT id FROM firings ORDER BY id LIMIT ?2) AND at < ?1")
        .run(before, limit).changes +
      db
        .query(
          `DELETE FROM automations WHERE id IN
            (SELECT id FROM automations INDEXED BY automations_ended WHERE state = 'ended' AND updated_at < ?1 LIMIT ?2)`,
        )
        .run(before, limit).changes,
  };
}

export function inboxStore(db: Database): InboxStore {
  const inbox = table<InboxMessage>(db, "inbox");
  return {
    add: (message) => inbox.insert(message),
    find: (id) => inbox.find("SELECT * FROM inbox WHERE id = ?", id),
    ack(id, at) {
      inbox.update({ state: "acked", acked_at: at }, "id = ?", id);
    },
    list({ lane, states, after, limit }) {
      const isPending = states.length === 1 && states[0] === "pending";
      const where = [
        ...(lane === undefined ? [] : [lane === null ? "lane IS NULL" : "lane = +?"]),
        // The index of those repeats this condition word for word.
        isPending ? "state = 'pending'" : `state IN (${states.map(() => "+?").join(", ")})`,
      ];
      return inbox.all(
        `SELECT * FROM inbox WHERE ${where.join(" AND ")} AND (created_at, id) > (+?, +?) ORDER BY created_at, id LIMIT +?`,
        ...(typeof lane === "string" ? [lane] : []),
        ...(isPending ? [] : states),
        ...(after ?? lowestKey),
        limit,
      );
    },
    prune: (before, limit) =>
      db
        .query(
          `DELETE FROM inbox WHERE id IN
            (SELECT id FROM inbox INDEXED BY inbox_acked WHERE state = 'acked' AND acked_at < ?1 LIMIT ?2)`,
        )
        .run(before, limit).changes,
  };
}

export function outboxStore(db: Database): OutboxStore {
  const outbox = table<Outgoing>(db, "outbox", { json: ["payload"] });
  return {
    add({ automation, payload, state, attempts, next_at, error, created_at }) {
      db.query(
        `INSERT INTO outbox (automation, payload, state, attempts, next_at, error, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      ).run(automation, JSON.stringify(payload), state, attempts, next_at, error, created_at);
    },
    firsts: () =>
      outbox.all(
        `SELECT * FROM outbox
          WHERE id IN (SELECT min(id) FROM outbox INDEXED BY outbox_waiting WHERE state = 'waiting' GROUP BY automation)`,
      ),
    set(id, change) {
      outbox.update(change, "id = ?", id);
    },
    prune: (before, limit) =>
      db
        .query(
          `DELETE FROM outbox WHERE id IN
            (SELECT id FROM outbox INDEXED BY outbox_over WHERE state <> 'waiting' AND created_at < ?1 LIMIT ?2)`,
        )
        .run(before, limit).changes,
    count: (automation) =>
      db
        .query<{ n: number }, [string]>(
          "SELECT count(*) AS n FROM outbox INDEXED BY outbox_waiting WHERE automation = ? AND state = 'waiting'",
        )
        .get(automation)!.n,
  };
}
