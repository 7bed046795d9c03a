import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import type { Ref } from "../../src/core/model/ports/rows.ts";
import { laneStore } from "../../src/store/lanes.ts";
import { migrate } from "../../src/store/migrate.ts";
import { laneRow } from "./rows.ts";

test("lanes are listed newest first, of one instant the later made, and are not sorted for it", () => {
  const db = new Database(":memory:", { strict: true });
  migrate(db, ":memory:", 1);
  const lanes = laneStore(db);
  for (const [ref, updated_at] of [
    ["bbbbbb", 2],
    ["cccccc", 1],
    ["dddddd", 2],
    ["ffffff", 3],
  ] as const)
    lanes.add(laneRow({ ref: ref as Ref, thread_id: ref, handle: ref, updated_at }));

  const asked: string[] = [];
  const query = db.query.bind(db);
  db.query = ((sql: string) => {
    asked.push(sql);
    return query(sql);
  }) as typeof db.query;
  const listed = lanes.listFacts({ archived: false, limit: 3 });
  expect(listed.map(({ lane }) => lane.ref as string)).toEqual(["ffffff", "dddddd", "bbbbbb"]);
  const plan = query<{ detail: string }, [number, number]>(`EXPLAIN QUERY PLAN ${asked[0]}`).all(0, 3);
  expect(plan.map(({ detail }) => detail)).toEqual(["SCAN lanes USING INDEX lanes_recent"]);
  db.close();
});
