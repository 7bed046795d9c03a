/** Registries with threads in them, made by the product itself over a model of Codex that answers at once. */
import { Database } from "bun:sqlite";
import { parse } from "valibot";
import { systemClock } from "../../src/base/clock.ts";
import { limits } from "../../src/base/limits.ts";
import { automationRow, noGuards } from "../../src/core/automation/row.ts";
import type { Ref } from "../../src/core/model/ports/rows.ts";
import newThread from "../../src/ops/thread/new.ts";
import { openStore } from "../../src/store/store.ts";
import { type TestWorld, testWorld } from "../../test/world/world.ts";

/** Core on a registry file, synchronous FULL as the daemon opens it, and Codex up. */
export function worldOn(path: string): TestWorld {
  const world = testWorld({ store: openStore(path, systemClock.now()) });
  world.agent.up();
  return world;
}

export async function addThread(world: TestWorld, name: string): Promise<Ref> {
  const made = await newThread.run(parse(newThread.input, { name, cwd: "/repo" }), world.ctx());
  return made.ref as Ref;
}

/** What years of use leave: so many events and ended messages, spread over the threads. */
export function writeHistory(path: string, { events, messages }: { events: number; messages: number }): void {
  const db = new Database(path);
  db.transaction(() => {
    db.run("CREATE TEMP TABLE refs AS SELECT row_number() OVER () - 1 AS n, ref FROM lanes");
    const count = db.query<{ n: number }, []>("SELECT count(*) AS n FROM refs").get()!.n;
    const numbers = (to: number) =>
      `WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < ${to})`;
    const now = systemClock.now();
    db.run(
      `${numbers(events)} INSERT INTO events (seq, at, kind, lane, turn_id, receipt, data)
         SELECT (SELECT last_seq FROM meta) + i.n, ${now} - ${events} + i.n,
                CASE i.n % 4 WHEN 0 THEN 'turn.completed' WHEN 1 THEN 'item.completed' WHEN 2 THEN 'op.called' ELSE 'message.done' END,
                refs.ref, 'turn-' || i.n, NULL, '{"preview":"what was said and done, in a few words of it"}'
           FROM i JOIN refs ON refs.n = i.n % ${count}`,
    );
    db.run(`UPDATE meta SET last_seq = last_seq + ${events}`);
    db.run(
      `${numbers(messages)} INSERT INTO messages (id, lane, position, mode, text, sha256, state, outcome, epoch, attempt, created_at, updated_at)
         SELECT 'old-' || i.n, refs.ref, i.n, 'send', 'what was once asked, in some hundred characters of text', 'x', 'done', 'completed', 1, 1,
                ${now} - ${messages} + i.n, ${now} - ${messages} + i.n
           FROM i JOIN refs ON refs.n = i.n % ${count}`,
    );
  })();
  db.close();
}

export interface Automations {
  /** Of `done`, each of one thread, in turns. */
  subscriptions: number;
  triggers: number;
  /** When the triggers are due, epoch ms. */
  due: number;
}

/** What waits for threads and for the clock, as the product itself writes it. */
export function writeAutomations(path: string, { subscriptions, triggers, due }: Automations): void {
  const now = systemClock.now();
  const store = openStore(path, now);
  const refs = store.lanes
    .summaries({ archived: false, limit: limits.thread.max })
    .map(({ lane }) => lane.ref);
  const base = { since: store.log.last(), caller: "bench" };
  store.tx(() => {
    for (let n = 0; n < subscriptions; n++) {
      const of = refs[n % refs.length]!;
      const row = automationRow(
        {
          ...base,
          id: `s${n}`,
          face: "subscription",
          lane: refs[(n + 1) % refs.length]!,
          when: { kind: "condition", conditions: ["done"], all: false },
          action: { kind: "wake", deliver: "inbox", tail: 1 },
        },
        now,
      );
      store.automations.add(row, [of]);
      store.automations.setWatched(row.id, of, { holds: true, seq: 0 });
    }
    for (let n = 0; n < triggers; n++)
      store.automations.add(
        automationRow(
          {
            ...base,
            id: `t${n}`,
            face: "trigger",
            name: `trigger ${n}`,
            lane: refs[n % refs.length]!,
            when: { kind: "at", time: due },
            action: { kind: "queue", text: "it is time" },
            guards: { ...noGuards, max_fires: 1 },
            slot_at: due,
            due_at: due,
          },
          now,
        ),
        [],
      );
  });
  store.close();
}

/** A registry of idle threads, closed as a clean stop leaves it. `codexHome`: the Codex that it will be used with. */
export async function writeRegistry(path: string, threads: number, codexHome?: string): Promise<void> {
  const world = worldOn(path);
  for (let i = 0; i < threads; i++) await addThread(world, `thread ${i}`);
  world.agent.kill();
  if (codexHome) world.store.log.setCodexHome(codexHome);
  await world.end();
  world.store.close();
}
