/**
 * The kill run of the relay: three real machines on one real server, whose daemons, Codexes and server are killed with -9
 * and stopped, and whose networks are cut, under senders that ask again with the same key. Then peace, and every promise is counted in the threads' own
 * history on the machine that has them.
 */

import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import type { ErrorBody } from "../../../src/base/error.ts";
import { until } from "../../support/fault.ts";
import { historyIn } from "../../support/fault-history.ts";
import { type NatsServer, natsServer } from "../../support/nats.ts";
import { type Network, networkTo } from "../../support/network.ts";
import { type Box, box } from "../../support/relay.ts";
import { seeded } from "../../support/seeded.ts";
import { type Harm, harm, killsOf } from "./harm.ts";

export interface Asked {
  messages: number;
  kills: number;
  seed: number;
  /** Also cuts networks. */
  hasCuts: boolean;
}

export interface Outcome {
  messages: number;
  pooled: number;
  done: number;
  lost: number;
  doubled: number;
  disordered: number;
  /** Sends that were repeated with their key. */
  repeated: number;
  harm: Harm;
  seconds: number;
}

const names = ["north", "east", "south"];
const threadsEach = 2;
/** A turn of a message is some 100 ms, on machines that share two cores. */
const peaceMs = 420_000;
const pool = "[relay.pools.any]\nat_once = 2\n";

interface Accepted {
  text: string;
  receipt: string;
  from: Box;
}

/** One sender for each thread, and one for the pool, so that there is an order to keep. */
interface Line {
  target: string;
  from: Box;
  to: Box | null;
  thread: string | null;
  accepted: Accepted[];
}

export async function relayKillRun({ messages, kills, seed, hasCuts }: Asked): Promise<Outcome> {
  const begun = Date.now();
  const random = seeded(seed);
  const nats = await natsServer();
  const networks = await Promise.all(names.map(() => networkTo(nats.port)));
  const boxes = names.map((name, at) => box(name, urlOver(nats, networks[at]!), pool));
  try {
    for (const one of boxes) await one.join();
    const lines = await linesOf(boxes);
    let repeated = 0;
    const share = Math.ceil(messages / lines.length);
    const told: Harm = { daemons: 0, codexes: 0, servers: 0, stalls: 0, cuts: 0, at_steps: 0 };
    // Messages are on their way through the whole of the harm, and not only at its beginning.
    const allowed = () => (share * (killsOf(told) + 1)) / (kills + 1);
    const sending = lines.map(async (line, index) => {
      for (let at = 0; at < share; at++) {
        await until("more may be sent", () => at < allowed() || killsOf(told) >= kills, 120_000);
        repeated += await sendOne(line, `${seed} line ${index} text ${at}`);
      }
    });
    await Promise.all([...sending, harm(told, { nats, boxes, networks, kills, hasCuts, random })]);
    await peace(nats, boxes, lines);
    const counted = await count(boxes, lines);
    return { ...counted, repeated, harm: told, seconds: Math.round((Date.now() - begun) / 1000) };
  } catch (thrown) {
    const tails = boxes.map(({ name, home }) => `${name}\n${tail(`${home}/daemon.log`)}`).join("\n");
    throw new Error(`seed ${seed}: ${thrown instanceof Error ? thrown.stack : thrown}\n${tails}`);
  } finally {
    for (const one of boxes) await one.dispose();
    for (const one of networks) one.dispose();
    await nats.dispose();
  }
}

function urlOver({ url, port }: NatsServer, network: Network): string {
  return url.replace(`:${port}`, `:${network.port}`);
}

async function linesOf(boxes: readonly Box[]): Promise<Line[]> {
  const lines: Line[] = [];
  for (const [at, to] of boxes.entries())
    for (let index = 0; index < threadsEach; index++) {
      const from = boxes[(at + 1 + index) % boxes.length]!;
      const { ref } = await to.must("thread.new", { name: `thread ${index}`, cwd: to.codex.cwd });
      lines.push({ target: `${to.name}/${ref}`, from, to, thread: ref, accepted: [] });
    }
  lines.push({ target: "queue@any", from: boxes[0]!, to: null, thread: null, accepted: [] });
  return lines;
}

/** Until the stream has it; returns how often it was repeated. */
async function sendOne(line: Line, text: string): Promise<number> {
  for (let tries = 0; ; tries++) {
    const told = await line.from.tell("message.send", { thread: line.target, text, idempotency_key: text });
    if ("result" in told) {
      line.accepted.push({ text, receipt: told.result.receipt, from: line.from });
      return tries;
    }
    refuseFinal(told.error);
    await Bun.sleep(50);
  }
}

function refuseFinal(error: ErrorBody): void {
  if (!/host_down|unsure|daemon_down|overloaded|timeout/.test(error.code))
    throw new Error(`a send was refused: ${JSON.stringify(error)}`);
}

/** Everything up, holds released, until the senders know the end of each message. */
async function peace(nats: NatsServer, boxes: readonly Box[], lines: readonly Line[]): Promise<void> {
  if (!nats.isUp()) await nats.start();
  let tidied = 0;
  const open = new Set(lines.flatMap(({ accepted }) => accepted));
  await until(
    "the senders know the end of each message",
    async () => {
      if (Date.now() - tidied > 500) {
        tidied = Date.now();
        for (const one of boxes) {
          await one.tell("daemon.retry", {});
          for (const { ref, hold_reason } of one.registry.lanes())
            if (hold_reason !== null) await one.must("queue.release", { thread: ref });
        }
      }
      for (const one of [...open].slice(0, 20)) {
        const told = await one.from.tell("receipt.get", { id: one.receipt });
        if ("result" in told && /done|failed|cancelled/.test(told.result.state)) open.delete(one);
        else break;
      }
      return open.size === 0;
    },
    peaceMs,
  ).catch(async (thrown: unknown) => {
    const left = await Promise.all([...open].slice(0, 5).map((one) => standing(boxes, one)));
    const lines = [...left, ...(await atServer(nats)), ...(await Promise.all(boxes.map(relayOf)))];
    throw new Error(`${thrown}; ${open.size} are open:\n${lines.join("\n")}`);
  });
}

async function relayOf({ name, must }: Box): Promise<string> {
  return `${name}: ${JSON.stringify((await must("daemon.status")).relay)}`;
}

/** What the server has for each machine. */
async function atServer({ url }: NatsServer): Promise<string[]> {
  const nc = await connect({ servers: url });
  const jsm = await jetstreamManager(nc);
  const lines: string[] = [];
  for (const stream of ["DISPATCH_MAIL", "DISPATCH_BACK"])
    for await (const {
      name,
      num_pending,
      num_ack_pending,
      num_waiting,
      delivered,
      ack_floor,
    } of jsm.consumers.list(stream))
      lines.push(
        `${name}: ${JSON.stringify({ num_pending, num_ack_pending, num_waiting, delivered, ack_floor })}`,
      );
  await nc.close();
  return lines;
}

/** What each machine says of a message. */
async function standing(boxes: readonly Box[], { receipt, text }: Accepted): Promise<string> {
  const said = await Promise.all(
    boxes.map(async (one) => {
      const told = await one.tell("receipt.get", { id: receipt });
      return `${one.name} ${"result" in told ? `${told.result.state} ${told.result.thread}` : told.error.code}`;
    }),
  );
  return `${text} (${receipt}): ${said.join(", ")}`;
}

async function count(boxes: readonly Box[], lines: readonly Line[]) {
  const places = new Map<string, { box: Box; thread: string }[]>();
  const orders = new Map<string, string[]>();
  for (const one of boxes) {
    const refs = new Map(one.registry.lanes().map(({ ref, thread_id }) => [thread_id, ref]));
    await one.ask(["down", "--force"]);
    const { texts } = await historyIn(one.codex.env, one.codex.home);
    for (const [threadId, ids] of texts) {
      orders.set(`${one.name}/${refs.get(threadId)}`, ids);
      for (const id of ids) places.set(id, [...(places.get(id) ?? []), { box: one, thread: threadId }]);
    }
    await one.ask(["up"]);
  }
  const wrong: string[] = [];
  const counts = { messages: 0, pooled: 0, done: 0, lost: 0, doubled: 0, disordered: 0 };
  for (const line of lines) {
    for (const { receipt, text, from } of line.accepted) {
      counts.messages++;
      if (line.to === null) counts.pooled++;
      const found = places.get(receipt) ?? [];
      const { state, error } = await from.must("receipt.get", { id: receipt });
      if (state === "done") counts.done++;
      if (found.length > 1) counts.doubled++;
      if (found.length === 0) counts.lost++;
      if (found.length !== 1 || state !== "done")
        wrong.push(
          `${text} (${receipt}) is ${state} ${JSON.stringify(error)} and stands ${found.length} times`,
        );
    }
    if (line.to === null) continue;
    const sent = line.accepted.map(({ receipt }) => receipt);
    const stands = (orders.get(line.target) ?? []).filter((id) => sent.includes(id));
    if (JSON.stringify(stands) !== JSON.stringify(sent)) {
      counts.disordered++;
      wrong.push(`the order of ${line.target} is not that of the sends`);
    }
  }
  const accepted = new Set(lines.flatMap((line) => line.accepted.map(({ receipt }) => receipt)));
  for (const one of boxes)
    for (const { id, key } of one.registry.messages())
      if (key === null && !accepted.has(id)) wrong.push(`${one.name} has ${id}, which nobody sent`);
  if (wrong.length > 0) throw new Error(`${wrong.length} promises broken:\n${wrong.slice(0, 40).join("\n")}`);
  return counts;
}

function tail(path: string): string {
  return Bun.spawnSync(["tail", "-n", "15", path]).stdout.toString();
}
