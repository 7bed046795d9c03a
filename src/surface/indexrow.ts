/** Computes the rows of an op for the generated index (`scripts/generate`). */
import * as v from "valibot";
import { isOptional, markOf, typeOf } from "../ops/fields.ts";
import type { AnyOp, IndexRow, QuickRead } from "../ops/op.ts";
import { hashOf } from "./schema.ts";

/** The row without `load`: only the generator knows the file of the op. */
export function indexRowOf(op: AnyOp): Omit<IndexRow, "load"> {
  const { name, cli, group, summary, intent } = op;
  return {
    name,
    cli,
    ...(op.also === undefined ? {} : { also: op.also }),
    group,
    task: op.task,
    intent,
    ...(op.at === "client" ? { at: "client" } : op.start === "never" ? { start: "never" } : {}),
    ...(op.at !== "client" && op.frozen ? { frozen: true } : {}),
    ...(op.hidden ? { hidden: true } : {}),
    ...(op.plain ? { plain: true } : {}),
    ...(op.isForPersons ? { isForPersons: true } : {}),
    ...(op.undoable ? { undoable: true } : {}),
    ...(op.at !== "client" && op.lists
      ? { lists: Object.keys(op.lists) as NonNullable<IndexRow["lists"]> }
      : {}),
    hash: hashOf(op),
    summary,
  };
}

/**
 * For a read whose result is its whole answer and whose arguments need no conversion: what `quick` needs to call it.
 * Undefined for every other op.
 */
export function quickReadOf(op: AnyOp): QuickRead | undefined {
  if (op.at === "client" || op.intent !== "read" || op.repeat !== "safe") return undefined;
  if (op.exit || op.plain || op.hidden || op.cli.includes("--")) return undefined;
  const entries = Object.entries(op.input.entries) as [string, v.GenericSchema][];
  const needed = entries.filter(([, schema]) => !isOptional(schema));
  if (!needed.every(([, schema]) => isWord(schema))) return undefined;
  const args = needed.map(([field]) => field);
  // Words are assigned in the order of the entries: an optional one before these would take the first word.
  const placed = entries.filter(([, schema]) => markOf(schema).arg).map(([field]) => field);
  if (args.some((field, at) => placed[at] !== field)) return undefined;
  const input = v.safeParse(op.input, Object.fromEntries(args.map((field) => [field, "word"])));
  if (!input.success || op.streams?.(input.output)) return undefined;
  return { name: op.name, cli: op.cli, args, hash: hashOf(op) };
}

/** True if the client can send the word as it is: no file to read, nothing to make absolute or to compute. */
function isWord(schema: v.GenericSchema): boolean {
  const { arg, text, path, moment, minted, spelling } = markOf(schema);
  return arg === true && typeOf(schema) === "string" && !(text || path || moment || minted || spelling);
}
