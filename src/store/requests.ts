import type { Database, SQLQueryBindings } from "bun:sqlite";
import { highestKey } from "../base/cursor.ts";
import { fail } from "../base/error.ts";
import type { Request } from "../core/model/ports/rows.ts";
import type { Store } from "../core/model/ports/store.ts";
import { type Table, table } from "./table.ts";

export const requestTable = (db: Database): Table<Request> =>
  table<Request>(db, "requests", {
    json: ["rpc_id", "asks", "changes"],
    bool: ["inside_sandbox"],
  });

export function requestStore(db: Database): Store["requests"] {
  const requests = requestTable(db);
  const find = (id: string) => requests.find("SELECT * FROM requests WHERE id = ?", id);
  return {
    add: (request) => requests.insert(request),
    find,
    get: (id) => find(id) ?? fail("not_found", `no request ${id}`, { hint: "dispatch request list" }),
    findByWire: (epoch, rpcId) =>
      requests.find("SELECT * FROM requests WHERE epoch = ? AND rpc_id = ?", epoch, JSON.stringify(rpcId)),
    set(id, change) {
      requests.update(change, "id = ?", id);
    },
    listOpen(filter) {
      const names = Object.keys(filter) as (keyof typeof filter)[];
      const where = ["state = 'open'", ...names.map((name) => `${name} = +?`)].join(" AND ");
      const params = names.map((name) => filter[name] as SQLQueryBindings);
      // Without INDEXED BY, SQLite would scan all requests, for their order.
      const index = names.length === 0 ? "INDEXED BY requests_open" : "";
      return requests.all(`SELECT * FROM requests ${index} WHERE ${where} ORDER BY asked_at, id`, ...params);
    },
    listSince: ({ lane, since, limit }) =>
      requests.all(
        `SELECT * FROM requests WHERE asked_at >= +? AND (+?2 IS NULL OR lane = +?2) ORDER BY asked_at DESC, id DESC LIMIT +?`,
        since,
        lane ?? null,
        limit,
      ),
    list: ({ lane, after, limit }) =>
      requests.all(
        `SELECT * FROM requests WHERE (asked_at, id) < (+?, +?)${lane ? " AND lane = +?" : ""}
          ORDER BY asked_at DESC, id DESC LIMIT +?`,
        ...(after ?? highestKey),
        ...(lane ? [lane] : []),
        limit,
      ),
  };
}
