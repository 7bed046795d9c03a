/**
 * Writes src/ops/index.ts, README's tables and the parts of the plugin that follow from src/ops/<noun>/<verb>.ts and
 * package.json. `--check` writes nothing and exits 1 when a file is stale. Fails on ops that the surfaces could not distinguish.   generate [--check] [--ops DIR]
 */
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { limits } from "../src/base/limits.ts";
import { eventKinds, eventWords } from "../src/contract/events.ts";
import { transitions } from "../src/core/model/message.ts";
import { typeOf } from "../src/ops/fields.ts";
import type { AnyOp } from "../src/ops/op.ts";
import { globalFlags } from "../src/surface/cli/globals.ts";
import { glossary } from "../src/surface/cli/glossary.ts";
import { ownCommands } from "../src/surface/cli/own.ts";
import { indexRowOf, quickReadOf } from "../src/surface/indexrow.ts";
import { listingsOf } from "../src/surface/mcp/listing.ts";
import { filled } from "./generate.d/marks.ts";
import { pluginTexts } from "./generate.d/plugin.ts";

interface Found {
  file: string;
  op: AnyOp;
}

const root = resolve(import.meta.dir, "..");
const { values } = parseArgs({ options: { check: { type: "boolean" }, ops: { type: "string" } } });
const folder = resolve(values.ops ?? join(root, "src/ops"));

const found = await load();
const problems = found.length === 0 ? [`no ops in ${folder}`] : problemsOf(found);
if (problems.length > 0) {
  await Bun.write(Bun.stderr, `${problems.join("\n")}\n`);
  process.exit(1);
}
await keep(join(folder, "index.ts"), () => source(found));
if (values.ops === undefined) {
  await keep(join(root, "README.md"), readme);
  const rows = found.map(({ op }) => ({ ...indexRowOf(op), load: async () => ({ default: op }) }));
  const listings = await listingsOf(rows);
  await keep(join(root, "src/surface/mcp/listing.json"), () => `${JSON.stringify(listings, null, 1)}\n`);
  for (const [file, text] of await pluginTexts(rows)) await keep(join(root, file), text);
}

/** Writes a file that is stale. With `--check` it reports the file instead and exits 1. */
async function keep(target: string, made: (current: string) => string): Promise<void> {
  const current = (await Bun.file(target).exists()) ? await Bun.file(target).text() : "";
  const text = made(current);
  if (text === current) return;
  if (values.check) {
    await Bun.write(Bun.stderr, `${target} is stale: run scripts/generate\n`);
    process.exit(1);
  }
  await Bun.write(target, text);
}

/** README with its generated tables between their marks. */
function readme(current: string): string {
  const shown = [
    ...found.filter(({ op }) => !op.hidden).map(({ op }) => [op.cli, op.summary] as const),
    ...ownCommands.map(({ meta }) => [meta.name, meta.description] as const),
  ].sort(([a], [b]) => (a < b ? -1 : 1));
  const commands = shown.map(([name, summary]) => `| \`${name}\` | ${summary} |`);
  const states = Object.entries(transitions).map(
    ([from, to]) => `| \`${from}\` | ${to.map((state) => `\`${state}\``).join(" ") || "the end"} |`,
  );
  return [
    ["commands", ["| command | |", "|---|---|", ...commands]],
    [
      "words",
      [
        "| word | meaning |",
        "|---|---|",
        ...Object.entries(glossary).map(([word, text]) => `| ${word} | ${text} |`),
      ],
    ],
    [
      "events",
      ["| kind | |", "|---|---|", ...eventKinds.map((kind) => `| \`${kind}\` | ${eventWords[kind]} |`)],
    ],
    ["states", ["| from | to |", "|---|---|", ...states, "", attemptsNote()]],
  ].reduce((text, [name, lines]) => filled(text, name as string, lines as string[]), current);
}

function attemptsNote(): string {
  return `Each arrow from \`queued\` to \`claimed\` counts one attempt. After ${limits.message.attemptsMax} attempts a message goes to \`failed\` instead of back to \`queued\`; \`receipt resolve --as resend\` grants one more.`;
}

async function load(): Promise<Found[]> {
  const files = [...new Bun.Glob("*/*.ts").scanSync(folder)].sort();
  const ops = files.map(async (file) => ({ file, op: (await import(join(folder, file))).default as AnyOp }));
  return (await Promise.all(ops)).sort((a, b) => (a.op.name < b.op.name ? -1 : 1));
}

function problemsOf(all: Found[]): string[] {
  const problems: string[] = [];
  const names = new Map<string, string>();
  const words = new Map<string, string>();
  const types = new Map<string, { type: string; file: string }>();
  const once = (seen: Map<string, string>, key: string, what: string, file: string) => {
    const other = seen.get(key);
    if (other) problems.push(`${file}: ${what} "${key}" is taken by ${other}`);
    seen.set(key, file);
  };
  for (const { file, op } of all) {
    if (`${op.name.replace(".", "/")}.ts` !== file) problems.push(`${file}: holds the op "${op.name}"`);
    if (!/^[a-z][a-z-]*( [a-z][a-z-]*)?( --[a-z-]+)?$/.test(op.cli))
      problems.push(`${file}: cli "${op.cli}" is not one or two words, and a flag where it shares them`);
    once(names, op.name, "name", file);
    once(words, op.cli, "command", file);
    for (const [field, schema] of Object.entries(op.input.entries)) {
      const type = typeOf(schema as never);
      if (field === "op") problems.push(`${file}: a field cannot be called op: MCP tools use the name`);
      if (Object.hasOwn(globalFlags, field)) problems.push(`${file}: --${field} is a flag of every command`);
      if (!/^[a-z][a-z0-9_]*$/.test(field)) problems.push(`${file}: field "${field}" is not snake_case`);
      // An MCP tool has the fields of all its ops in one object, so a name must have one type.
      const key = `dispatch_${op.group}_${op.intent} ${field}`;
      const other = types.get(key);
      if (other && other.type !== type) {
        problems.push(
          `${file}: "${field}" is a ${type} here and a ${other.type} in ${other.file}, in one MCP tool`,
        );
      }
      types.set(key, { type, file });
    }
  }
  for (const cli of words.keys()) {
    const noun = cli.split(" ")[0]!;
    if (noun !== cli && words.has(noun) && !cli.startsWith(`${noun} --`))
      problems.push(`${words.get(cli)}: "${noun}" is a command, so it has no verbs`);
  }
  return problems;
}

function source(all: Found[]): string {
  const rows = all.map(({ file, op }) => {
    const { summary, ...row } = indexRowOf(op);
    return lineOf({ ...row, load: `./${file}`, summary });
  });
  const quickReads = all.flatMap(({ op }) => quickReadOf(op) ?? []).map(lineOf);
  return `/** Generated by scripts/generate from the files in this folder: edit those. */
import type { IndexRow, QuickRead } from "./op.ts";

// biome-ignore format: one line a row
export const index: readonly IndexRow[] = [\n${rows.join("")}];

// biome-ignore format: one line a row
export const quickReads: readonly QuickRead[] = [\n${quickReads.join("")}];\n`;
}

function lineOf(row: object): string {
  const columns = Object.entries(row).map(([key, value]) =>
    key === "load" ? `load: () => import("${value}")` : `${key}: ${JSON.stringify(value)}`,
  );
  return `  { ${columns.join(", ")} },\n`;
}
