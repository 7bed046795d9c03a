/** The JSON Schema of an op: a plain object at the root, without references and without our own keywords. */
import { toJsonSchema } from "@valibot/to-json-schema";
import type { AnyOp, ObjectSchema } from "../ops/op.ts";

export type JsonSchema = Record<string, unknown>;

export interface OpSchemas {
  input: JsonSchema;
  output: JsonSchema;
}

const known = new WeakMap<AnyOp, OpSchemas>();

export function jsonSchemas(op: AnyOp): OpSchemas {
  let schemas = known.get(op);
  if (!schemas) {
    // "input": otherwise a field with a default would be required.
    schemas = { input: convert(op.input, "input"), output: convert(op.output, "output") };
    known.set(op, schemas);
  }
  return schemas;
}

/**
 * A hash of the op's input and output schemas (12 hex digits). Client and daemon compare it to detect that they were
 * built from different schemas. Descriptions do not count.
 */
export function hashOf(op: AnyOp): string {
  const { input, output } = jsonSchemas(op);
  const shape = JSON.stringify(canonical({ input, output }));
  return new Bun.CryptoHasher("sha256").update(shape).digest("hex").slice(0, 12);
}

function convert(schema: ObjectSchema, typeMode: "input" | "output"): JsonSchema {
  // "ignore": JSON Schema cannot express some checks (well-formed text, byte counts). valibot still makes them.
  const root = toJsonSchema(schema as never, { typeMode, errorMode: "ignore" });
  const { $schema: _, ...plain } = withoutMarks(root) as JsonSchema;
  return plain;
}

/** Our metadata appears as a keyword `mark`, which no validator knows. A property may have that name, and stays. */
function withoutMarks(node: unknown, isProperties = false): unknown {
  if (Array.isArray(node)) return node.map((item) => withoutMarks(item));
  if (typeof node !== "object" || node === null) return node;
  const kept = Object.entries(node).filter(([key]) => isProperties || key !== "mark");
  return Object.fromEntries(
    kept.map(([key, value]) => [key, withoutMarks(value, !isProperties && key === "properties")]),
  );
}

function canonical(node: unknown, isProperties = false): unknown {
  if (Array.isArray(node)) return node.map((item) => canonical(item));
  if (typeof node !== "object" || node === null) return node;
  const kept = Object.entries(node).filter(([key]) => isProperties || key !== "description");
  kept.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    kept.map(([key, value]) => [key, canonical(value, !isProperties && key === "properties")]),
  );
}
