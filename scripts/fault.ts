/**
 * The kill run, with any number of messages and any seed.   fault [--messages 500] [--seed random] [--runs 1]
 * `--relay`: that of three machines on one relay.           fault --relay [--messages 1000] [--kills 100] [--seed random]
 */
import { parseArgs } from "node:util";
import { killRun } from "../test/fault/kill/run.ts";
import { relayKillRun } from "../test/fault/relay/run.ts";

const { values } = parseArgs({
  options: {
    messages: { type: "string" },
    relay: { type: "boolean", default: false },
    kills: { type: "string", default: "100" },
    seed: { type: "string", default: `${Math.floor(Math.random() * 1_000_000)}` },
    runs: { type: "string", default: "1" },
  },
});
const first = Number(values.seed);
for (let seed = first; seed < first + Number(values.runs); seed++) {
  const told = values.relay ? await relayed(seed) : await local(seed);
  const counts = Object.entries(told).map(([name, n]) => `${n} ${name.replaceAll("_", " ")}`);
  await Bun.write(Bun.stdout, `seed ${seed}: ${counts.join(", ")}\n`);
}

async function local(seed: number): Promise<Record<string, number>> {
  const { kills, ...told } = await killRun({ messages: Number(values.messages ?? 500), seed });
  return { ...told, ...kills };
}

async function relayed(seed: number): Promise<Record<string, number>> {
  const asked = {
    messages: Number(values.messages ?? 1000),
    kills: Number(values.kills),
    seed,
    hasCuts: true,
  };
  const { harm, ...told } = await relayKillRun(asked);
  return { ...told, ...harm };
}
