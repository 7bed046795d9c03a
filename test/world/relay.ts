/**
 * A model of the relay: streams that give each message at least once, and whose answers may be lost. Worlds that share
 * one broker are machines of one relay.
 */
import { fail } from "../../src/base/error.ts";
import { limits } from "../../src/base/limits.ts";
import type {
  Arriving,
  RelayDesk,
  RelayPort,
  RelaySettings,
  RelayStatus,
  Verdict,
} from "../../src/core/model/ports/relay.ts";
import { until } from "../support/codex-sink.ts";
import type { TestWorld, WorldOptions } from "./world.ts";

interface Stored {
  id: string;
  origin: string;
  body: string;
  tries: number;
  isGiven: boolean;
}

export interface Broker {
  /** Of the machine `name`. It exists for others once it was opened. */
  port: RelayPort;
  isDown: boolean;
  isFull: boolean;
  /** Drops what is known of ids: a copy is stored again. */
  endWindow(): void;
  /** Messages that wait in all streams. */
  waiting(): number;
  /** Gives again what was given and not acknowledged, as after the wait for it. */
  giveAgain(): void;
  /** The machine of that name is gone: nothing of it is called any more, and what it was given comes again. */
  cut(name: string): void;
}

export type Lossy = "send" | "report" | "claim" | "ack";

export interface BrokerOptions {
  schedule?(fn: () => void): void;
  /** Whether the answer of this one is lost. */
  loses?(what: Lossy): boolean;
  bytesMax?: number;
}

export function broker(options: BrokerOptions = {}): Broker {
  const { schedule = (fn) => void setImmediate(fn), loses = () => false, bytesMax = 1024 * 1024 } = options;
  const queues = new Map<string, Stored[]>();
  const seen = new Set<string>();
  const claims = new Map<string, string>();
  const machines = new Set<string>();
  const open = new Map<string, { desk: RelayDesk; pools: readonly string[] }>();
  const self: Broker = {
    isDown: false,
    isFull: false,
    endWindow: () => seen.clear(),
    waiting: () => [...queues.values()].reduce((sum, queue) => sum + queue.length, 0),
    giveAgain() {
      for (const queue of queues.values()) for (const one of queue) one.isGiven = false;
      giveAll();
    },
    cut(name) {
      open.delete(name);
      for (const pools of [`mail ${name}`, `back ${name}`])
        for (const one of queues.get(pools) ?? []) one.isGiven = false;
    },
    port: {
      async open(settings, _home, desk) {
        const { name } = settings;
        const pools = Object.keys(settings.pools);
        machines.add(`mail ${name}`);
        for (const pool of pools) machines.add(`pool ${pool}`);
        const mine = { desk, pools };
        open.set(name, mine);
        schedule(() => {
          if (open.get(name) !== mine) return;
          desk.up();
          giveAll();
        });
        return {
          status: (): RelayStatus => ({
            state: self.isDown ? "down" : "up",
            error: self.isDown ? { code: "host_down", message: "the relay is down", hint: null } : null,
            waiting: null,
          }),
          async send(to, id, body) {
            await answered();
            const queue = "box" in to ? `mail ${to.box}` : `pool ${to.pool}`;
            if (!machines.has(queue))
              fail("not_found", "no such machine at the relay", { hint: "check the name" });
            store(queue, name, id, body);
            if (loses("send")) fail("unsure", "the relay did not answer", { hint: "repeat it with its key" });
          },
          async report(box, id, body) {
            await answered();
            store(`back ${box}`, name, id, body);
            if (loses("report")) fail("host_down", "the relay did not answer");
          },
          async claim(id) {
            await answered();
            if (!claims.has(id)) claims.set(id, name);
            if (loses("claim")) fail("host_down", "the relay did not answer");
            return claims.get(id)!;
          },
          roomMade: giveAll,
          async close() {
            if (open.get(name) === mine) self.cut(name);
          },
        };
      },
    },
  };

  async function answered(): Promise<void> {
    await new Promise<void>((resolve) => schedule(resolve));
    if (self.isDown) fail("host_down", "the relay is down", { hint: "try again when it is back" });
  }

  function store(queue: string, origin: string, id: string, body: string): void {
    if (self.isFull) fail("overloaded", "the relay is full", { hint: "try again later" });
    if (Buffer.byteLength(body) > bytesMax) fail("too_large", "the text is over the limit of the relay");
    if (seen.has(`${queue} ${id}`)) return;
    seen.add(`${queue} ${id}`);
    const waiting = queues.get(queue) ?? [];
    queues.set(queue, waiting);
    waiting.push({ id, origin, body, tries: 0, isGiven: false });
    giveAll();
  }

  function giveAll(): void {
    for (const name of open.keys()) schedule(() => give(name));
  }

  function give(name: string): void {
    const machine = open.get(name);
    if (!machine || self.isDown) return;
    const { desk, pools } = machine;
    const { mailGivenMax, reportsMax } = limits.relay;
    take(`mail ${name}`, mailGivenMax, name, (some) => desk.mail(some));
    take(`back ${name}`, reportsMax, name, (some) => desk.reports(some));
    for (const pool of pools) {
      const next = queues.get(`pool ${pool}`)?.find(({ isGiven }) => !isGiven);
      if (!next || !desk.mayTake(pool)) continue;
      desk.pooled(pool, given(next)).then(
        (verdict) => settle(`pool ${pool}`, [next], verdict, name),
        () => {},
      );
    }
  }

  /** What is not taken is tried again, before what comes after it. */
  function take(queue: string, max: number, name: string, by: (some: Arriving[]) => number): void {
    const some = (queues.get(queue) ?? []).slice(0, max).filter(({ isGiven }) => !isGiven);
    if (some.length === 0) return;
    const taken = by(some.map(given));
    for (const one of some.slice(taken)) one.isGiven = false;
    if (taken > 0) settle(queue, some.slice(0, taken), "done", name);
  }

  function given(one: Stored) {
    one.isGiven = true;
    one.tries++;
    return { origin: one.origin, body: one.body, tries: one.tries };
  }

  /** A lost acknowledgement leaves it in the stream, given: it comes again later. */
  function settle(queue: string, some: readonly Stored[], verdict: Verdict, name: string): void {
    if (!open.has(name)) return;
    for (const one of some) {
      if (verdict !== "done") one.isGiven = false;
      else if (!loses("ack"))
        queues.set(
          queue,
          queues.get(queue)!.filter((other) => other !== one),
        );
    }
    if (verdict === "done") giveAll();
  }

  return self;
}

export const relayAs = (name: string, pools: RelaySettings["pools"] = {}): RelaySettings => ({
  servers: ["nats://127.0.0.1:4222"],
  creds: null,
  ca: null,
  name,
  replicas: 1,
  publish: [],
  pools,
});

/** Two machines, laptop and tower: returns the laptop. */
export async function laptopOf(
  state: Partial<Pick<Broker, "isDown" | "isFull">>,
  {
    begun,
    create,
  }: { begun(options: WorldOptions): TestWorld; create(world: TestWorld, name: string): unknown },
): Promise<TestWorld> {
  const shared = broker();
  const tower = begun({ relay: shared.port, policy: { relay: relayAs("tower") } });
  await create(tower, "docs");
  await until("the other machine is known", () => tower.engine.core.relay()?.state === "up");
  const world = begun({ relay: shared.port, policy: { relay: relayAs("laptop") } });
  Object.assign(shared, state);
  return world;
}
