/** The kill run, with any number of messages and any seed.   fault [--messages 500] [--seed random] [--runs 1] */
import { parseArgs } from "node:util";
import { killRun } from "../test/fault/kill/run.ts";

const { values } = parseArgs({
  options: {
    messages: { type: "string", default: "500" },
    seed: { type: "string", default: `${Math.floor(Math.random() * 1_000_000)}` },
    runs: { type: "string", default: "1" },
  },
});
const first = Number(values.seed);
for (let seed = first; seed < first + Number(values.runs); seed++) {
  const { kills, ...told } = await killRun({ messages: Number(values.messages), seed });
  const counts = Object.entries({ ...told, ...kills }).map(
    ([name, n]) => `${n} ${name.replaceAll("_", " ")}`,
  );
  await Bun.write(Bun.stdout, `seed ${seed}: ${counts.join(", ")}\n`);
}
