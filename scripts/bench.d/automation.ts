/** What 10,000 subscriptions and 1,000 triggers cost while nothing happens, and what they do when something does. */
import { join } from "node:path";
import type { Ref } from "../../src/core/model/ports/rows.ts";
import { openStore } from "../../src/store/store.ts";
import { ask, makeHome, startDaemon } from "./daemon.ts";
import { daemonAtRest, usage } from "./idle.ts";
import { median, ms, quantile, timed, until } from "./measure.ts";
import { addThread, worldOn, writeAutomations } from "./registry.ts";
import { atMost, type Bench, type Row } from "./row.ts";

const watchedMs = 10_000;
const many = { subscriptions: 10_000, triggers: 1000 };
const day = 86_400_000;

export const automation: Row = {
  async measure(bench) {
    const percent = async (name: string, automations?: typeof many) => {
      const later = automations && { ...automations, due: Date.now() + day };
      const daemon = await daemonAtRest(bench, name, undefined, later);
      const before = usage(daemon.pid).cpuMs;
      await Bun.sleep(watchedMs);
      const used = ((usage(daemon.pid).cpuMs - before) / watchedMs) * 100;
      await daemon.end();
      return used;
    };
    const [without, withThem] = [await percent("auto-none"), await percent("auto-many", many)];
    const perEvent = await eventsMs(bench);
    const wakes = await wakesMs(bench);
    const due = await dueAtOnce(bench);
    return {
      lines: [
        atMost("idle CPU that 10,000 subscriptions and 1,000 triggers add", withThem - without, 0.3, "%"),
        atMost("what 10,000 subscriptions add to an event", perEvent, 0.1, "ms", 3),
        atMost("from the event to the queued wake, p50", median(wakes), 50, "ms"),
        atMost("1,000 triggers due in one second, all fired", due.allMs / 1000, 5, "s"),
        atMost("`thread.get` meanwhile, p99", due.getP99, 100, "ms"),
      ],
      notes: [
        `idle ${without.toFixed(2)} % without, ${withThem.toFixed(2)} % with them, over ${watchedMs / 1000} s each`,
        `a wake: p99 ${ms(quantile(wakes, 0.99))}; of ${due.fired} triggers each fired once`,
      ],
    };
  },
};

/** The events of turns, in the proportion of a turn with four items: of 1,000 threads with ten subscriptions each. */
async function eventsMs(bench: Bench): Promise<number> {
  const perEvent = async (name: string, subscriptions: number) => {
    const path = join(bench.folder, `${name}.db`);
    const world = worldOn(path);
    const refs: Ref[] = [];
    for (let n = 0; n < 1000; n++) refs.push(await addThread(world, `thread ${n}`));
    writeAutomations(path, { subscriptions, triggers: 0, due: 0 });
    world.engine.begin();
    await Bun.sleep(200);
    const count = 4000;
    const took = await timed(async () => {
      world.journal.commit((change) => {
        for (let n = 0; n < count / 10; n++) {
          const of = { lane: refs[n % refs.length]!, turn_id: `turn ${n}` };
          const item = { item_id: null, type: "command", preview: "ls", status: null, exit_code: 0 };
          for (const kind of [
            "message.queued",
            "message.claimed",
            "message.sent",
            "message.delivered",
          ] as const)
            change.append({ kind, ...of, data: { mode: "send" } });
          change.append({ kind: "turn.started", ...of });
          for (let items = 0; items < 4; items++)
            change.append({ kind: "item.completed", ...of, data: item });
          change.append({ kind: "turn.completed", ...of, data: { origin: "ours" } });
        }
      });
      const last = world.store.log.last();
      if (subscriptions > 0)
        await until("they are read", () => world.store.automations.cursor() >= last || undefined);
    });
    await world.end();
    world.store.close();
    return took / count;
  };
  const none = await perEvent("events-none", 0);
  return (await perEvent("events-many", many.subscriptions)) - none;
}

/** From the commit of a turn's end to the wake in the ledger, by the loop as the daemon runs it. */
async function wakesMs(bench: Bench): Promise<number[]> {
  const world = worldOn(join(bench.folder, "wakes.db"));
  world.engine.begin();
  const { core } = world.engine;
  const [worker, parent] = [await addThread(world, "worker"), await addThread(world, "parent")];
  const taken: number[] = [];
  for (let n = 0; n < 30; n++) {
    const { id } = core.subscribe({
      of: [worker],
      conditions: ["failed"],
      to: parent,
      deliver: "queue",
      all: false,
      once: true,
      tail: 1,
      caller: "bench",
    });
    await Bun.sleep(20);
    taken.push(
      await timed(async () => {
        world.journal.commit((change) =>
          change.append({ kind: "turn.failed", lane: worker, turn_id: `t${n}`, data: { origin: "ours" } }),
        );
        await until("the wake", () => (world.store.automations.find(id)?.fired === 1 ? true : undefined));
      }),
    );
  }
  await world.end();
  world.store.close();
  return taken;
}

async function dueAtOnce(bench: Bench): Promise<{ allMs: number; getP99: number; fired: number }> {
  const due = Date.now() + 12_000;
  const home = await makeHome(bench, "auto-due", 1000, {}, undefined, {
    subscriptions: 0,
    triggers: 1000,
    due,
  });
  const daemon = await startDaemon(bench, home);
  const gets: number[] = [];
  await Bun.sleep(Math.max(0, due - Date.now()));
  const firedNow = async () => {
    const { triggers } = (await ask(daemon.connection, "trigger.list", { limit: 1000 })) as {
      triggers: { fired: number }[];
    };
    return triggers.filter(({ fired }) => fired === 1).length;
  };
  let allMs = 0;
  for (let asked = 0; ; asked++) {
    gets.push(await timed(() => ask(daemon.connection, "thread.get", { thread: "@thread-1" })));
    if (asked % 50 !== 49) continue;
    allMs = Date.now() - due;
    if ((await firedNow()) === 1000 || allMs > 30_000) break;
  }
  const fired = await firedNow();
  await daemon.end();
  const store = openStore(join(home.env["DISPATCH_HOME"]!, "registry.db"), Date.now());
  const messages = store.messages.list({ states: ["queued"], limit: 2000 }).length;
  store.close();
  if (messages !== fired) throw new Error(`${fired} triggers fired, and ${messages} messages are there`);
  return { allMs, getP99: quantile(gets, 0.99), fired };
}
