/**
 * The board beside a fleet: its CPU and the daemon's with 100 threads of which ten work, and how soon a key is on the screen. In a terminal
 * of the runtime's own, over the real Codex.
 */
import { codexExecutable, codexHome } from "../../test/support/codex.ts";
import { startProvider } from "../../test/support/provider.ts";
import { stringify } from "../../test/support/provider-script.ts";
import { ask, type Daemon, makeHome, startDaemon } from "./daemon.ts";
import { usage } from "./idle.ts";
import { median, ms, quantile, until } from "./measure.ts";
import { atMost, type Bench, type Row } from "./row.ts";

const threads = 100;
const workers = 10;
const watchedMs = 12_000;
const rounds = 4;
const keys = 200;

export const top: Row = {
  async measure(bench) {
    const provider = startProvider({ requestsKept: 1 });
    bench.owns(() => provider.stop());
    const home = codexHome(provider.url);
    bench.owns(home.cleanup);
    const agent = { DISPATCH_CODEX: codexExecutable(), CODEX_HOME: home.home };
    const daemon = await startDaemon(bench, await makeHome(bench, "top-100", threads - workers, agent));
    await until("Codex is up", async () => {
      const { child } = (await ask(daemon.connection, "daemon.status")) as { child: { state: string } };
      return child.state === "running" ? true : undefined;
    });
    const first = await boardOn(bench, daemon);
    const [idle = 0] = await percents(first.pid);
    await first.end();
    await work(daemon, home.cwd);
    const taken: number[] = [];
    const shares = { board: [] as number[], watched: [] as number[], alone: [] as number[] };
    const seenBefore = await events(daemon);
    const from = performance.now();
    let bytes = 0;
    // In turns: what a fleet costs by itself changes from one minute to the next by as much as a board costs.
    for (let round = 0; round < rounds; round++) {
      const board = await boardOn(bench, daemon);
      await until("the fleet works", () => (board.text().includes(`${workers} busy`) ? true : undefined));
      const [busy = 0, watched = 0] = await percents(board.pid, daemon.pid);
      for (let at = 0; at < keys / rounds; at++) taken.push(await board.key(at % 2 === 0 ? "j" : "k"));
      bytes += board.bytes();
      await board.end();
      const [alone = 0] = await percents(daemon.pid);
      shares.board.push(busy);
      shares.watched.push(watched);
      shares.alone.push(alone);
    }
    const seen = ((await events(daemon)) - seenBefore) / ((performance.now() - from) / 1000);
    const [watched, alone] = [mean(shares.watched), mean(shares.alone)];
    await daemon.end();
    return {
      lines: [
        atMost(`CPU of \`dispatch top\`, ${threads} threads, ${workers} busy`, mean(shares.board), 2, "%"),
        atMost("the same while nothing happens", idle, 1, "%"),
        atMost("CPU that the board costs the daemon", watched - alone, 1, "%"),
        atMost("from a key to its picture, p99", quantile(taken, 0.99), 50, "ms"),
      ],
      notes: [
        `the daemon takes ${watched.toFixed(1)} % of a core while they work with the board, and ${alone.toFixed(1)} % without`,
        `${rounds} times ${watchedMs / 1000} s each, in turns (${shares.watched.map(share).join(", ")} with it, ${shares.alone.map(share).join(", ")} without), in a terminal of 80 x 24; ${seen.toFixed(0)} events/s while they work`,
        `a key: p50 ${ms(median(taken))}, ${keys} keys while ten threads work; ${(bytes / 1024).toFixed(0)} KiB were drawn in all`,
      ],
    };
  },
};

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const share = (percent: number) => percent.toFixed(1);

/** Turns that run a command and say something, a step a second each. */
async function work(daemon: Daemon, cwd: string): Promise<void> {
  const steps = Array.from({ length: 200 }, (_, at) => [
    { shell: "sleep 1" },
    { say: `Step ${at} is done, I go on with the next file. ` },
  ]).flat();
  for (let at = 0; at < workers; at++)
    await ask(daemon.connection, "thread.new", {
      name: `worker-${at}`,
      cwd,
      text: stringify(steps),
      idempotency_key: `worker-${at}`,
    });
}

async function events({ connection }: Daemon): Promise<number> {
  const { cursor } = await ask(connection, "daemon.status");
  return Number(String(cursor).split(":")[1]);
}

async function percents(...pids: number[]): Promise<number[]> {
  // The first seconds compile what runs later.
  await Bun.sleep(3000);
  const before = pids.map((pid) => usage(pid).cpuMs);
  await Bun.sleep(watchedMs);
  return pids.map((pid, at) => ((usage(pid).cpuMs - before[at]!) / watchedMs) * 100);
}

async function boardOn(bench: Bench, daemon: Daemon) {
  let text = "";
  let bytes = 0;
  let drawn = Promise.withResolvers<void>();
  const child = Bun.spawn([bench.dispatch, "top"], {
    env: { ...daemon.env, TERM: "xterm-256color" },
    terminal: {
      cols: 80,
      rows: 24,
      data(_, part) {
        bytes += part.length;
        text = (text + Buffer.from(part).toString("utf8")).slice(-100_000);
        drawn.resolve();
      },
    },
  });
  bench.owns(() => child.kill("SIGKILL"));
  await until("the board", () => (text.includes("quit") ? true : undefined));
  return {
    pid: child.pid,
    text: () => text.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, ""),
    bytes: () => bytes,
    /** Until the selected row is drawn, which is in inverse. */
    async key(name: string): Promise<number> {
      text = "";
      const from = performance.now();
      child.terminal!.write(name);
      while (!text.includes("\x1b[7m")) {
        drawn = Promise.withResolvers();
        await drawn.promise;
      }
      return performance.now() - from;
    },
    async end() {
      child.terminal!.write("q");
      await child.exited;
    },
  };
}
