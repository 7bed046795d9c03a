/** A registry of the first schema, as that dispatch wrote it, opened by this one. */
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
INSERT INTO events (seq, at, kind, lane, turn_id, receipt, data) VALUES
  (1, 1, 'lane.created', 'bcdfgh', NULL, NULL, '{"title":"docs","by":"cli"}'),
  (2, 1, 'lane.created', 'bcdfgh', NULL, NULL, '{"title":"docs","fork_of":"cdfghj","by":"cli"}'),
  (3, 1, 'lane.changed', 'bcdfgh', NULL, NULL, '{"setup":"ready","thread_id":"t"}'),
  (4, 1, 'lane.changed', 'bcdfgh', NULL, NULL, '{"gone":true}'),
  (5, 1, 'lane.changed', 'bcdfgh', NULL, NULL, '{"native_queue":2}'),
  (6, 1, 'lane.changed', 'bcdfgh', NULL, 'm1', '{"moved_to":1}'),
  (7, 1, 'lane.changed', 'bcdfgh', NULL, NULL, '{"title":"new"}'),
  (8, 1, 'lane.changed', 'bcdfgh', NULL, NULL, '{"archived":true}'),
  (9, 1, 'lane.changed', 'bcdfgh', NULL, NULL, '{"archived":false}'),
  (10, 1, 'lane.changed', 'bcdfgh', NULL, NULL, '{"source":"own"}'),
  (11, 1, 'lane.changed', 'bcdfgh', NULL, NULL, '{"source":"attached"}'),
  (12, 1, 'lane.changed', 'bcdfgh', 'u', NULL, '{"reverted":2}'),
  (13, 1, 'lane.changed', 'bcdfgh', 'u', NULL, '{"retrying":"no line"}'),
  (14, 1, 'lane.changed', 'bcdfgh', 'u', NULL, '{"recovered":true}'),
  (15, 1, 'lane.forgotten', 'bcdfgh', NULL, NULL, '{"thread_id":"t"}'),
  (16, 1, 'child.up', NULL, NULL, NULL, '{"epoch":1,"version":"0.171.0"}'),
  (17, 1, 'child.down', NULL, NULL, NULL, '{"epoch":1,"reason":"killed"}'),
  (18, 1, 'turn.completed', 'bcdfgh', 'u', NULL, '{"origin":"ours"}');
UPDATE meta SET last_seq = 18;
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
    expect(store.lanes.find(laneRow().ref)).toMatchObject({ created_by: null, named_by_agent: false });
    expect(store.lanes.findByThread("thread-2")).toMatchObject({ named_by_agent: true });
    expect(store.lanes.findByThread("thread-3")).toMatchObject({ named_by_agent: false });
    // What had one name for nine meanings is told apart.
    expect(store.events.list({ after: 0, limit: 100 }).map(({ kind, data }) => [kind, data])).toEqual([
      ["thread.created", { title: "docs", by: "cli" }],
      ["thread.forked", { title: "docs", fork_of: "cdfghj", by: "cli" }],
      ["thread.ready", { thread_id: "t" }],
      ["thread.gone", {}],
      ["queue.native", { waiting: 2 }],
      ["queue.moved", { to: 1 }],
      ["thread.renamed", { title: "new" }],
      ["thread.archived", {}],
      ["thread.restored", {}],
      ["thread.taken", {}],
      ["thread.given", {}],
      ["thread.reverted", { turns: 2 }],
      ["turn.retrying", { reason: "no line" }],
      ["turn.recovered", {}],
      ["thread.forgotten", { thread_id: "t" }],
      ["codex.up", { epoch: 1, version: "0.171.0" }],
      ["codex.down", { epoch: 1, reason: "killed" }],
      ["turn.completed", { origin: "ours" }],
    ]);
    // Indexed as one word, and to be split.
    expect(store.items.isSplit()).toBe(false);
    expect(() => store.requests.set("r1", { state: "open" })).toThrow("answered once");
    store.close();
    expect(inspectRegistry(path)).toMatchObject({ schema: supportedSchema, faults: [] });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
