/** Runs the simulator with any number of seeds, on two cores.   sim [--seeds 1000] [--from 1] [--steps 200] */
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { simulate } from "../test/sim/sim.ts";
import { noTally, plus, type Tally } from "../test/sim/state.ts";

interface Share {
  /** The first seed, and the step to the next one. */
  from: number;
  by: number;
  end: number;
  steps: number;
}

if (isMainThread) await main();
else parentPort?.postMessage(await run(workerData as Share));

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "1000" },
      from: { type: "string", default: "1" },
      steps: { type: "string", default: "200" },
    },
  });
  const [seeds, from, steps] = [Number(values.seeds), Number(values.from), Number(values.steps)];
  const shares = [0, 1].map((at) => ({ from: from + at, by: 2, end: from + seeds, steps }));
  let run = 0;
  const noted = async () => {
    if (++run % 100 === 0) await Bun.write(Bun.stderr, `${run} of ${seeds} seeds\n`);
  };
  const sum = (await Promise.all(shares.map((share) => inWorker(share, noted)))).reduce(plus);
  const words = Object.entries(sum).map(([name, n]) => `${n} ${name}`);
  await Bun.write(
    Bun.stdout,
    `${seeds} seeds of ${steps} steps: ${words.join(", ")}; none lost, doubled or out of order\n`,
  );
}

/** `noted` is called after each seed. */
function inWorker(share: Share, noted: () => Promise<void>): Promise<Tally> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(import.meta.path, { workerData: share });
    worker.on("message", (tally: Tally | null) => (tally === null ? void noted() : resolve(tally)));
    worker.once("error", reject);
  });
}

async function run({ from, by, end, steps }: Share): Promise<Tally> {
  let sum: Tally = noTally;
  for (let seed = from; seed < end; seed += by) {
    sum = plus(sum, await simulate(seed, steps));
    parentPort?.postMessage(null);
  }
  return sum;
}
