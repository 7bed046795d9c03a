import { expect, test } from "bun:test";
import { join } from "node:path";
import { unimported } from "./exports.ts";
import { type Source, violations } from "./tidy.ts";

const root = join(import.meta.dir, "..");

async function sources(pattern = "src/**/*.ts"): Promise<Source[]> {
  const paths = await Array.fromAsync(new Bun.Glob(pattern).scan(root));
  return Promise.all(
    paths.sort().map(async (path) => ({ path, text: await Bun.file(join(root, path)).text() })),
  );
}

test("every import and every use of the outside world keeps to the rules", async () => {
  const found = violations(await sources());
  expect(found).toEqual([]);
});

test("no file of the source is longer than 250 lines", async () => {
  const long = (await sources()).filter(({ text }) => text.split("\n").length - 1 > 250);
  expect(long.map(({ path }) => path)).toEqual([]);
});

test("every value that is exported is imported by some other file", async () => {
  const all = await sources("{src,scripts,test}/**/*.ts");
  const checked = all.filter(({ path }) => path.startsWith("src/"));
  expect(unimported(checked, all)).toEqual([]);
});

test("an export that nobody imports is found, by whatever form it might be imported", () => {
  const source = {
    path: "src/a.ts",
    text: "export const a = 1;\nexport function b() {}\nexport type T = 1;",
  };
  const found = (text: string) => unimported([source], [source, { path: "src/x/b.ts", text }]);
  expect(found("")).toEqual(["src/a.ts: a", "src/a.ts: b"]);
  expect(found('import { b } from "../b.ts";')).toEqual(["src/a.ts: a", "src/a.ts: b"]);
  for (const text of [
    'import { a, type T } from "../a.ts";',
    'import {\n  type T,\n  a as c,\n} from "../a.ts";',
    'import one, { a } from "../a.ts";',
    'const { a: c } = await import("../a.ts");',
    'const c = (await import("../a.ts")).a;',
  ])
    expect(found(text)).toEqual(["src/a.ts: b"]);
  for (const text of ['import * as all from "../a.ts";', 'const load = () => import("../a.ts");'])
    expect(found(text)).toEqual([]);
});

const caught: [rule: string, path: string, text: string, line: number][] = [
  ["base imports nothing of ours", "src/base/x.ts", 'import { a } from "../core/lane.ts";', 1],
  ["not even its types", "src/base/x.ts", 'import type { A } from "../core/lane.ts";', 1],
  ["core imports base only", "src/core/x.ts", 'import { open } from "../store/db.ts";', 1],
  [
    "a room of core imports no room below it",
    "src/core/state/x.ts",
    'import { a } from "../loading/open.ts";',
    1,
  ],
  ["not even its types", "src/core/model/x.ts", 'import type { A } from "../state/lane.ts";', 1],
  ["nor the root of core", "src/core/model/x.ts", 'import type { A } from "../core.ts";', 1],
  ["core has no rooms but those", "src/core/other/x.ts", 'import { a } from "../model/clip.ts";', 1],
  ["store takes only types of core", "src/store/x.ts", '\nimport { a } from "../core/lane.ts";', 2],
  ["store and codex do not know each other", "src/codex/x.ts", 'import type { A } from "../store/db.ts";', 1],
  [
    "codex takes only types of core",
    "src/codex/x.ts",
    'import {\n  a,\n  type B,\n} from "../core/lane.ts";',
    1,
  ],
  [
    "ops take only types of core",
    "src/ops/thread/get.ts",
    'const a = await import("../../core/lane.ts");',
    1,
  ],
  ["an op imports no op", "src/ops/thread/get.ts", 'import other from "./list.ts";', 1],
  ["nor one of another noun", "src/ops/thread/get.ts", 'export * from "../message/send.ts";', 1],
  ["surface never sees core", "src/surface/x.ts", 'import type { Core } from "../core/core.ts";', 1],
  ["surface never sees the daemon", "src/surface/cli/x.ts", 'import "../../daemon/run.ts";', 1],
  ["main loads lazily", "src/main.ts", 'import { runDaemon } from "./daemon/run.ts";', 1],
  ["only store opens a database", "src/daemon/x.ts", 'import { Database } from "bun:sqlite";', 1],
  ["the clock", "src/core/x.ts", "// fine: Date.now()\nconst at = Date.now();", 2],
  ["the clock by another name", "src/core/x.ts", "const at = new Date();", 1],
  ["the monotonic clock", "src/core/x.ts", "performance.now()", 1],
  ["chance", "src/core/x.ts", "Math.random()", 1],
  ["timers", "src/daemon/x.ts", "setTimeout(() => {}, 5);", 1],
  ["sleep", "src/daemon/x.ts", "await Bun.sleep(5);", 1],
  ["the environment", "src/daemon/x.ts", 'process.env["HOME"]', 1],
  ["the console", "src/surface/x.ts", 'console.log("x")', 1],
  ["spawning", "src/codex/x.ts", 'Bun.spawn(["codex"])', 1],
  ["spawning by node", "src/codex/x.ts", 'import { spawn } from "node:child_process";', 1],
  ["leaving", "src/base/x.ts", "process.exit(1)", 1],
  ["consola on the way of a command", "src/surface/x.ts", 'const a = await import("consola");', 1],
  ["consola before somebody waits for it", "src/base/logterminal.ts", 'import { a } from "consola";', 1],
  ["a promise without a catch", "src/surface/x.ts", "if (a) {\n  void work();\n}", 2],
];

for (const [rule, path, text, line] of caught) {
  test(`a violation is caught and placed: ${rule}`, () => {
    const found = violations([{ path, text }]);
    expect(found).toHaveLength(1);
    expect(found[0]).toStartWith(`${path}:${line}: `);
  });
}

test("what the rules allow is let be", () => {
  const allowed: Source[] = [
    { path: "src/base/clock.ts", text: "setTimeout(() => Date.now());\nimport { a } from './b.ts';" },
    { path: "src/base/version.ts", text: 'import pkg from "../../package.json" with { type: "json" };' },
    {
      path: "src/store/x.ts",
      text: 'import { Database } from "bun:sqlite";\nimport type { A } from "../core/a.ts";',
    },
    { path: "src/ops/index.ts", text: 'const load = () => import("./thread/get.ts");' },
    { path: "src/ops/thread/get.ts", text: 'import { op } from "../op.ts";\nimport * as v from "valibot";' },
    {
      path: "src/surface/x.ts",
      text: 'import { index } from "../ops/index.ts";\nconst iso = new Date(ms).toISOString();',
    },
    {
      path: "src/daemon/x.ts",
      text: 'import { a } from "../core/a.ts";\nimport { b } from "../store/b.ts"; // like Date.now()',
    },
    { path: "src/main.ts", text: 'import { quick } from "./surface/cli/quick.ts";' },
    { path: "src/main.ts", text: 'const { run } = await import("./daemon/run.ts");\nprocess.exit(0);' },
    { path: "src/core/x.ts", text: "/**\n * console.log, process.env and Math.random are not for us.\n */" },
  ];
  expect(violations(allowed)).toEqual([]);
});

test("every limit has its reason, and no cut has a number of its own", async () => {
  const all = await sources();
  const rows = all
    .filter(({ path }) => /^src\/base\/\w*limits\.ts$/.test(path))
    .flatMap(({ text }) => {
      const lines = text.split("\n");
      return lines
        .map((line, at) => ({
          line: line.trim(),
          above: lines[at - 1] ?? "",
          isRow: /^ {4}\w+: /.test(line),
        }))
        .filter(({ isRow }) => isRow);
    });
  expect(rows.length).toBeGreaterThan(150);
  expect(rows.filter(({ above }) => !above.endsWith("*/")).map(({ line }) => line)).toEqual([]);
  const cuts = all.flatMap(({ path, text }) =>
    [...text.matchAll(/\bslice\(0, (?:[5-9]\d|\d{3,})\)|\bLIMIT \d{2,}/g)].map(([cut]) => `${path}: ${cut}`),
  );
  expect(cuts).toEqual([]);
});
