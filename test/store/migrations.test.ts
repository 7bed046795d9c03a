/** A registry of every older schema, as that dispatch wrote it, opened by this one. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspectRegistry } from "../../src/store/inspect.ts";
import { supportedSchema } from "../../src/store/migrate.ts";
import { openStore } from "../../src/store/store.ts";
import { laneRow } from "./rows.ts";

const written = `
INSERT INTO meta (id, log_id) VALUES (1, 'abcdefgh');
INSERT INTO epochs (pid, "group", start_time, boot_id, started_at) VALUES (1, 1, '1', 'b', 1);
INSERT INTO lanes (ref, thread_id, source, setup, title, cwd, settings, evidence_at, created_at, updated_at)
  VALUES ('bcdfgh', 'thread-1', 'own', 'ready', 'docs', '/repo', '{"cwd":"/repo"}', 1, 1, 1);
INSERT INTO lanes (ref, thread_id, source, setup, title, cwd, settings, created_by, evidence_at, created_at, updated_at)
  VALUES ('cdfghj', 'thread-2', 'own', 'ready', 'two', '/repo', '{"cwd":"/repo"}', '01a22004-9154-7e01-8394-ef7a24b3cb2d', 1, 1, 1),
         ('dfghjk', 'thread-3', 'own', 'ready', 'three', '/repo', '{"cwd":"/repo"}', 'cli', 1, 1, 1);
INSERT INTO requests (id, lane, epoch, rpc_id, method, kind, state, summary, command, cwd, params, decision, answered_by, asked_at, closed_at)
  VALUES ('r1', 'bcdfgh', 1, '0', 'item/commandExecution/requestApproval', 'command_approval', 'answered', 'ls', 'ls', '/repo', '{"a":1}', 'approve', 'cli', 5, 6),
         ('r2', 'bcdfgh', 1, '"x"', 'item/fileChange/requestApproval', 'file_change_approval', 'open', 'f', NULL, NULL, '{}', NULL, NULL, 7, NULL);
INSERT INTO items (id, lane, turn_id, item_id, type, text) VALUES (1, 'bcdfgh', 't', 'i', 'plan', '部署服务');
INSERT INTO items_fts (rowid, text, lane) VALUES (1, '部署服务', 'bcdfgh');
PRAGMA user_version = 1;
`;

test("questions of the first schema keep their rows, their order and their once-only answers", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dispatch-migrate-"));
  const path = join(folder, "registry.db");
  try {
    const first = join(import.meta.dir, "../../src/store/migrations/001.sql");
    const db = new Database(path, { create: true, strict: true });
    db.run(await Bun.file(first).text());
    db.run(written);
    db.close();

    const store = openStore(path, 9);
    expect(store.requests.list({ limit: 10 })).toMatchObject([
      { id: "r2", lane: laneRow().ref, rpc_id: "x", state: "open", asks: null },
      {
        id: "r1",
        rpc_id: 0,
        state: "answered",
        decision: "approve",
        command: "ls",
        asks: null,
        closed_at: 6,
      },
    ]);
    // What was recorded before says neither its files nor that it stayed in the sandbox.
    const unknown = { changes: null, inside_sandbox: false, missing_bytes: 0 };
    expect(store.requests.list({ limit: 10 })).toMatchObject([unknown, unknown]);
    expect(store.lanes.get(laneRow().ref)).toMatchObject({ created_by: null, named_by_agent: false });
    expect(store.lanes.findByThread("thread-2")).toMatchObject({ named_by_agent: true });
    expect(store.lanes.findByThread("thread-3")).toMatchObject({ named_by_agent: false });
    // Indexed as one word, and to be split.
    expect(store.items.isSplit()).toBe(false);
    expect(() => store.requests.set("r1", { state: "open" })).toThrow("answered once");
    store.close();
    expect(inspectRegistry(path)).toMatchObject({ schema: supportedSchema, faults: [] });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
