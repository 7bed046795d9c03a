import { expect, test } from "bun:test";
import { join, resolve } from "node:path";
import { newHome } from "./support/run.ts";

const root = resolve(import.meta.dir, "../..");

interface Written {
  name?: string;
  cli?: string;
  group?: string;
  intent?: string;
  input?: string;
}

/** Writes an op file that means nothing, and gives its folder. */
async function ops(files: Record<string, Written>): Promise<string> {
  const folder = newHome();
  for (const [
    file,
    {
      name = file.replace("/", "."),
      cli = file.split("/")[1]!,
      group = "thread",
      intent = "read",
      input = "",
    },
  ] of Object.entries(files)) {
    await Bun.write(
      join(folder, `${file}.ts`),
      `import * as v from "${root}/node_modules/valibot/dist/index.mjs";
import * as f from "${root}/src/ops/fields.ts";
export default { name: "${name}", cli: "${cli}", group: "${group}", task: "look", summary: "s", intent: "${intent}", repeat: "safe",
  input: v.strictObject({ ${input} }), output: v.object({}), fails: [], examples: [], view: () => "", run: () => ({}) };\n`,
    );
  }
  return folder;
}

async function generate(folder: string, ...args: string[]) {
  const child = Bun.spawn([process.execPath, join(root, "scripts/generate.ts"), "--ops", folder, ...args], {
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stderr, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  return { stderr, code };
}

const indexIn = (folder: string) => Bun.file(join(folder, "index.ts"));

test("the index has a line an op, sorted, each with its own loader and without defaults", async () => {
  const folder = await ops({ "thread/list": {}, "daemon/log": { cli: "daemon log", group: "daemon" } });
  expect(await generate(folder)).toEqual({ stderr: "", code: 0 });
  const text = await indexIn(folder).text();
  expect(text.indexOf("daemon.log")).toBeLessThan(text.indexOf("thread.list"));
  expect(text).toMatch(
    /^ {2}\{ name: "thread.list", cli: "list", group: "thread", task: "look", intent: "read", hash: "[0-9a-f]{12}", load: \(\) => import\("\.\/thread\/list\.ts"\), summary: "s" \},$/m,
  );
});

test("--check writes nothing, passes on a fresh index and fails on a stale one", async () => {
  const folder = await ops({ "thread/list": {} });
  expect((await generate(folder, "--check")).code).toBe(1);
  expect(await indexIn(folder).exists()).toBe(false);
  await generate(folder);
  expect((await generate(folder, "--check")).code).toBe(0);
  await Bun.write(indexIn(folder), `${await indexIn(folder).text()}\n`);
  const { stderr, code } = await generate(folder, "--check");
  expect(code).toBe(1);
  expect(stderr).toContain("is stale: run scripts/generate");
});

const text = 'x: f.flag(v.string(), "d")';
const number = 'x: f.flag(v.number(), "d")';
const refused: [why: string, files: Record<string, Written>, message: string][] = [
  ["a name that is not the file's", { "thread/list": { name: "thread.lst" } }, 'holds the op "thread.lst"'],
  [
    "one command twice",
    { "thread/a": { cli: "x" }, "thread/b": { cli: "x" } },
    'command "x" is taken by thread/a.ts',
  ],
  [
    "a command that is a noun as well",
    { "thread/a": { cli: "goal" }, "thread/b": { cli: "goal set" } },
    '"goal" is a command, so it has no verbs',
  ],
  [
    "one field of two types in one MCP tool",
    { "thread/a": { input: text }, "thread/b": { input: number } },
    '"x" is a number here and a string in thread/a.ts',
  ],
  [
    "a field called op",
    { "thread/a": { input: 'op: f.flag(v.string(), "d")' } },
    "a field cannot be called op",
  ],
  [
    "a field that is a flag of every command",
    { "thread/a": { input: 'home: f.flag(v.string(), "d")' } },
    "--home is a flag of every command",
  ],
];
for (const [why, files, message] of refused) {
  test(`refuses ${why}`, async () => {
    const { stderr, code } = await generate(await ops(files));
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });
}

test("two tools may each have their own meaning of a field", async () => {
  const folder = await ops({ "thread/a": { input: text }, "thread/b": { input: number, intent: "write" } });
  expect((await generate(folder)).code).toBe(0);
});
