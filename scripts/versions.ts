/**
 * Runs the live tests against several versions of Codex from npm. They prove the range that src/codex/features.ts calls
 * tested. Each version is downloaded once to .scratch/codex (some 160 MB) and takes four minutes. So scripts/test does
 * not include it: that runs the same tests against the Codex of package.json, the last of the range.
 *   versions [VERSION...] [--only PART-OF-A-FILE-NAME]
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { isTested, tested } from "../src/codex/features.ts";
import { findCodex } from "../src/codex/find.ts";

interface Tally {
  passed: number;
  /** Names. */
  failed: string[];
  /** Names of tests that fail because that Codex differs, in a way that dispatch handles. */
  known: string[];
}

/** Differences of older versions, up to this one, and the tests that show them. */
const differences: readonly { upTo: string; fact: string; tests: readonly RegExp[] }[] = [
  {
    upTo: "0.163.0",
    fact: "the calls of one answer of the model come one after the other; each is answered as it comes",
    tests: [/two calls of one answer come at once/],
  },
  {
    upTo: "0.166.0",
    fact: "turn/interrupt of a turn that is over is never answered; stop settles it by reading",
    tests: [/stopping it again, or steering nothing, is refused/],
  },
  {
    upTo: "0.166.0",
    fact: "the approval of an MCP server's tool does not name the tool; no rule matches, and a person is asked",
    tests: [
      /an MCP tool asks by an elicitation/,
      /a server's tool is approved by its name/,
      /has its tool run when that is approved/,
      /through MCP a boxed thread creates/,
      /it writes no wider than where it writes itself/,
      /it manages what it created/,
      /it does not approve for another/,
    ],
  },
];

const root = resolve(import.meta.dir, "..");
const { values, positionals } = parseArgs({ options: { only: { type: "string" } }, allowPositionals: true });
const versions =
  positionals.length > 0 ? positionals : ["0.160.1", tested.from, "0.166.0", "0.169.0", tested.to];
const files = [...new Bun.Glob("test/live/**/*.test.ts").scanSync(root)]
  .filter((file) => file.includes(values.only ?? ""))
  .toSorted();
if (files.length === 0) throw new Error(`there is no live test ${values.only}`);

await ran([process.execPath, "scripts/build.ts"], {});
const seen = new Map<string, Map<string, Tally>>();
for (const version of versions) {
  const executable = await fetched(version);
  await said(`codex ${version}: ${executable}`);
  seen.set(version, await tried(version, executable));
}
await report();
// Versions outside the range are only reported; those inside must pass.
const isBroken = [...seen].some(
  ([version, byFile]) => isTested(version) && [...byFile.values()].some(({ failed }) => failed.length > 0),
);
process.exit(isBroken ? 1 : 0);

/** The native executable, found through npm's wrapper as on a user's machine. */
async function fetched(version: string): Promise<string> {
  const prefix = join(root, ".scratch/codex", version);
  const wrapper = join(prefix, "node_modules/@openai/codex/bin/codex.js");
  if (!existsSync(wrapper)) {
    await said(`fetching @openai/codex@${version}`);
    mkdirSync(prefix, { recursive: true });
    await ran(
      [
        "npm",
        "install",
        "--prefix",
        prefix,
        "--no-save",
        "--no-audit",
        "--no-fund",
        `@openai/codex@${version}`,
      ],
      {},
    );
  }
  return findCodex({ named: wrapper });
}

/** Each file runs in its own process, so that a hang or crash affects no other file. */
async function tried(version: string, executable: string): Promise<Map<string, Tally>> {
  const found = new Map<string, Tally>();
  const results = join(root, ".scratch", `versions-${version}.xml`);
  for (const file of files) {
    rmSync(results, { force: true });
    const child = Bun.spawn(
      // A call that an older Codex never answers fails its own test, and not those after it too.
      [
        process.execPath,
        "test",
        "--timeout=30000",
        "--reporter=junit",
        `--reporter-outfile=${results}`,
        `./${file}`,
      ],
      {
        cwd: root,
        env: { ...process.env, CODEX_UNDER_TEST: executable },
        stdout: "ignore",
        stderr: "ignore",
      },
    );
    await child.exited;
    const none = { passed: 0, failed: ["it did not run"], known: [] };
    const tally = existsSync(results) ? tallyOf(readFileSync(results, "utf8"), version) : none;
    found.set(file, tally);
    await said(`  ${cell(tally).padEnd(24)}${file}`);
  }
  return found;
}

function tallyOf(junit: string, version: string): Tally {
  const cases = [...junit.matchAll(/<testcase name="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g)];
  const broken = cases.filter(([, , inner]) => inner?.includes("<failure")).map(([, name]) => plain(name!));
  const known = broken.filter((name) =>
    knownOf(version).some(({ tests }) => tests.some((pattern) => pattern.test(name))),
  );
  return {
    passed: cases.length - broken.length,
    failed: broken.filter((name) => !known.includes(name)),
    known,
  };
}

function knownOf(version: string) {
  return differences.filter(({ upTo }) => Bun.semver.order(version, upTo) <= 0);
}

function plain(xml: string): string {
  return xml
    .replaceAll("&apos;", "'")
    .replaceAll("&quot;", '"')
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}

function cell({ passed, failed, known }: Tally): string {
  const not = [
    failed.length > 0 ? `${failed.length} failed` : "",
    known.length > 0 ? `${known.length} differ` : "",
  ];
  const missing = not.filter((part) => part !== "").join(", ");
  return missing === "" ? `${passed}` : `${passed} (${missing})`;
}

async function report(): Promise<void> {
  const name = (file: string) => basename(file, ".test.ts");
  const width = Math.max(...files.map((file) => name(file).length));
  const row = (first: string, cells: string[]) =>
    `${first.padEnd(width)}  ${cells.map((cell) => cell.padEnd(20)).join("  ")}`.trimEnd();
  await said(`\n${row("tests passed", versions)}`);
  for (const file of files)
    await said(
      row(
        name(file),
        versions.map((version) => cell(seen.get(version)!.get(file)!)),
      ),
    );
  for (const version of versions) {
    for (const { fact } of knownOf(version)) await said(`${version}  differs: ${fact}`);
    for (const [file, { failed }] of seen.get(version)!)
      for (const test of failed) await said(`${version}  failed: ${name(file)}: ${test}`);
  }
}

async function ran(argv: string[], env: Record<string, string>): Promise<void> {
  const child = Bun.spawn(argv, {
    cwd: root,
    env: { ...process.env, ...env },
    stdout: "ignore",
    stderr: "inherit",
  });
  if ((await child.exited) !== 0) throw new Error(`${argv.join(" ")} failed`);
}

async function said(line: string): Promise<void> {
  await Bun.write(Bun.stdout, `${line}\n`);
}
