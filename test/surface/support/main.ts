/** The command line over the sample ops, as a process. `__daemon` makes it the fake daemon, as autostart would. */
import { appendFileSync, rmSync } from "node:fs";
import { readEnv } from "../../../src/base/env.ts";
import type { Code } from "../../../src/base/error.ts";
import { openLock } from "../../../src/base/flock.ts";
import { pathsOf } from "../../../src/base/paths.ts";
import type { Service } from "../../../src/ops/ctx.ts";
import { quick } from "../../../src/surface/cli/quick.ts";
import { runCli } from "../../../src/surface/cli/run.ts";
import { quickReadOf } from "../../../src/surface/indexrow.ts";
import { listingsOf } from "../../../src/surface/mcp/listing.ts";
import { agreeable, type Behaviour, fakeDaemon } from "./daemon.ts";
import { index, ops } from "./ops.ts";

const far = { hosts: async () => ({}), agentHere: async () => null };
const argv = process.argv.slice(2);
if (argv[0] === "__daemon") await daemon();
else {
  const reads = Object.values(ops).flatMap((one) => quickReadOf(one) ?? []);
  const asked = await quick(argv, far, reads);
  process.exit(
    typeof asked === "number"
      ? asked
      : await runCli(argv, {
          ...asked,
          index,
          tools: () => listingsOf(index),
          daemonArgv: [process.execPath, import.meta.path, "__daemon"],
          daemonVariables: async () => Object.keys(process.env).filter((name) => name.startsWith("FAKE_")),
          ...far,
          codex: () => Promise.resolve(0),
          show: () => Promise.resolve(),
          doctor: () => Promise.resolve([]),
          registry: () => Promise.reject(new Error("no command of these tests asks for it")),
          plugin: () => Promise.reject(new Error("no command of these tests asks for it")),
          service: async () => ({ startInstalled: async () => false }) as unknown as Service,
        }),
  );
}

async function daemon(): Promise<void> {
  const paths = pathsOf(readEnv());
  const refuse = async () => {
    const error = { code: "storage", message: "no room", hint: null, retry: "later", data: null };
    await Bun.write(Bun.stderr, `${JSON.stringify({ error })}\n`);
    process.exit(16);
  };
  if (process.env["FAKE_REFUSES"]) await refuse();
  if (process.env["FAKE_DIES"]) {
    rmSync(paths.socket, { force: true });
    Bun.listen({ unix: paths.socket, socket: { data() {}, open: () => void setTimeout(refuse, 30) } });
    return;
  }
  const lock = openLock(paths.lock);
  if (!lock) process.exit(3);
  lock.write(JSON.stringify({ env: Object.keys(process.env) }));
  await Bun.write(`${paths.home}/pids/${process.pid}`, JSON.stringify(process.env));
  rmSync(paths.socket, { force: true });
  const other = process.env["FAKE_VERSION"];
  if (other) fakeDaemon(paths.socket, (call, reply) => ofAnotherVersion(call, reply, paths.home), other);
  else fakeDaemon(paths.socket, agreeable);
}

/** Disagrees on every operation that is not frozen, notes what it was asked, and stops unless it is busy. */
function ofAnotherVersion(...[call, reply, home]: [...Parameters<Behaviour>, string]): void {
  appendFileSync(`${home}/asked`, `${JSON.stringify({ op: call.op, input: call.input })}\n`);
  const busy = process.env["FAKE_BUSY"];
  if (call.op !== "daemon.stop") reply.error({ code: "stale", message: "they disagree", hint: "h" });
  else if (busy) reply.error({ code: (process.env["FAKE_CODE"] ?? "thread_busy") as Code, message: busy });
  else {
    reply.result({ pid: process.pid, cut: [] });
    // As a daemon does: the answer leaves first, then the socket goes, then the process.
    setTimeout(() => {
      rmSync(pathsOf(readEnv()).socket, { force: true });
      process.exit(0);
    }, 20);
  }
}
