/** The skills of the plugin say only what the ops of this source do. */
import { describe, expect, test } from "bun:test";
import { encode } from "gpt-tokenizer/encoding/o200k_base";
import * as v from "valibot";
import { codes } from "../../src/base/error.ts";
import * as words from "../../src/contract/words.ts";
import { index } from "../../src/ops/index.ts";
import { offeredFields } from "../../src/surface/mcp/offered.ts";
import { toolsOf } from "../../src/surface/mcp/tools.ts";
import { callsIn, perThread, skillText } from "../support/skill-calls.ts";

const rows = new Map([...toolsOf(index, true).values()].flatMap(({ rows }) => [...rows]));
const ops = new Map(
  await Promise.all([...rows].map(async ([word, row]) => [word, (await row.load()).default] as const)),
);

describe.each(["dispatch", "dm"])("the skill %s", (name) => {
  const text = skillText(name);
  const calls = callsIn(text);

  test("has a front matter that both hosts read", () => {
    const [, head] = /^---\n([\s\S]*?)\n---\n/.exec(text) ?? [];
    const fields = Object.fromEntries(head!.split("\n").map((line) => line.split(/: (.*)/, 2)));
    expect(fields["name"]).toBe(name);
    // A colon and a blank inside would begin a map in YAML.
    expect(fields["description"]).not.toContain(": ");
    expect(fields["description"]!.length).toBeLessThan(400);
  });

  test("allows without a question only tools that read", () => {
    const tools = [...text.matchAll(/mcp__plugin_dispatch_dispatch__dispatch_(\w+)/g)].map(([, op]) => op!);
    expect(tools.filter((op) => rows.get(op)?.intent !== "read")).toEqual([]);
  });

  test("costs an agent less than 1,000 tokens", () => {
    expect(encode(text).length).toBeLessThan(1000);
  });

  test("shows calls that the ops accept", () => {
    expect(calls.length).toBeGreaterThan(1);
    for (const call of calls) {
      const op = ops.get(call.op)!;
      for (const { args } of perThread(call, op.several)) {
        expect([call.op, Object.keys(args).filter((field) => !offeredFields(op).includes(field))]).toEqual([
          call.op,
          [],
        ]);
        expect([call.op, v.safeParse(op.input, args).issues?.map(({ message }) => message)]).toEqual([
          call.op,
          undefined,
        ]);
      }
    }
  });

  test("uses no word for an op, a field, a state or an error that does not exist", () => {
    const known = new Set([
      ...ops.keys(),
      ...[...ops.values()].flatMap((op) => [...offeredFields(op), ...Object.keys(fieldsOf(op))]),
      ...Object.keys(codes),
      ...Object.values(words).flat(),
      "ok",
      // Of MCP alone.
      "asks",
      "ask_person",
      "last_message",
      "self",
    ]);
    const prose = text.replace(/^```[\s\S]*?^```$/gm, "");
    const used = [...prose.matchAll(/`([a-z_]+)(?::(?:true|false))?`/g)].map(([, word]) => word!);
    expect(used.length).toBeGreaterThan(10);
    expect(used.filter((word) => !known.has(word))).toEqual([]);
  });
});

test("the skill lists every op that an agent is offered, except those about the daemon", () => {
  const text = skillText("dispatch");
  const listed = /<!-- ops -->([\s\S]*)<!-- \/ops -->/.exec(text)![1]!;
  const missing = [...rows].filter(
    ([word, row]) => row.group !== "daemon" && !new RegExp(`[ \\n]${word}[*( \\n]`).test(listed),
  );
  expect(missing.map(([word]) => word)).toEqual([]);
});

function fieldsOf(op: { output: { entries: object } }): object {
  return op.output.entries;
}
