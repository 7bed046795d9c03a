/** The registry refuses any word that the program does not know: its CHECKs and the program's lists are the same. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import * as words from "../../src/contract/words.ts";
import { openStore } from "../../src/store/store.ts";
import { registryFolder } from "./files.ts";

/** By table and column. Those that only the registry and core know stand here in full. */
const known: Record<string, readonly string[]> = {
  "lanes.source": words.threadSources,
  "lanes.setup": ["starting", "started", "ready"],
  "lanes.hold_reason": words.holdReasons,
  "lanes.goal_setup": ["wanted", "paused"],
  "lanes.requests": words.rulings,
  "turns.status": words.turnStatuses,
  "turns.origin": words.turnOrigins,
  "messages.mode": words.modes,
  // A message is relayed before a registry has it as its own.
  "messages.state": words.messageStates.filter((state) => state !== "relayed"),
  "messages.outcome": words.outcomes,
  "messages.via": ["turn", "codex_queue"],
  // The time is told without a row.
  "requests.kind": words.requestKinds.filter((kind) => kind !== "current_time"),
  "relayed.state": words.messageStates,
  "relayed.outcome": words.outcomes,
  "arrived.state": words.arrivalStates,
  "requests.state": words.requestStates,
  "tool_calls.state": words.toolCallStates,
  "automations.face": words.automationFaces,
  "automations.state": words.automationStates,
  "firings.outcome": words.firingOutcomes,
  "inbox.state": words.inboxStates,
  "outbox.state": words.outboxStates,
  "usage_windows.name": ["primary", "secondary"],
  "items.type": ["user_message", "agent_message", "plan", "command", "file_change", "mcp_tool_call", "error"],
};

test("every CHECK of words is one of the lists, and every list that the registry keeps has its CHECK", () => {
  const { path, dispose } = registryFolder();
  openStore(path, 0).close();
  const db = new Database(path, { readonly: true });
  const tables = db
    .query<{ name: string; sql: string }, []>(
      "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql IS NOT NULL",
    )
    .all();
  db.close();
  dispose();
  const found: Record<string, string[]> = {};
  for (const { name, sql } of tables)
    for (const [, column, list] of sql.matchAll(/CHECK \((\w+) IN \(('[^)]*)\)\)/g))
      found[`${name}.${column}`] = list!
        .split(",")
        .map((word) => word.trim().slice(1, -1))
        .toSorted();
  const wanted = Object.fromEntries(Object.entries(known).map(([key, list]) => [key, list.toSorted()]));
  expect(found).toEqual(wanted);
});
