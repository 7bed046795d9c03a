import type { Database } from "bun:sqlite";
import type { ToolCallRow, ToolCallStore } from "../core/model/ports/tool.ts";
import { table } from "./table.ts";

export function toolCallStore(db: Database): ToolCallStore {
  const calls = table<ToolCallRow>(db, "tool_calls", { json: ["rpc_id"] });
  return {
    add: (call) => calls.insert(call),
    find: (id) => calls.find("SELECT * FROM tool_calls WHERE id = ?", id),
    findByWire: (epoch, rpcId) =>
      calls.find("SELECT * FROM tool_calls WHERE epoch = ? AND rpc_id = ?", epoch, JSON.stringify(rpcId)),
    close(id, change) {
      calls.update(change, "id = ?", id);
    },
    listRunning: () =>
      calls.all("SELECT * FROM tool_calls INDEXED BY tool_calls_running WHERE state = 'running'"),
    prune: (before, limit) =>
      db
        .query(
          `DELETE FROM tool_calls WHERE id IN
             (SELECT id FROM tool_calls INDEXED BY tool_calls_closed WHERE closed_at < +? AND state <> 'running' LIMIT +?)`,
        )
        .run(before, limit).changes,
  };
}
