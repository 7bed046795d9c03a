/** The local index of messages, commands and changes: rows of text, and FTS5 over them. */
import type { Database } from "bun:sqlite";
import { limits } from "../base/limits.ts";
import { joined, split } from "../base/unspaced.ts";
import type { Hit, IndexedItem, ItemQuery, SearchedLane, Sync } from "../core/model/ports/indexed.ts";
import type { Ref } from "../core/model/ports/rows.ts";
import type { Store } from "../core/model/ports/store.ts";
import { close, marked, open, unmarked } from "./snippet.ts";
import { type Table, table } from "./table.ts";

/** The number of ids in one ms. The ms of the year 2200, multiplied by this, are still exact doubles. */
const perMs = 1024;

export const syncTable = (db: Database): Table<Sync> => table<Sync>(db, "syncs", { json: ["gaps"] });

/** The text is split into words (base/unspaced.ts), here and in every row. */
interface Known {
  id: number;
  text: string;
}

/** The size that the counters count. */
const bytesOf = (text: string) => Buffer.byteLength(joined(text));

export function itemStore(db: Database): Store["items"] {
  const syncs = syncTable(db);

  /** The first free id in this ms, or in a later one. */
  function idAt(at: number): number {
    const first = Math.max(0, Math.floor(at)) * perMs;
    const taken = db
      .query<{ id: number | null }, [number, number]>(
        "SELECT max(id) AS id FROM items WHERE id >= +? AND id < +?",
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
      db.query("SELECT 1 FROM items WHERE lane = +? AND turn_id = +? LIMIT 1").get(lane, turn_id) === null;
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
    count(lane, isNewTurn ? 1 : 0, 1, bytesOf(text));
    return true;
  }

  function replace(known: Known, lane: Ref, text: string): void {
    unlist(known, lane);
    db.query("UPDATE items SET text = ? WHERE id = ?").run(text, known.id);
    list(known.id, text, lane);
  }

  function lengthen(known: Known, { lane, text }: IndexedItem): true {
    replace(known, lane, text);
    count(lane, 0, 0, bytesOf(text) - bytesOf(known.text));
    return true;
  }

  const unsplitAfter = () =>
    db.query<{ id: number | null }, []>("SELECT unsplit_after AS id FROM meta").get()!.id;

  return {
    put(given) {
      const item = { ...given, text: split(unmarked(given.text)) };
      const known = db
        .query<Known, [string, string, string]>(
          "SELECT id, text FROM items WHERE lane = ? AND turn_id = ? AND item_id = ?",
        )
        .get(item.lane, item.turn_id, item.item_id);
      if (known === null) return add(item);
      return joined(item.text).length > joined(known.text).length && lengthen(known, item);
    },
    has: (lane, turnId, itemId) =>
      db
        .query("SELECT 1 FROM items WHERE lane = ? AND turn_id = ? AND item_id = ?")
        .get(lane, turnId, itemId) !== null,
    search: (query) => search(db, query),
    texts: (query) => found(db, "f.rowid AS id, i.text", query),
    hits: (match, ids) => hits(db, match, ids),
    lanes: (archived) => searchedLanes(db, archived),
    newest: (lane, limit) =>
      db
        .query<{ text: string }, [string, number]>(
          `SELECT text FROM items WHERE lane = +? AND type IN ('user_message', 'agent_message') ORDER BY turn_id DESC, id DESC LIMIT +?`,
        )
        .all(lane, limit)
        .map(({ text }) => joined(text))
        .reverse(),
    sync: (lane) => syncs.find("SELECT * FROM syncs WHERE lane = ?", lane),
    setSync(lane, change) {
      count(lane, 0, 0, 0);
      syncs.update(change, "lane = ?", lane);
    },
    isSplit: () => unsplitAfter() === null,
    splitOld(limit, bytesMax) {
      const after = unsplitAfter();
      if (after === null) return;
      const rows = db
        .query<Known & { lane: Ref }, [number, number]>(
          "SELECT id, lane, text FROM items WHERE id > +? ORDER BY id LIMIT +?",
        )
        .all(after, limit);
      let last: number | null = null;
      let bytes = 0;
      for (const row of rows) {
        last = row.id;
        const text = split(joined(row.text));
        if (text === row.text) continue;
        replace(row, row.lane, text);
        bytes += bytesOf(text);
        if (bytes >= bytesMax) break;
      }
      db.query("UPDATE meta SET unsplit_after = ?").run(last);
    },
    dropForgotten(limit) {
      const rows = db
        .query<Known & { lane: Ref }, [number]>(
          `SELECT i.id, i.text, i.lane FROM lanes AS l CROSS JOIN items AS i ON i.lane = l.ref
            WHERE l.forgotten_at IS NOT NULL LIMIT +?`,
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

type HitRow = Omit<Hit, "at" | "start" | "end">;

const place = "f.rowid AS id, i.lane, i.turn_id, i.item_id, i.type";
const snippet = `snippet(items_fts, 0, '${open}', '${close}', '…', ${limits.search.snippetWords}) AS snippet`;

function search(db: Database, query: ItemQuery): Hit[] {
  return found<HitRow>(db, `${place}, ${snippet}`, query).map(hitOf);
}

function hits(db: Database, match: string, ids: readonly number[]): Hit[] {
  const statement = db.query<HitRow, [string, number]>(
    `SELECT ${place}, ${snippet} FROM items_fts AS f CROSS JOIN items AS i ON i.id = f.rowid
      WHERE items_fts MATCH ? AND f.rowid = ?`,
  );
  return ids.map((id) => statement.get(ofText(match), id)).flatMap((row) => (row ? [hitOf(row)] : []));
}

/** Does not use `rank`: for the rank of one hit FTS5 counts all hits (measured: 22 ms for a word in 500,000 texts). */
function found<R>(db: Database, columns: string, query: ItemQuery): R[] {
  const { match, lanes, since, until, order, after, limit } = query;
  if (lanes.length === 0) return [];
  const from = Math.max(
    since === null ? 0 : since * perMs,
    order === "oldest" && after !== null ? after + 1 : 0,
  );
  const to = Math.min(
    until === null ? Number.MAX_SAFE_INTEGER : until * perMs + perMs - 1,
    order === "newest" && after !== null ? after - 1 : Number.MAX_SAFE_INTEGER,
  );
  // CROSS: the hits come first, whatever the planner thinks of the list of lanes.
  return db
    .query<R, (string | number)[]>(
      `SELECT ${columns} FROM items_fts AS f CROSS JOIN items AS i ON i.id = f.rowid
        WHERE items_fts MATCH ?1 AND f.rowid BETWEEN ?2 AND ?3 AND i.lane IN (SELECT value FROM json_each(?4))
        ORDER BY f.rowid ${order === "oldest" ? "ASC" : "DESC"} LIMIT ?5`,
    )
    .all(`${ofText(match)}${laneFilter(db, lanes)}`, from, to, JSON.stringify(lanes), limit);
}

const ofText = (match: string) => `{text} : (${match})`;

/**
 * The lanes as part of the match, so that no row of another lane is looked up (measured: 870 ms when 400,000 newer hits
 * came first). It names the chosen lanes, or excludes the others, whichever costs less.
 */
function laneFilter(db: Database, lanes: readonly Ref[]): string {
  const chosen = new Set<string>(lanes);
  const others = db
    .query<{ ref: Ref; items: number }, []>(
      "SELECT l.ref, coalesce(s.items, 0) AS items FROM lanes AS l LEFT JOIN syncs AS s ON s.lane = l.ref",
    )
    .all()
    .filter(({ ref }) => !chosen.has(ref));
  if (others.length === 0) return "";
  const steps = others.reduce((sum, { items }) => sum + items, 0);
  const isFew = others.length + steps / limits.search.stepsPerName < chosen.size;
  const [word, refs] = isFew ? ["NOT", others.map(({ ref }) => ref)] : ["AND", lanes];
  return refs.length > limits.search.namedMax ? "" : ` ${word} ${inLanes(refs)}`;
}

/** A ref has only letters and digits, so it cannot be read as syntax. */
function inLanes(refs: readonly string[]): string {
  return `lane : (${refs.map((ref) => `"${ref}"`).join(" OR ")})`;
}

function hitOf({ snippet, ...row }: HitRow): Hit {
  return { ...row, at: Math.floor(row.id / perMs), ...marked(snippet) };
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
