/** The local index of what was said and done: rows of text, and FTS5 over them. */
import type { Database } from "bun:sqlite";
import { limits } from "../base/limits.ts";
import type { Hit, IndexedItem, ItemQuery, Ref, SearchedLane, Store, Sync } from "../core/ports/store.ts";
import { type Table, table } from "./table.ts";

/** Ids of one ms. Times this, the year 2200 is still an exact double. */
const perMs = 1024;

export const syncTable = (db: Database): Table<Sync> => table<Sync>(db, "syncs", { json: ["gaps"] });

interface Known {
  id: number;
  text: string;
}

export function itemStore(db: Database): Store["items"] {
  const syncs = syncTable(db);

  /** The first free place in its ms, or in one after it. */
  function idAt(at: number): number {
    const first = Math.max(0, Math.floor(at)) * perMs;
    const taken = db
      .query<{ id: number | null }, [number, number]>(
        "SELECT max(id) AS id FROM items WHERE id >= ? AND id < ?",
      )
      .get(first, first + perMs)!.id;
    if (taken === null) return first;
    return taken + 1 < first + perMs ? taken + 1 : idAt(at + 1);
  }

  function unlist({ id, text }: Known, lane: Ref): void {
    db.query("INSERT INTO items_fts (items_fts, rowid, text, lane) VALUES ('delete', ?, ?, ?)").run(
      id,
      text,
      lane,
    );
  }

  function list(id: number, text: string, lane: Ref): void {
    db.query("INSERT INTO items_fts (rowid, text, lane) VALUES (?, ?, ?)").run(id, text, lane);
  }

  function count(lane: Ref, turns: number, items: number, bytes: number): void {
    db.query(
      `INSERT INTO syncs (lane, turns, items, bytes) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (lane) DO UPDATE
         SET turns = turns + ?2, items = items + ?3, bytes = bytes + ?4`,
    ).run(lane, turns, items, bytes);
  }

  function add({ lane, turn_id, item_id, type, at, text }: IndexedItem): true {
    const isNewTurn =
      db.query("SELECT 1 FROM items WHERE lane = ? AND turn_id = ? LIMIT 1").get(lane, turn_id) === null;
    const id = idAt(at);
    db.query("INSERT INTO items (id, lane, turn_id, item_id, type, text) VALUES (?, ?, ?, ?, ?, ?)").run(
      id,
      lane,
      turn_id,
      item_id,
      type,
      text,
    );
    list(id, text, lane);
    count(lane, isNewTurn ? 1 : 0, 1, Buffer.byteLength(text));
    return true;
  }

  function lengthen(known: Known, { lane, text }: IndexedItem): true {
    unlist(known, lane);
    db.query("UPDATE items SET text = ? WHERE id = ?").run(text, known.id);
    list(known.id, text, lane);
    count(lane, 0, 0, Buffer.byteLength(text) - Buffer.byteLength(known.text));
    return true;
  }

  return {
    put(given) {
      const item = stray.test(given.text) ? { ...given, text: given.text.replaceAll(strays, "") } : given;
      const known = db
        .query<Known, [string, string, string]>(
          "SELECT id, text FROM items WHERE lane = ? AND turn_id = ? AND item_id = ?",
        )
        .get(item.lane, item.turn_id, item.item_id);
      if (known === null) return add(item);
      return item.text.length > known.text.length && lengthen(known, item);
    },
    has: (lane, turnId, itemId) =>
      db
        .query("SELECT 1 FROM items WHERE lane = ? AND turn_id = ? AND item_id = ?")
        .get(lane, turnId, itemId) !== null,
    search: (query) => search(db, query),
    lanes: (archived) => searchedLanes(db, archived),
    sync: (lane) => syncs.one("SELECT * FROM syncs WHERE lane = ?", lane),
    setSync(lane, change) {
      count(lane, 0, 0, 0);
      syncs.update(change, "lane = ?", lane);
    },
    dropForgotten(limit) {
      const rows = db
        .query<Known & { lane: Ref }, [number]>(
          `SELECT i.id, i.text, i.lane FROM lanes AS l CROSS JOIN items AS i ON i.lane = l.ref
            WHERE l.forgotten_at IS NOT NULL LIMIT ?`,
        )
        .all(limit);
      for (const row of rows) {
        unlist(row, row.lane);
        db.query("DELETE FROM items WHERE id = ?").run(row.id);
      }
      return rows.length;
    },
  };
}

// Around the hit in a snippet. Noncharacters that `base/text.ts` gives no meaning; a text that holds them loses them.
const [open, close] = ["\ufdd8", "\ufdd9"];
const stray = /[\ufdd8\ufdd9]/;
const strays = /[\ufdd8\ufdd9]/g;

type HitRow = Omit<Hit, "at" | "start" | "end">;

/** Past so many lanes the list of their names costs more than looking each hit's lane up. */
const namedLanesMax = 64;

function search(db: Database, { match, lanes, since, until, order, after, limit }: ItemQuery): Hit[] {
  // A ref holds only letters and digits: nothing of it can be read as syntax.
  const named =
    lanes.length <= namedLanesMax ? ` AND lane : (${lanes.map((ref) => `"${ref}"`).join(" OR ")})` : "";
  const isBest = order === "best";
  const from = Math.max(
    since === null ? 0 : since * perMs,
    order === "oldest" && after !== null ? after + 1 : 0,
  );
  const to = Math.min(
    until === null ? Number.MAX_SAFE_INTEGER : until * perMs + perMs - 1,
    order === "newest" && after !== null ? after - 1 : Number.MAX_SAFE_INTEGER,
  );
  // CROSS: the hits come first, whatever the planner thinks of the list of lanes.
  const found = `SELECT f.rowid AS id, f.rank AS rank, i.lane, i.turn_id, i.item_id, i.type
      FROM items_fts AS f CROSS JOIN items AS i ON i.id = f.rowid
     WHERE items_fts MATCH ?1 AND f.rowid BETWEEN ?2 AND ?3 AND i.lane IN (SELECT value FROM json_each(?4))
     ORDER BY f.rowid ${order === "oldest" ? "ASC" : "DESC"} LIMIT ?5`;
  // To rank is to look at every hit (90 ms measured for a word in each of 130,000 texts), so the newest are ranked.
  const sql = isBest ? `SELECT * FROM (${found}) ORDER BY rank, id DESC LIMIT ?6 OFFSET ?7` : found;
  const text = `{text} : (${match})${named}`;
  const most = isBest ? limits.searchRankedMax : limit;
  const page = isBest ? [limit, after ?? 0] : [];
  if (lanes.length === 0) return [];
  const rows = db
    .query<Omit<HitRow, "snippet"> & { rank: number }, (string | number)[]>(sql)
    .all(text, from, to, JSON.stringify(lanes), most, ...page);
  const snippet = db.query<{ snippet: string }, (string | number)[]>(
    "SELECT snippet(items_fts, 0, ?, ?, '…', ?) AS snippet FROM items_fts WHERE items_fts MATCH ? AND rowid = ?",
  );
  return rows.map(({ rank: _rank, ...row }) => {
    const around = snippet.get(open!, close!, limits.searchSnippetWords, text, row.id)?.snippet ?? "";
    return { ...row, at: Math.floor(row.id / perMs), ...marked(around) };
  });
}

/** From a snippet with marks to one without, and where the first hit stands in it. */
function marked(snippet: string): { snippet: string; start: number; end: number } {
  const line = snippet.replace(/\s+/g, " ").trim();
  const start = Math.max(0, line.indexOf(open!));
  const end = Math.max(start, line.indexOf(close!) - 1);
  return { snippet: line.replace(strays, ""), start, end };
}

function searchedLanes(db: Database, archived: boolean): SearchedLane[] {
  type Row = Omit<SearchedLane, "isWhole"> & { whole: number };
  return db
    .query<Row, [number]>(
      `SELECT l.ref, l.thread_id, l.title, l.cwd, l.updated_at,
              CASE WHEN l.source = 'attached' THEN coalesce(l.durable_at, l.created_at) ELSE l.created_at END AS created_at,
              coalesce(s.synced_at IS NOT NULL AND s.gaps = '[]', 0) AS whole
         FROM lanes AS l LEFT JOIN syncs AS s ON s.lane = l.ref
        WHERE l.forgotten_at IS NULL AND (l.archived_at IS NOT NULL) = ?`,
    )
    .all(archived ? 1 : 0)
    .map(({ whole, ...lane }) => ({ ...lane, isWhole: whole === 1 }));
}
