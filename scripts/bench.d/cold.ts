/** Commands as cold processes, against a program that does nothing. */
import { makeHome, startDaemon } from "./daemon.ts";
import { coldMs, inTurns, ratio, sides } from "./measure.ts";
import { atMost, type Row } from "./row.ts";

export const version: Row = {
  async measure(bench) {
    const env = { PATH: "/usr/bin:/bin", HOME: bench.folder };
    const taken = await inTurns(
      80,
      () => coldMs([bench.empty], env),
      () => coldMs([bench.dispatch, "--version"], env),
    );
    return {
      lines: [atMost("`dispatch --version` / an empty program", ratio(taken), 1.4, "x")],
      notes: [sides(taken)],
    };
  },
};

export const list: Row = {
  async measure(bench) {
    const daemon = await startDaemon(bench, await makeHome(bench, "list-100", 100));
    const output = Bun.spawnSync([bench.dispatch, "list", "--json"], { env: daemon.env }).stdout;
    const { threads } = JSON.parse(output.toString()) as { threads: unknown[] };
    const taken = await inTurns(
      80,
      () => coldMs([bench.empty], daemon.env),
      () => coldMs([bench.dispatch, "list"], daemon.env),
    );
    await daemon.end();
    return {
      lines: [
        atMost("`dispatch list`, warm daemon, 100 threads / an empty program", ratio(taken), 1.7, "x"),
        // A third of what the whole views of 100 threads are.
        atMost("JSON of `list`, 100 threads", output.length / 1024, 42, "KiB", 0),
      ],
      notes: [`${sides(taken)}; ${threads.length} threads, to a pipe`],
    };
  },
};
