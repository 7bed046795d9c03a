/** Runs the simulator for as many seeds as one likes.   sim [--seeds 1000] [--from 1] [--steps 200] */
import { parseArgs } from "node:util";
import { simulate, type Tally } from "../test/sim/sim.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    steps: { type: "string", default: "200" },
  },
});
const [seeds, from, steps] = [Number(values.seeds), Number(values.from), Number(values.steps)];
const sum: Tally = { accepted: 0, kills: 0, restarts: 0, done: 0, failed: 0, cancelled: 0, unsure: 0 };
for (let seed = from; seed < from + seeds; seed++) {
  const tally = await simulate(seed, steps);
  for (const name of Object.keys(sum) as (keyof Tally)[]) sum[name] += tally[name];
}
const said = Object.entries(sum).map(([name, n]) => `${n} ${name}`);
await Bun.write(
  Bun.stdout,
  `${seeds} seeds of ${steps} steps: ${said.join(", ")}; none lost, doubled or out of order\n`,
);
