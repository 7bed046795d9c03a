/**
 * The listings of the tools, generated from the ops. `scripts/generate` writes them to `listing.json`, because to load
 * every op at the first `tools/list` takes 100 ms.
 */
import { limits } from "../../base/limits.ts";
import { markOf } from "../../ops/fields.ts";
import type { AnyOp, IndexRow } from "../../ops/op.ts";
import { mayBeLeftOut } from "../input.ts";
import { type JsonSchema, jsonSchemas } from "../schema.ts";
import { spellForMcp } from "./hint.ts";
import { offeredFields } from "./offered.ts";
import { intentOf, type Tool, toolsOf } from "./tools.ts";

export interface ToolListing {
  name: string;
  title: string;
  description: string;
  inputSchema: JsonSchema & { type: "object" };
  outputSchema: { type: "object" };
  _meta?: Record<string, unknown>;
  annotations: {
    readOnlyHint?: true;
    destructiveHint: boolean;
    idempotentHint?: true;
    openWorldHint: false;
  };
}

/** Both listings, as they are sent. */
export interface Listings {
  grouped: ToolListing[];
  flat: ToolListing[];
}

export async function listingsOf(index: readonly IndexRow[]): Promise<Listings> {
  const [grouped, flat] = await Promise.all(
    [false, true].map((isFlat) =>
      Promise.all(
        [...toolsOf(index, isFlat).values()].map(async (tool) => {
          const rows = [...tool.rows.values()];
          const ops = await Promise.all(rows.map(async (row) => (await row.load()).default));
          const fields = Object.assign({}, ...ops.map(({ input }) => input.entries));
          const speak = (text: string) => spellForMcp(text, { index, isFlat }, fields);
          return (await inMcpWords(await listingOf(tool), speak)) as ToolListing;
        }),
      ),
    ),
  );
  return { grouped: grouped!, flat: flat! };
}

/** The descriptions of ops and fields are written for the command line. */
async function inMcpWords(node: unknown, speak: (text: string) => Promise<string>): Promise<unknown> {
  if (Array.isArray(node)) return Promise.all(node.map((item) => inMcpWords(item, speak)));
  if (typeof node !== "object" || node === null) return node;
  const entries = Object.entries(node).map(async ([key, value]) => [
    key,
    key === "description" && typeof value === "string" ? await speak(value) : await inMcpWords(value, speak),
  ]);
  return Object.fromEntries(await Promise.all(entries)) as unknown;
}

async function listingOf(tool: Tool): Promise<ToolListing> {
  const rows = [...tool.rows];
  const ops = await Promise.all(rows.map(async ([word, row]) => ({ word, op: (await row.load()).default })));
  const row = rows[0]![1];
  return {
    name: tool.name,
    title: tool.isFlat
      ? (ops[0]!.op.forAgents ?? ops[0]!.op.summary)
      : `dispatch ${row.group} ${intentOf(row)}`,
    description: ops.map(({ word, op }) => described(word, op, ops.length === 1)).join("\n"),
    inputSchema: inputSchema(ops, tool.isFlat),
    outputSchema: { type: "object" },
    // Claude Code looks for tools by it.
    ...(tool.isFlat && ops[0]!.op.forAgents
      ? { _meta: { "anthropic/searchHint": ops[0]!.op.forAgents } }
      : {}),
    annotations: {
      // What is absent is false.
      ...(intentOf(row) === "read" ? { readOnlyHint: true } : {}),
      destructiveHint: intentOf(row) === "destroy",
      ...(ops.every(({ op }) => op.repeat === "safe") ? { idempotentHint: true } : {}),
      openWorldHint: false,
    },
  };
}

interface Named {
  word: string;
  op: AnyOp;
}

function listedFields(op: AnyOp, isFlat: boolean): string[] {
  return offeredFields(op).filter((name) => isFlat || !op.rare?.includes(name));
}

/** A field that a call may leave out: because the op does, or because `threads` replaces it. */
function mayLeaveOut(op: AnyOp, name: string): boolean {
  const isReplaced = op.several !== undefined && (op.several.each === name || op.several.each === null);
  return isReplaced || mayBeLeftOut(op.input.entries[name] as never);
}

function described(word: string, op: AnyOp, isAlone: boolean): string {
  const returns = op.returns && `Returns ${op.returns}`;
  const summary = [op.summary, op.forAgents, returns, isAlone ? op.see : undefined]
    .filter((part) => part !== undefined)
    .join(". ");
  if (isAlone) return `${summary}.`;
  const [optional, required] = [true, false].map((isLeftOut) =>
    listedFields(op, false).filter((name) => mayLeaveOut(op, name) === isLeftOut),
  ) as [string[], string[]];
  const fields = [...required, ...(op.several ? ["threads?"] : []), ...optional.map((name) => `${name}?`)];
  // A wrong field is refused with the list of all.
  const shown = fields.slice(0, limits.mcp.fieldsShownMax);
  if (fields.length > limits.mcp.fieldsShownMax || op.rare) shown.push("...");
  return `${word} {${shown.join(", ")}}: ${summary}.`;
}

interface Use {
  word: string;
  schema: JsonSchema;
  isRequired: boolean;
}

/** The fields of all ops of the tool in one object. What one op requires is checked when it is called. */
function inputSchema(ops: readonly Named[], isFlat: boolean): ToolListing["inputSchema"] {
  const uses = new Map<string, Use[]>();
  const use = (name: string, one: Use) => uses.set(name, [...(uses.get(name) ?? []), one]);
  for (const { word, op } of ops) {
    const { properties = {} } = jsonSchemas(op).input as { properties?: Record<string, JsonSchema> };
    for (const name of listedFields(op, isFlat)) {
      const { description = "", ...schema } = withUnit(
        short(properties[name] ?? {}),
        markOf(op.input.entries[name] as never).value,
      );
      // A plan has the fields of what it plans, and their descriptions are there.
      const words = op.group === "plan" && !isFlat ? {} : { description };
      use(name, { word, schema: { ...schema, ...words }, isRequired: !mayLeaveOut(op, name) });
    }
    if (op.several) use("threads", { word, schema: severalSchema(op, properties), isRequired: false });
    if (op.asksPerson)
      use("ask_person", {
        word,
        schema: { type: "boolean", description: "the person at the host answers" },
        isRequired: false,
      });
  }
  const properties = [...uses].map(([name, found]) => [name, merged(found)] as const);
  const required = [...uses]
    .filter(([, found]) => found.length === ops.length && found.every((one) => one.isRequired))
    .map(([name]) => name);
  const words = { type: "string", enum: ops.map(({ word }) => word) };
  return {
    type: "object",
    properties: {
      ...(isFlat ? {} : { op: words }),
      ...Object.fromEntries(properties),
      verbose: { type: "boolean" },
    },
    required: [...(isFlat ? [] : ["op"]), ...required],
    // A field that is not listed is taken too.
    ...(isFlat || !ops.some(({ op }) => op.rare) ? { additionalProperties: false } : {}),
  };
}

function severalSchema(op: AnyOp, properties: Record<string, JsonSchema>): JsonSchema {
  const { several } = op;
  const description = `several at once; each has its own result`;
  if (several!.each !== null) return { type: "array", items: { type: "string" }, description };
  const plain = (name: string) => {
    const { description: _, default: __, ...rest } = short(properties[name] ?? {});
    return [name, rest] as const;
  };
  const items = { type: "object", properties: Object.fromEntries(several!.shows.map(plain)) };
  return { type: "array", items, description: `${description}; each with the fields of ${op.cli}` };
}

/**
 * Without what costs an agent's context and says little: bounds and patterns, which the call checks anyway, with an error
 * that names them; a default that is the absence; a choice of very many words.
 */
function short(schema: JsonSchema): JsonSchema {
  const kept = Object.entries(schema).filter(
    ([key, value]) =>
      !bounds.has(key) && !(key === "default" && value === false) && !isLongChoice(key, value),
  );
  return Object.fromEntries(
    kept.map(([key, value]) => [key, key === "items" ? short(value as JsonSchema) : value]),
  );
}

const bounds = new Set(["minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum", "pattern"]);

const isLongChoice = (key: string, value: unknown) =>
  key === "enum" && (value as string[]).length > limits.mcp.choicesMax;

/** The command line shows `--timeout SECONDS`. Without the unit a model may give milliseconds. */
function withUnit(schema: JsonSchema, value: string | undefined): JsonSchema {
  return value === "SECONDS" ? { ...schema, description: `${schema["description"]}, in seconds` } : schema;
}

/** One schema for a field of several ops: the keywords that are equal, and the descriptions. */
function merged(uses: readonly Use[]): JsonSchema {
  const [first, ...others] = uses as [Use, ...Use[]];
  const agreed = Object.entries(first.schema).filter(
    ([key, value]) =>
      key !== "description" && others.every(({ schema }) => Bun.deepEquals(schema[key], value)),
  );
  const items = [...new Set(uses.map(({ schema }) => JSON.stringify(schema["items"])))];
  const description = sharedWords(uses);
  return {
    ...Object.fromEntries(agreed),
    // An array without `items` is refused by some hosts.
    ...(items.length > 1 ? { items: { anyOf: items.map((one) => JSON.parse(one!) as JsonSchema) } } : {}),
    ...(description === "" ? {} : { description }),
  };
}

/** The description that most of the ops share; where none is, the description of each. */
function sharedWords(uses: readonly Use[]): string {
  const words = Map.groupBy(uses, ({ schema }) => String(schema["description"] ?? ""));
  const [[text, most]] = [...words].sort(([, a], [, b]) => b.length - a.length) as [[string, Use[]]];
  if (words.size === 1 || most.length * 2 > uses.length) return text;
  return [...words].map(([one, of]) => `${of.map(({ word }) => word).join(", ")}: ${one}`).join("; ");
}
