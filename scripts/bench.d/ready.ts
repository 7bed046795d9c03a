/** From the start of a daemon to its first answer, without Codex. */
import { type Home, makeHome, startDaemon } from "./daemon.ts";
import { inTurns, median, ratio, sides } from "./measure.ts";
import { atMost, type Bench, type Row } from "./row.ts";

const starts = 15;

export const ready: Row = {
  async measure(bench) {
    const none = await makeHome(bench, "ready-0", 0);
    const many = await makeHome(bench, "ready-1000", 1000);
    const taken = await inTurns(
      starts,
      () => readyMs(bench, none),
      () => readyMs(bench, many),
    );
    return {
      lines: [
        atMost("ready: spawn to the first answered daemon.status", median(taken.floor), 300, "ms", 1),
        atMost("ready with 1,000 threads / with none", ratio(taken), 1.3, "x"),
      ],
      notes: [sides(taken, ["none", "1,000 threads"])],
    };
  },
};

async function readyMs(bench: Bench, home: Home): Promise<number> {
  const daemon = await startDaemon(bench, home);
  await daemon.end();
  return daemon.readyMs;
}
