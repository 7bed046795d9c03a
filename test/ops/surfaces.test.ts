/**
 * Every op on every surface, as users see it, against golden files: a change of an op shows here as a change of
 * text. GOLDEN=write bun test test/ops/surfaces.test.ts   writes them anew.
 */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { toTerminal } from "../../src/base/text.ts";
import { index } from "../../src/ops/index.ts";
import { commandHelp, ownHelp, rootHelp, wordHelp } from "../../src/surface/cli/help.ts";
import { ownCommands } from "../../src/surface/cli/own.ts";
import { commandsIn, treeOf } from "../../src/surface/cli/tree.ts";
import { toolsOf } from "../../src/surface/mcp/tools.ts";
import { jsonSchemas } from "../../src/surface/schema.ts";

const folder = join(import.meta.dir, "../fixtures/golden");
const ops = await Promise.all(index.map(async (row) => ({ row, op: (await row.load()).default })));

async function golden(name: string, text: string): Promise<void> {
  const file = Bun.file(join(folder, name));
  if (process.env["GOLDEN"] === "write") await Bun.write(file, text);
  expect(text).toBe(await file.text());
}

test("--help of everything", async () => {
  const shown = ops.filter(({ row }) => !row.hidden);
  const own = ownCommands.map((command) => ownHelp(command, 80));
  const helps = [...shown.map(({ op }) => commandHelp(op, 80)), ...own].sort();
  const commands = commandsIn(treeOf(index));
  const all = [
    rootHelp(commands, 80),
    wordHelp("commands", commands, 80)!,
    wordHelp("flags", commands, 80)!,
    ...helps,
  ];
  await golden(
    "help.txt",
    `${toTerminal(all.join(`\n\n${"-".repeat(80)}\n\n`), { color: false }).replace(/dispatch \d+\.\d+\.\d+/, "dispatch X.Y.Z")}\n`,
  );
});

describe("every op is reachable", () => {
  const tools = [...toolsOf(index, false).values()];
  for (const { row, op } of ops) {
    test(`${row.name}: ${row.hidden ? "on the control socket" : row.at === "client" ? "on the command line" : "on the command line, by MCP and on the control socket"}`, () => {
      const offered = tools.some((tool) => [...tool.rows.values()].some((one) => one.name === row.name));
      expect(row.hidden || row.cli.length > 0).toBe(true);
      if (row.at !== "client") expect(offered).toBe(!row.hidden);
      // Whatever starts or stops daemons is not an agent's to call, nor what a shell reads.
      if (row.at === "client") expect(offered).toBe(op.intent === "read" && !op.plain && !op.isForPersons);
    });
  }
});

describe("every schema is plain", () => {
  for (const { row, op } of ops) {
    test(row.name, () => {
      const { input, output } = jsonSchemas(op);
      for (const schema of [input, output]) {
        expect(schema["type"]).toBe("object");
        for (const word of ["anyOf", "oneOf", "allOf"]) expect(schema).not.toHaveProperty(word);
        expect(JSON.stringify(schema)).not.toContain("$ref");
      }
    });
  }
});
