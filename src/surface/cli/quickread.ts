/** Which commands `quick` may take: asked when the index is generated. */
import * as v from "valibot";
import { isOptional, markOf, typeOf } from "../../ops/fields.ts";
import type { AnyOp, QuickRead } from "../../ops/op.ts";
import { hashOf } from "../schema.ts";

/** A read whose result is its whole answer, and which takes its arguments as they are typed; else undefined. */
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
  const asked = v.safeParse(op.input, Object.fromEntries(args.map((field) => [field, "word"])));
  if (!asked.success || op.streams?.(asked.output)) return undefined;
  return { cli: op.cli.split(" "), name: op.name, hash: hashOf(op), args };
}

/** Needs nothing of the client: no file is read, nothing is made absolute or reckoned. */
function isWord(schema: v.GenericSchema): boolean {
  const { arg, text, path, moment, minted, spelling } = markOf(schema);
  return arg === true && typeOf(schema) === "string" && !(text || path || moment || minted || spelling);
}
