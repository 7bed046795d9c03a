/** One op after the other over a connection that is kept. */
import type { Connection } from "../../src/surface/wire.ts";
import { ask, makeHome, startDaemon } from "./daemon.ts";
import { ms, quantile, timed } from "./measure.ts";
import { atMost, type Row } from "./row.ts";

const calls = 2000;

export const op: Row = {
  async measure(bench) {
    const daemon = await startDaemon(bench, await makeHome(bench, "op-100", 100));
    const get = await times(daemon.connection, "thread.get", { thread: "@thread-7" }, calls);
    const events = await times(daemon.connection, "event.list", { limit: 20 }, calls);
    const list = await times(daemon.connection, "thread.list", {}, calls / 10);
    await daemon.end();
    return {
      lines: [atMost("`thread.get` on a kept connection, p50", quantile(get, 0.5), 1, "ms")],
      notes: [
        `thread.get ${spread(get)}; event.list of 20 ${spread(events)}; thread.list of 100 ${spread(list)}`,
      ],
    };
  },
};

async function times(connection: Connection, name: string, input: Record<string, unknown>, count: number) {
  const taken: number[] = [];
  for (let i = 0; i < count; i++) taken.push(await timed(() => ask(connection, name, input)));
  // The first of them load the op and compile it.
  return taken.slice(count / 20);
}

function spread(taken: number[]): string {
  return `p50 ${ms(quantile(taken, 0.5))}, p99 ${ms(quantile(taken, 0.99))}`;
}
