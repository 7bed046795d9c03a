/** Messages between machines over a real server: end to end into queues, what they take of the stream, what idling costs. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { ensureConsumers } from "../../src/relay/streams.ts";
import { type NatsServer, natsPath, natsServer } from "../../test/support/nats.ts";
import { ask, type Daemon, makeHome, startDaemon } from "./daemon.ts";
import { daemonAtRest, usage } from "./idle.ts";
import { until } from "./measure.ts";
import { atLeast, atMost, type Bench, type Row } from "./row.ts";

const machines = 10;
const messagesEach = 5000;
/** Sends of one machine that wait for their answers at a time. */
const atOnce = 16;
const watchedMs = 30_000;
/** Messages whose size is taken. */
const sampled = 100;
const text = "x".repeat(100);

export const relay: Row = {
  async measure(bench) {
    if (natsPath === null) throw new Error("no nats-server: apt-get install nats-server");
    const nats = await natsServer();
    bench.owns(nats.dispose);
    const idle = await idling(bench, nats);
    const ran = await endToEnd(bench, nats);
    const many = await crowd(bench, 1000);
    const { mailBytes, reportBytes } = await sizes(bench, nats);
    const kb = (bytes: number) => `${(bytes / 1000).toFixed(2)} KB`;
    return {
      lines: [
        atLeast(`messages into queues, end to end, ${machines} machines`, ran.perSecond, 1000),
        atMost("CPU of an idle daemon with a relay, above one without", idle.above, 0.2, "%"),
      ],
      notes: [
        `${machines} daemons and one server on this machine; each sends ${messagesEach} texts of 100 characters to the next one, ${atOnce} at a time; from the first send until each is durable in its queue, ${ran.seconds.toFixed(1)} s`,
        `accepted by the stream, which is when a send returns: ${Math.round(ran.acceptedPerSecond).toLocaleString("en-US")} /s`,
        `stored by the server: ${kb(mailBytes)} a text of 100 characters until it is taken, ${kb(reportBytes)} a report of its state until that is`,
        `the server with the consumers of 1,000 machines: ${kb(many.bytesEach)} of memory a machine, ${many.percent.toFixed(1)} % CPU at rest, ${many.madeMs.toFixed(1)} ms to make those of one`,
        `idle over ${watchedMs / 1000} s: ${idle.without.toFixed(2)} % without [relay], where nothing of it is loaded, and ${idle.used.toFixed(2)} % with it; the server ${idle.server.toFixed(2)} %`,
      ],
    };
  },
};

function configure(bench: Bench, home: string, name: string, nats: NatsServer): void {
  const folder = join(bench.folder, "homes", home);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, "config.toml"), `[relay]\nurl = "${nats.url}"\nname = "${name}"\n`);
}

async function isUp(daemon: Daemon): Promise<true | undefined> {
  const { relay: found } = (await ask(daemon.connection, "daemon.status")) as {
    relay: { state: string } | null;
  };
  return found?.state === "up" || undefined;
}

async function endToEnd(bench: Bench, nats: NatsServer) {
  const daemons: Daemon[] = [];
  for (let at = 0; at < machines; at++) {
    configure(bench, `relay-${at}`, `box${at}`, nats);
    daemons.push(await startDaemon(bench, await makeHome(bench, `relay-${at}`, 1)));
  }
  for (const daemon of daemons) await until("its relay is up", () => isUp(daemon));
  const total = machines * messagesEach;
  const from = performance.now();
  await Promise.all(
    daemons.map(async ({ connection }, at) => {
      const thread = `box${(at + 1) % machines}/@thread-0`;
      let left = messagesEach;
      const sendSome = async () => {
        while (left-- > 0) await ask(connection, "message.send", { thread, text });
      };
      await Promise.all(Array.from({ length: atOnce }, sendSome));
    }),
  );
  const accepted = performance.now() - from;
  await allQueued(daemons, total);
  const taken = performance.now() - from;
  for (const daemon of daemons) await daemon.end();
  return {
    perSecond: (total / taken) * 1000,
    acceptedPerSecond: (total / accepted) * 1000,
    seconds: taken / 1000,
  };
}

/** Asked rarely: the machines that answer are those that work. */
async function allQueued(daemons: readonly Daemon[], total: number): Promise<void> {
  for (let tries = 0; tries < 1200; tries++) {
    const counts = await Promise.all(daemons.map(({ connection }) => ask(connection, "daemon.status")));
    const queued = counts.reduce((sum, row) => sum + (row as { queue: { queued: number } }).queue.queued, 0);
    if (queued >= total) return;
    await Bun.sleep(50);
  }
  throw new Error("not all are in their queues within a minute");
}

/** Of a message for a machine that sleeps, and of a report for a sender that sleeps, as the server stores them. */
async function sizes(bench: Bench, nats: NatsServer) {
  const start = async (name: string, home?: Awaited<ReturnType<typeof makeHome>>) => {
    configure(bench, name, name, nats);
    const daemon = await startDaemon(bench, home ?? (await makeHome(bench, name, 1)));
    await until("its relay is up", () => isUp(daemon));
    return daemon;
  };
  const [sender, sleeper] = [await start("size-sender"), await start("size-sleeper")];
  await sleeper.end();
  const nc = await connect({ servers: nats.url });
  const jsm = await jetstreamManager(nc);
  const stateOf = async (stream: string) => (await jsm.streams.info(stream)).state;
  for (let at = 0; at < sampled; at++)
    await ask(sender.connection, "message.send", { thread: "size-sleeper/@thread-0", text });
  const mail = await stateOf("DISPATCH_MAIL");
  await sender.end();
  const awake = await start("size-sleeper", sleeper);
  await allQueued([awake], sampled);
  let bytes = 0;
  // Those that wait together are one message.
  await until("each is reported", async () => {
    await Bun.sleep(500);
    const before = bytes;
    ({ bytes } = await stateOf("DISPATCH_BACK"));
    return bytes > 0 && bytes === before ? true : undefined;
  });
  await awake.end();
  await nc.close();
  return { mailBytes: mail.bytes / mail.messages, reportBytes: bytes / sampled };
}

/** The server with the consumers of so many machines, as each makes them when it first connects. */
async function crowd(bench: Bench, count: number) {
  const nats = await natsServer();
  bench.owns(nats.dispose);
  configure(bench, "relay-first", "first", nats);
  // One real machine makes the streams.
  const daemon = await startDaemon(bench, await makeHome(bench, "relay-first", 1));
  await until("its relay is up", () => isUp(daemon));
  await daemon.end();
  const nc = await connect({ servers: nats.url });
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const before = usage(nats.pid()).rssBytes;
  const from = performance.now();
  for (let at = 0; at < count; at++) {
    const settings = {
      servers: [],
      creds: null,
      ca: null,
      name: `m${at}`,
      replicas: 1,
      publish: [],
      pools: {},
    };
    await ensureConsumers(jsm, settings, "bench");
  }
  const madeMs = (performance.now() - from) / count;
  const cpu = usage(nats.pid()).cpuMs;
  await Bun.sleep(10_000);
  const after = usage(nats.pid());
  await nc.close();
  await nats.dispose();
  return { bytesEach: (after.rssBytes - before) / count, percent: (after.cpuMs - cpu) / 100, madeMs };
}

async function idling(bench: Bench, nats: NatsServer) {
  const percentOf = async (pid: number) => {
    const before = usage(pid).cpuMs;
    await Bun.sleep(watchedMs);
    return ((usage(pid).cpuMs - before) / watchedMs) * 100;
  };
  const plain = await daemonAtRest(bench, "relay-none");
  const without = await percentOf(plain.pid);
  await plain.end();
  configure(bench, "relay-idle", "idle", nats);
  const daemon = await daemonAtRest(bench, "relay-idle");
  await until("its relay is up", () => isUp(daemon));
  const [used, server] = await Promise.all([percentOf(daemon.pid), percentOf(nats.pid())]);
  await daemon.end();
  return { without, used, above: used - without, server };
}
