/** What a long past costs: 1,000 threads with 1,000,000 events and 100,000 ended messages, beside the same with none. */
import { ask, makeHome, startDaemon } from "./daemon.ts";
import { daemonAtRest, usage } from "./idle.ts";
import { inTurns, median, ms, quantile, ratio, sides, timed } from "./measure.ts";
import { atMost, type Row } from "./row.ts";

const history = { events: 1_000_000, messages: 100_000 };
const watchedMs = 10_000;
const starts = 9;
const calls = 2000;

export const log: Row = {
  async measure(bench) {
    const daemon = await daemonAtRest(bench, "log-idle", history);
    const before = usage(daemon.pid).cpuMs;
    await Bun.sleep(watchedMs);
    const percent = ((usage(daemon.pid).cpuMs - before) / watchedMs) * 100;
    const taken: number[] = [];
    for (let i = 0; i < calls; i++)
      taken.push(await timed(() => ask(daemon.connection, "thread.get", { thread: `@thread-${i % 1000}` })));
    await daemon.end();
    const none = await makeHome(bench, "log-none", 1000);
    const long = await makeHome(bench, "log-long", 1000, {}, history);
    const readyMs = async (home: typeof none) => {
      const started = await startDaemon(bench, home);
      await started.end();
      return started.readyMs;
    };
    const ready = await inTurns(
      starts,
      () => readyMs(none),
      () => readyMs(long),
    );
    return {
      lines: [
        atMost("CPU of an idle daemon, 1,000,000 events and 100,000 messages", percent, 0.5, "%"),
        atMost("ready with them / without", ratio(ready), 1.3, "x"),
        atMost("`thread.get` beside them, p99", quantile(taken, 0.99), 20, "ms"),
      ],
      notes: [
        `${sides(ready, ["without", "with"])}; thread.get p50 ${ms(quantile(taken, 0.5))}, median ready ${ms(median(ready.ours))}`,
      ],
    };
  },
};
