/** The rows of an op in the index: made when the index is generated. */
import * as v from "valibot";
import { isOptional, markOf, typeOf } from "../ops/fields.ts";
import type { AnyOp, IndexRow, QuickRead } from "../ops/op.ts";
import { hashOf } from "./schema.ts";

/** Without `load`: only who made the op knows its file. */
export function indexRowOf(op: AnyOp): Omit<IndexRow, "load"> {
  const { name, cli, group, summary, intent } = op;
  return {
    name,
    cli,
    group,
    intent,
    ...(op.at === "client" ? { at: "client" } : op.start === "never" ? { start: "never" } : {}),
    ...(op.at !== "client" && op.frozen ? { frozen: true } : {}),
    ...(op.hidden ? { hidden: true } : {}),
    ...(op.plain ? { plain: true } : {}),
    ...(op.at !== "client" && op.lists
      ? { lists: Object.keys(op.lists) as NonNullable<IndexRow["lists"]> }
      : {}),
    hash: hashOf(op),
    summary,
  };
}

/** Of a read whose result is its whole answer, and which takes its arguments as they are typed; else undefined. */
export function quickReadOf(op: AnyOp): QuickRead | undefined {
  if (op.at === "client" || op.intent !== "read" || op.repeat !== "safe") return undefined;
  if (op.exit || op.plain || op.hidden || op.cli.includes("--")) return undefined;
  const entries = Object.entries(op.input.entries) as [string, v.GenericSchema][];
  const needed = entries.filter(([, schema]) => !isOptional(schema));
  if (!needed.every(([, schema]) => isWord(schema))) return undefined;
  const args = needed.map(([field]) => field);
  // Words are placed in the order of the entries: one that may be left out, before these, would take the first.
  const placed = entries.filter(([, schema]) => markOf(schema).arg).map(([field]) => field);
  if (args.some((field, at) => placed[at] !== field)) return undefined;
  const input = v.safeParse(op.input, Object.fromEntries(args.map((field) => [field, "word"])));
  if (!input.success || op.streams?.(input.output)) return undefined;
  return { name: op.name, cli: op.cli, args, hash: hashOf(op) };
}

/** Needs nothing of the client: no file is read, nothing is made absolute or computed. */
function isWord(schema: v.GenericSchema): boolean {
  const { arg, text, path, moment, minted, spelling } = markOf(schema);
  return arg === true && typeOf(schema) === "string" && !(text || path || moment || minted || spelling);
}
