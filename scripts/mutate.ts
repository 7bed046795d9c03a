/**
 * Removes guards of src/core one at a time, in copies of the tree, and checks that the fast tests fail.
 *
 *   mutate [WORD]     only the mutants whose file or words contain WORD
 *
 * One line per mutant. The exit status is 1 when one survives, or when a row no longer fits its file.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { automation } from "./mutate.d/automation.ts";
import { delivery } from "./mutate.d/delivery.ts";
import { loading } from "./mutate.d/loading.ts";
import type { Mutant } from "./mutate.d/mutant.ts";
import { reconcile } from "./mutate.d/reconcile.ts";
import { relay } from "./mutate.d/relay.ts";
import { rest } from "./mutate.d/rest.ts";
import { state } from "./mutate.d/state.ts";
import { usage } from "./mutate.d/usage.ts";

const root = resolve(import.meta.dir, "..");
const bun = join(root, "node_modules/.bin/bun");
/** The number of copies, which run in parallel. */
const copies = 2;
/** The timeout of one mutant's tests: all of test/core takes some 15 s, so a longer run hangs because of the mutant. */
const deadlineMs = 120_000;
/** Seeds of the simulator, for a mutant that no other test noticed. */
const seeds = 20;

const mutants = [...delivery, ...reconcile, ...loading, ...state, ...rest, ...automation, ...usage, ...relay];
process.exitCode = await main(process.argv[2] ?? "");

async function main(word: string): Promise<number> {
  const misfits = mutants.filter((mutant) => fit(mutant) !== 1);
  for (const { file, from } of misfits)
    say(`MISFIT ${file}: not exactly once there: ${JSON.stringify(from)}`);
  if (misfits.length > 0) return 1;
  const chosen = mutants.filter(({ file, what }) => `${file} ${what}`.includes(word));
  const broken = await without(chosen);
  if (broken !== undefined) {
    say(`the tests fail without any mutant: ${broken}`);
    return 1;
  }
  const queue = [...chosen];
  let survived = 0;
  await Promise.all(
    Array.from({ length: copies }, async () => {
      const tree = copy();
      try {
        for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
          const killer = await killed(tree, mutant);
          if (killer === undefined) survived++;
          say(
            `${killer === undefined ? "SURVIVED" : "killed  "} ${mutant.file}: ${mutant.what}${killer ? ` [${killer}]` : ""}`,
          );
        }
      } finally {
        rmSync(tree, { recursive: true, force: true });
      }
    }),
  );
  say(`${chosen.length} mutants, ${survived} survived`);
  return survived === 0 ? 0 : 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** How often its snippet occurs in the file. */
function fit({ file, from }: Mutant): number {
  const path = join(root, file);
  return existsSync(path) ? readFileSync(path, "utf8").split(from).length - 1 : 0;
}

function copy(): string {
  const tree = mkdtempSync(join(tmpdir(), "dispatch-mutate-"));
  for (const name of [
    "src",
    "test",
    "scripts",
    "package.json",
    "bunfig.toml",
    "tsconfig.json",
    "README.md",
    ".github",
  ])
    cpSync(join(root, name), join(tree, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(tree, "node_modules"));
  return tree;
}

/** The test that fails without a mutant. Undefined when none fails, so that later failures come from the mutant. */
async function without(chosen: readonly Mutant[]): Promise<string | undefined> {
  const tree = copy();
  try {
    return await run(tree, ["test", "--bail", ...new Set(chosen.flatMap((mutant) => near(tree, mutant)))]);
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

/** The test that noticed the mutant. Undefined when none did. */
async function killed(tree: string, mutant: Mutant): Promise<string | undefined> {
  const path = join(tree, mutant.file);
  const whole = readFileSync(path, "utf8");
  writeFileSync(
    path,
    whole.replace(mutant.from, () => mutant.to),
  );
  try {
    for (const command of commandsOf(tree, mutant)) {
      const killer = await run(tree, command);
      if (killer !== undefined) return killer;
    }
    return undefined;
  } finally {
    writeFileSync(path, whole);
  }
}

/** The nearest tests first. */
function commandsOf(tree: string, mutant: Mutant): string[][] {
  return [
    ["test", "--bail", ...near(tree, mutant)],
    ["test", "--bail", "./test/core"],
    ["scripts/sim.ts", "--seeds", String(seeds)],
  ];
}

/** The tests that a mutant names, else those that mirror its file, else those of its room. */
function near(tree: string, { file, tests }: Mutant): string[] {
  const mirrored = file.replace(/^src\/(.*)\.ts$/, "$1.test.ts");
  const nearest = existsSync(join(tree, "test", mirrored)) ? mirrored : dirname(mirrored);
  const names = (tests ?? [nearest]).map((name) => `./test/${name}`);
  const missing = names.find((name) => !existsSync(join(tree, name)));
  if (missing !== undefined)
    throw new Error(`a mutant of ${file} names a test that does not exist: ${missing}`);
  return names;
}

async function run(tree: string, command: string[]): Promise<string | undefined> {
  const child = Bun.spawn([bun, ...command], {
    cwd: tree,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: deadlineMs,
    killSignal: "SIGKILL",
  });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (child.exitCode === 0) return undefined;
  if (child.signalCode === "SIGKILL") return `no end within ${deadlineMs / 1000} s`;
  const output = `${out}\n${err}`;
  const failed = /^\(fail\) (.*?)(?: \[[\d.]+m?s\])?$/m.exec(output)?.[1];
  return failed ?? /error: (.*)/.exec(output)?.[1]?.slice(0, 120) ?? "it failed without naming a test";
}
