/** What is generated in the plugin: the ops in its skills, and the version in its manifests. */
import pkg from "../../package.json";
import type { AnyOp, IndexRow } from "../../src/ops/op.ts";
import { mayBeLeftOut } from "../../src/surface/input.ts";
import { offeredFields } from "../../src/surface/mcp/offered.ts";
import { toolsOf } from "../../src/surface/mcp/tools.ts";
import { filled } from "./marks.ts";

/** The ops of a skill that lists all of their fields. */
const whole: Readonly<Record<string, readonly string[]>> = { dm: ["send"] };

/** By the file's path from the root: what its text becomes. */
export async function pluginTexts(
  index: readonly IndexRow[],
): Promise<Map<string, (text: string) => string>> {
  const tools = [...toolsOf(index, false).values()];
  const groups = await Promise.all(
    tools.map(async ({ name, rows }) => ({ name: name.replace("dispatch_", ""), ops: await loaded(rows) })),
  );
  // A skill costs context: how the daemon does is in the tools' own descriptions.
  const listed = groups.filter(({ name }) => !name.startsWith("daemon_"));
  const all = listed.map(({ name, ops }) => `${name}: ${ops.map(briefly).join(" ")}`).sort();
  const texts = new Map([skill("dispatch", all)]);
  for (const [name, words] of Object.entries(whole)) {
    const ops = groups.flatMap(({ ops }) => ops).filter(({ word }) => words.includes(word));
    texts.set(
      ...skill(
        name,
        ops.map(({ word, op }) => `\`${word} {${fieldsOf(op).join(", ")}}\``),
      ),
    );
  }
  for (const host of ["claude", "codex"])
    texts.set(`plugins/dispatch/.${host}-plugin/plugin.json`, (text) =>
      text.replace(/"version": "[^"]*"/, `"version": ${JSON.stringify(pkg.version)}`),
    );
  return texts;
}

function skill(name: string, lines: readonly string[]): [string, (text: string) => string] {
  return [`plugins/dispatch/skills/${name}/SKILL.md`, (text) => filled(text, "ops", lines)];
}

interface Offered {
  word: string;
  op: AnyOp;
}

function loaded(rows: ReadonlyMap<string, IndexRow>): Promise<Offered[]> {
  return Promise.all([...rows].map(async ([word, row]) => ({ word, op: (await row.load()).default })));
}

/** Its name, `*` for a thread, and the other fields that it needs: the schema of the tool has the rest. */
function briefly({ word, op }: Offered): string {
  const needed = fieldsOf(op).filter((field) => !field.endsWith("?"));
  const others = needed.filter((field) => field !== "thread");
  return `${word}${needed.includes("thread") ? "*" : ""}${others.length === 0 ? "" : `(${others.join(",")})`}`;
}

function fieldsOf(op: AnyOp): string[] {
  return offeredFields(op).map((name) => (mayBeLeftOut(op.input.entries[name] as never) ? `${name}?` : name));
}
