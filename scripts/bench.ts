/**
 * How fast it is, as ratios against floors taken in the same minute on the same machine; medians of many runs.
 *
 *   bench [ROW...]     version list op send accept claim ingest search ready idle auto mcp log unmanaged relay top machines; without names: all of them
 *
 * A missed bar is printed as MISSED and is not a failure. The exit status is 1 when something could not be measured.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { buildAll } from "./bench.d/build.ts";
import type { Bench, Measured, Row } from "./bench.d/row.ts";

/** In the order of the table. Loaded one by one, so that one that cannot be loaded does not affect the others. */
const rows: Record<string, () => Promise<Row>> = {
  version: async () => (await import("./bench.d/cold.ts")).version,
  list: async () => (await import("./bench.d/cold.ts")).list,
  op: async () => (await import("./bench.d/op.ts")).op,
  send: async () => (await import("./bench.d/send.ts")).send,
  accept: async () => (await import("./bench.d/accept.ts")).accept,
  claim: async () => (await import("./bench.d/accept.ts")).claim,
  ingest: async () => (await import("./bench.d/ingest.ts")).ingest,
  search: async () => (await import("./bench.d/search.ts")).search,
  ready: async () => (await import("./bench.d/ready.ts")).ready,
  idle: async () => (await import("./bench.d/idle.ts")).idle,
  auto: async () => (await import("./bench.d/automation.ts")).automation,
  mcp: async () => (await import("./bench.d/mcp.ts")).mcp,
  log: async () => (await import("./bench.d/log.ts")).log,
  unmanaged: async () => (await import("./bench.d/unmanaged.ts")).unmanaged,
  relay: async () => (await import("./bench.d/relay.ts")).relay,
  top: async () => (await import("./bench.d/top.ts")).top,
  machines: async () => (await import("./bench.d/machines.ts")).machines,
};

process.exitCode = await bench(process.argv.slice(2));

async function bench(names: string[]): Promise<number> {
  const unknown = names.find((name) => !Object.hasOwn(rows, name));
  if (unknown !== undefined) {
    await Bun.write(Bun.stderr, `no row "${unknown}"; there are ${Object.keys(rows).join(" ")}\n`);
    return 2;
  }
  const chosen = Object.keys(rows).filter((name) => names.length === 0 || names.includes(name));
  const ends: (() => Promise<void> | void)[] = [];
  const endAll = async () => {
    for (let end = ends.pop(); end; end = ends.pop()) await end();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => void endAll().finally(() => process.exit(130)));
  try {
    const scratch = resolve(import.meta.dir, "../.scratch");
    mkdirSync(scratch, { recursive: true });
    const folder = mkdtempSync(join(scratch, "bench-"));
    ends.push(() => rmSync(folder, { recursive: true, force: true }));
    const built = await buildAll(folder);
    console.log(`${machine()}\n`);
    let isWhole = true;
    for (const name of chosen)
      isWhole = (await shown(name, { ...built, folder, owns: (end) => void ends.push(end) })) && isWhole;
    return isWhole ? 0 : 1;
  } finally {
    await endAll();
  }
}

async function shown(name: string, world: Bench): Promise<boolean> {
  let measured: Measured;
  try {
    measured = await (await rows[name]!()).measure(world);
  } catch (thrown) {
    console.log(
      `${name.padEnd(8)} could not be measured: ${thrown instanceof Error ? thrown.stack : thrown}`,
    );
    return false;
  }
  for (const { what, figure, bar, isMet } of measured.lines)
    console.log(
      `${name.padEnd(8)} ${what.padEnd(58)} ${figure.padStart(12)}  ${bar.padStart(12)}  ${isMet ? "met" : "MISSED"}`,
    );
  for (const note of measured.notes) console.log(`${" ".repeat(11)}${note}`);
  return true;
}

function machine(): string {
  const cores = cpus();
  const gib = Math.round(totalmem() / 2 ** 30);
  return `${process.platform} ${release()} ${process.arch}, ${cores.length} x ${cores[0]?.model.trim()}, ${gib} GiB, Bun ${Bun.version}, load ${loadavg()[0]?.toFixed(1)} before`;
}
