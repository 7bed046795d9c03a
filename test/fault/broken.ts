/** The daemon as it is, of which a call from the directory `/broken/WHERE` fails there. Run as a process of its own. */
import { compose } from "../../src/daemon/compose.ts";
import { runDaemon } from "../../src/daemon/run.ts";
import type { Ctx } from "../../src/ops/ctx.ts";
import { index } from "../../src/ops/index.ts";
import type { DaemonOp, IndexRow } from "../../src/ops/op.ts";

function fail(): never {
  throw new TypeError("broken on purpose");
}

/** What a call does in place of its own work. */
const ways: Record<string, (ctx: Ctx) => unknown> = {
  run: fail,
  rejection: () => Promise.reject(new TypeError("broken on purpose")),
  string: () => Promise.reject("no error at all"),
  output: () => ({ pid: 1n }),
  timer: ({ clock }) => {
    clock.after(1, fail);
    return fail();
  },
  stray: () => {
    Promise.reject(new TypeError("broken on purpose")).then();
    return fail();
  },
  // A row that no JSON can hold.
  row: ({ emit }) => emit({ n: 1n }),
  tap: ({ core, emit }) => {
    core.tap(() => fail());
    emit({ n: 1n });
    return fail();
  },
  deep: () => {
    let deep = {};
    for (let n = 0; n < 100_000; n++) deep = { deep };
    return { deep };
  },
};

function breakable(row: IndexRow): IndexRow {
  return {
    ...row,
    async load() {
      const op = (await row.load()).default as DaemonOp;
      const run: DaemonOp["run"] = (input, ctx) => {
        const way = /^\/broken\/(.*)$/.exec(ctx.caller.cwd)?.[1];
        return way === undefined ? op.run(input, ctx) : (ways[way]!(ctx) as never);
      };
      return { default: { ...op, run } };
    },
  };
}

process.exit(
  await runDaemon({
    argv: process.argv.slice(2),
    load: async () => ({ index: index.map(breakable), compose }),
  }),
);
