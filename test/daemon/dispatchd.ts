/** The daemon with a core of the test's: `FAKE` says how it behaves. Run as a process of its own. */
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
    tail: host.logTail(50),
    startedBy: host.startedBy,
  })),
  fakeOp("test.stop", (_input, { host }) => {
    host.stop();
    return { stopping: true };
  }),
  fakeOp("test.bug", () => {
    setTimeout(() => {
      throw new Error("nobody catches this");
    });
    return {};
  }),
  fakeOp("test.deaf", () => new Promise(() => {})),
];

const code = await runDaemon({
  argv: process.argv.slice(2),
  parts: async () => ({
    index: ops.map((one) => rowOf(one)),
    async compose({ env, log }) {
      if (fake.composeMs) await Bun.sleep(fake.composeMs);
      if (fake.fails === "dispatch")
        throw new DispatchError("storage", "the registry is corrupt", { hint: "restore a backup" });
      if (fake.fails === "bug") throw new TypeError("x is undefined");
      log.info("composed", { env: Object.keys(env).filter((name) => /^(CODEX|BUN)_/.test(name)) });
      return {
        core: {} as Core,
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
