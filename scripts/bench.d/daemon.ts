/** The daemon as users run it: its own process and home, called over its socket. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { index } from "../../src/ops/index.ts";
import { connect } from "../../src/surface/client.ts";
import type { Connection, Row } from "../../src/surface/wire.ts";
import { until } from "./measure.ts";
import { type Automations, writeAutomations, writeHistory, writeRegistry } from "./registry.ts";
import type { Bench } from "./row.ts";

export type Env = Record<string, string>;

export interface Home {
  env: Env;
  socket: string;
}

/** A home with that many threads. `agent`: what names Codex; without it there is none. */
export async function makeHome(
  bench: Bench,
  name: string,
  threads: number,
  agent: Env = {},
  history?: { events: number; messages: number },
  automations?: Automations,
): Promise<Home> {
  const home = join(bench.folder, "homes", name);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  await writeRegistry(join(home, "registry.db"), threads, agent["CODEX_HOME"]);
  if (history) writeHistory(join(home, "registry.db"), history);
  if (automations) writeAutomations(join(home, "registry.db"), automations);
  // Apart from the home: the kernel takes only short socket paths.
  const place = mkdtempSync(join(tmpdir(), "bench-"));
  bench.owns(() => rmSync(place, { recursive: true, force: true }));
  const socket = join(place, "s");
  const env = {
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    HOME: home,
    DISPATCH_HOME: home,
    DISPATCH_SOCKET: socket,
    DISPATCH_CODEX: join(home, "no-codex"),
    DISPATCH_NO_START: "1",
    ...agent,
  };
  return { env, socket };
}

export interface Daemon extends Home {
  pid: number;
  connection: Connection;
  /** From the spawn to the first answer. */
  readyMs: number;
  end(): Promise<void>;
}

/** Resolves with the first answered call: `daemon.status`, which is what `dispatch up` asks. */
export async function startDaemon(bench: Bench, home: Home): Promise<Daemon> {
  const from = performance.now();
  const child = Bun.spawn([bench.dispatchd], { env: home.env, stdio: ["ignore", "ignore", "ignore"] });
  let isEnded = false;
  const end = async () => {
    if (isEnded) return;
    isEnded = true;
    child.kill("SIGTERM");
    await child.exited;
  };
  bench.owns(end);
  const connection = await until("the daemon listens", () => {
    if (child.exitCode !== null) throw new Error(`the daemon ended with ${child.exitCode}`);
    return connect(home.socket);
  });
  await ask(connection, "daemon.status");
  const readyMs = performance.now() - from;
  return {
    ...home,
    pid: child.pid,
    connection,
    readyMs,
    async end() {
      connection.close();
      await end();
    },
  };
}

export async function ask(
  connection: Connection,
  op: string,
  input: Row = {},
  on: { row?(row: Row): void; signal?: AbortSignal } = {},
): Promise<Row> {
  const schema = index.find((row) => row.name === op)?.hash ?? "";
  const caller = { kind: "cli", thread_id: null, cwd: "/" } as const;
  const answer = await connection.call({ op, schema, input, caller }, on);
  if ("result" in answer) return answer.result;
  throw new Error(`${op}: ${"error" in answer ? answer.error.message : "the connection was lost"}`);
}
