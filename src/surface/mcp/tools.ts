/** The MCP tools, generated from the ops: one per group and intent, or with `--flat` one per op. */
import { markOf } from "../../ops/fields.ts";
import type { AnyOp, IndexRow } from "../../ops/op.ts";
import { mayBeLeftOut } from "../input.ts";
import { type JsonSchema, jsonSchemas } from "../schema.ts";

export interface Tool {
  name: string;
  /** The ops by the value of the argument `op`. A flat tool has one op and no such argument. */
  rows: ReadonlyMap<string, IndexRow>;
  isFlat: boolean;
}

export interface ToolListing {
  name: string;
  description: string;
  inputSchema: JsonSchema & { type: "object" };
  outputSchema: JsonSchema & { type: "object" };
  annotations: { readOnlyHint: boolean; destructiveHint: boolean; idempotentHint: boolean };
}

/** Starting, stopping and migrating the daemon is for the owner of the machine, not for an agent. */
function isOffered(row: IndexRow): boolean {
  return !row.hidden && !row.plain && (row.at !== "client" || row.intent === "read");
}

export function toolsOf(index: readonly IndexRow[], isFlat: boolean): Map<string, Tool> {
  const tools = new Map<string, Tool>();
  for (const row of index.filter(isOffered)) {
    const op = row.cli.replace(/[ -]+/g, "_");
    const name = isFlat ? `dispatch_${op}` : `dispatch_${row.group}_${row.intent}`;
    tools.set(name, { name, isFlat, rows: new Map([...(tools.get(name)?.rows ?? []), [op, row]]) });
  }
  return tools;
}

export async function listingOf(tool: Tool): Promise<ToolListing> {
  const rows = [...tool.rows];
  const ops = await Promise.all(rows.map(async ([word, row]) => ({ word, op: (await row.load()).default })));
  const { intent } = rows[0]![1];
  return {
    name: tool.name,
    description: ops.map(({ word, op }) => described(word, op, tool.isFlat)).join("\n"),
    inputSchema: inputSchema(ops, tool.isFlat),
    outputSchema: outputSchema(ops, tool.isFlat),
    annotations: {
      readOnlyHint: intent === "read",
      destructiveHint: intent === "destroy",
      idempotentHint: ops.every(({ op }) => op.repeat === "safe"),
    },
  };
}

interface Named {
  word: string;
  op: AnyOp;
}

export function offeredFields(op: AnyOp): string[] {
  return Object.keys(op.input.entries).filter((name) => !markOf(op.input.entries[name] as never).cli_only);
}

function described(word: string, op: AnyOp, isFlat: boolean): string {
  const fields = offeredFields(op).map((name) =>
    mayBeLeftOut(op.input.entries[name] as never) ? `${name}?` : name,
  );
  const shown = op.examples.find((example) => example.error === undefined);
  const example = shown && JSON.stringify(isFlat ? shown.input : { op: word, ...shown.input });
  const head = isFlat ? `${op.summary}.` : `${word} {${fields.join(", ")}}: ${op.summary}.`;
  return `${head}${example ? ` Example: ${example}` : ""}`;
}

/** The fields of all ops of the tool in one object. What one op requires is checked when it is called. */
function inputSchema(ops: readonly Named[], isFlat: boolean): ToolListing["inputSchema"] {
  const uses = new Map<string, { word: string; schema: JsonSchema; isRequired: boolean }[]>();
  for (const { word, op } of ops) {
    const { properties = {} } = jsonSchemas(op).input as { properties?: Record<string, JsonSchema> };
    for (const name of offeredFields(op)) {
      const field = op.input.entries[name] as never;
      const schema = withUnit(properties[name] ?? {}, markOf(field).value);
      const use = { word, schema, isRequired: !mayBeLeftOut(field) };
      uses.set(name, [...(uses.get(name) ?? []), use]);
    }
  }
  const words = {
    type: "string",
    enum: ops.map(({ word }) => word),
    description: "the operation; the other arguments are its fields",
  };
  const properties = [...uses].map(([name, found]) => [name, merged(found)] as const);
  const required = [...uses]
    .filter(([, found]) => found.length === ops.length && found.every((use) => use.isRequired))
    .map(([name]) => name);
  return {
    type: "object",
    properties: { ...(isFlat ? {} : { op: words }), ...Object.fromEntries(properties) },
    required: [...(isFlat ? [] : ["op"]), ...required],
    additionalProperties: false,
  };
}

/** The command line shows `--timeout SECONDS`. Without the unit a model may give milliseconds. */
function withUnit(schema: JsonSchema, value: string | undefined): JsonSchema {
  return value === "SECONDS" ? { ...schema, description: `${schema["description"]}, in seconds` } : schema;
}

/** One schema for a field of several ops: the keywords that are equal, and the description of each op. */
function merged(uses: readonly { word: string; schema: JsonSchema }[]): JsonSchema {
  const [first, ...others] = uses as [
    { word: string; schema: JsonSchema },
    ...{ word: string; schema: JsonSchema }[],
  ];
  const agreed = Object.entries(first.schema).filter(
    ([key, value]) =>
      key !== "description" && others.every(({ schema }) => Bun.deepEquals(schema[key], value)),
  );
  const words = new Map<string, string[]>();
  for (const { word, schema } of uses) {
    const description = String(schema["description"] ?? "");
    words.set(description, [...(words.get(description) ?? []), word]);
  }
  const description =
    words.size === 1
      ? [...words.keys()][0]!
      : [...words].map(([text, of]) => `${of.join(", ")}: ${text}`).join("; ");
  return { ...Object.fromEntries(agreed), ...(description === "" ? {} : { description }) };
}

/** The results of a group differ by op. A schema for each would use much of every agent's context. */
function outputSchema(ops: readonly Named[], isFlat: boolean): ToolListing["outputSchema"] {
  return {
    type: "object",
    properties: {
      op: { type: "string", enum: ops.map(({ word }) => word) },
      result: isFlat ? jsonSchemas(ops[0]!.op).output : { type: "object" },
    },
    required: ["op", "result"],
  };
}
