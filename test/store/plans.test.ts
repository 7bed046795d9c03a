/** What the daemon asks of its registry costs what it concerns, not what has ever been: read off SQLite's own plans. */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import * as v from "valibot";
import { index } from "../../src/ops/index.ts";
import { openStore } from "../../src/store/store.ts";
import { situations } from "../world/given.ts";
import { registryFolder } from "./files.ts";

/** They hold what is open, waits or is unfinished, which the limits keep small. */
const partial = [
  "lanes_setup",
  "lanes_goal",
  "lanes_waiting",
  "lanes_ephemeral",
  "turns_running",
  "messages_next",
  "messages_open",
  "messages_one_in_flight",
  "requests_open",
  "epochs_unended",
  "outbox_waiting",
  "tool_calls_running",
];

/** A row, or some for each model provider. */
const small = ["meta", "sqlite_schema", "usage_limits", "usage_windows"];

/** Statements that walk all lanes, since all lanes are what they are asked about. */
const walksLanes = [
  /^SELECT count\(\*\) AS n FROM lanes WHERE forgotten_at IS NULL$/,
  // As many as [limits] allows.
  /^SELECT count\(\*\) AS n FROM automations WHERE state <> 'ended'$/,
  // After a change of which are active: what they wait for.
  /^SELECT DISTINCT "when" FROM automations /,
  // daemon status: how many are in which status.
  /^SELECT l\.ref, l\.thread_id, l\.source, l\.setup, /,
  // search: who may match.
  /^SELECT l\.ref, l\.thread_id, l\.title, l\.cwd, /,
  /^SELECT l\.ref, coalesce\(s\.items, 0\) AS items /,
  // usage, without --thread: all that is kept.
  /^SELECT .* sum\(reasoning\) AS reasoning, .* FROM usage WHERE day >= \+\? /,
  // Once a life of Codex: whose goal it ran.
  /^SELECT \* FROM lanes WHERE .* json_extract\(goal, '\$\.(status|interrupted)'\)/,
];

const asked = new Set<string>();
const query = Database.prototype.query;
beforeAll(async () => {
  Database.prototype.query = function (this: Database, sql: string) {
    asked.add(sql);
    return query.call(this, sql);
  } as typeof query;
  for (const row of index) {
    const op = (await row.load()).default;
    if (op.at === "client") continue;
    for (const example of op.examples) {
      const { world, words } = await situations[example.given]!();
      const input = JSON.parse(JSON.stringify(example.input), (_, word) =>
        typeof word === "string" ? (words[word] ?? word) : word,
      );
      // Whether it answers what it should is tested elsewhere.
      await (async () => op.run(v.parse(op.input, input), world.ctx()))().catch(() => {});
      await world.end();
    }
  }
}, 60_000);
afterAll(() => {
  Database.prototype.query = query;
});

test("no statement that the ops cause walks a table that grows, but for pages off the end of an index", () => {
  const { path, dispose } = registryFolder();
  openStore(path, 0).close();
  const db = new Database(path, { readonly: true });
  const walks: string[] = [];
  for (const sql of asked) {
    if (!/^\s*(SELECT|UPDATE|DELETE|INSERT)/.test(sql)) continue;
    const plan = query
      .call(db, `EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map((step) => (step as { detail: string }).detail);
    const isSorted = plan.some((detail) => detail.includes("TEMP B-TREE"));
    const isPage = /LIMIT \+?\?|LIMIT \d+/.test(sql) && !isSorted;
    const isWalk = plan.some((detail) => {
      const [, table, by] = /^SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?/.exec(detail) ?? [];
      if (table === undefined || detail.includes("VIRTUAL TABLE") || detail === "SCAN CONSTANT ROW")
        return false;
      return !small.includes(table) && !partial.includes(by ?? "");
    });
    const words = sql.replace(/\s+/g, " ").trim();
    if (isWalk && !isPage && !walksLanes.some((known) => known.test(words))) walks.push(words);
  }
  db.close();
  dispose();
  expect(asked.size).toBeGreaterThan(80);
  expect(walks).toEqual([]);
});

test("a page of one kind of event, and of receipts in a rare state, is read from an index of its own", () => {
  const { path, dispose } = registryFolder();
  openStore(path, 0).close();
  const db = new Database(path, { readonly: true });
  const plan = (sql: string) =>
    query
      .call(db, `EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map((step) => (step as { detail: string }).detail)
      .join("; ");
  const issued = (part: RegExp) => [...asked].filter((sql) => part.test(sql.replace(/\s+/g, " ")));
  const ofKinds = issued(/FROM events WHERE .*kind IN \(\+\?\)/);
  expect(ofKinds.length).toBeGreaterThan(0);
  for (const sql of ofKinds) expect(plan(sql)).toContain("events_kind");
  const ofStates = issued(/FROM messages WHERE .*state <> 'done'/);
  expect(ofStates.length).toBeGreaterThan(0);
  for (const sql of ofStates)
    expect(plan(sql)).toContain(/lane = /.test(sql) ? "messages_" : "messages_not_done");
  db.close();
  dispose();
});

/** Those of the full text index are planned by it. */
test("no statement is prepared again at each run, because its plan depends on what is bound", () => {
  const planned = [...asked].filter(
    (sql) =>
      /^\s*SELECT/.test(sql) && /ORDER BY|LIMIT|\bmin\(|\bmax\(|UNION/.test(sql) && !/ MATCH /.test(sql),
  );
  expect(planned.length).toBeGreaterThan(20);
  expect(planned.filter((sql) => /[^+]\?/.test(sql))).toEqual([]);
});
