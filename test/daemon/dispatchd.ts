/** The daemon with a core of the test's: `FAKE` says how it behaves. Run as a process of its own. */
import type { Clock } from "../../src/base/clock.ts";
import { DispatchError } from "../../src/base/error.ts";
import type { Core } from "../../src/core/core.ts";
import { runDaemon } from "../../src/daemon/run.ts";
import { fakeOp, rowOf } from "./rig.ts";

interface Fake {
  composeMs?: number;
  fails?: "dispatch" | "bug";
  closeMs?: number;
}

const fake = JSON.parse(process.env["FAKE"] ?? "{}") as Fake;

const ops = [
  fakeOp("test.echo", (input) => ({ ...input })),
  fakeOp("test.host", (_input, { host }) => ({
    pid: host.pid,
    faults: host.faults(),
    previous: host.previous,
    tail: host.logTail(50),
    startedBy: host.startedBy,
  })),
  fakeOp("test.stop", (_input, { host }) => {
    host.stop();
    return { stopping: true };
  }),
  fakeOp("test.bug", ({ text }, { clock }) => {
    throwIn(String(text), clock);
    return {};
  }),
  fakeOp("test.deaf", () => new Promise(() => {})),
];

function throwIn(where: string, clock: Clock): void {
  const fail = () => {
    throw new Error("nobody catches this");
  };
  const abort = new AbortController();
  abort.signal.addEventListener("abort", fail);
  const stream = new ReadableStream({ start: (to) => to.enqueue(1) });
  const ways: Record<string, () => unknown> = {
    timer: () => setTimeout(fail),
    clock: () => clock.after(1, fail),
    rejection: () => Promise.resolve().then(fail),
    microtask: () => queueMicrotask(fail),
    "abort listener": () => setTimeout(() => abort.abort()),
    "stream reader": () => void stream.getReader().read().then(fail),
  };
  ways[where]!();
}

const code = await runDaemon({
  argv: process.argv.slice(2),
  load: async () => ({
    index: ops.map((one) => rowOf(one)),
    async compose({ env, log }) {
      if (fake.composeMs) await Bun.sleep(fake.composeMs);
      if (fake.fails === "dispatch")
        throw new DispatchError("storage", "the registry is corrupt", { hint: "restore a backup" });
      if (fake.fails === "bug") throw new TypeError("x is undefined");
      log.info("composed", { env: Object.keys(env).filter((name) => /^(CODEX|BUN)_/.test(name)) });
      return {
        core: { authorizeAgentCall() {} } as unknown as Core,
        audit: () => {},
        async close() {
          if (fake.closeMs) await Bun.sleep(fake.closeMs);
          log.info("closed the core");
        },
      };
    },
  }),
});
process.exit(code);
