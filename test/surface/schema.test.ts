import { expect, test } from "bun:test";
import * as v from "valibot";
import { count, flag, text } from "../../src/ops/fields.ts";
import { type AnyOp, type ObjectSchema, op } from "../../src/ops/op.ts";
import { hashOf, jsonSchemas } from "../../src/surface/schema.ts";
import { ops } from "./support/ops.ts";

function withInput(input: ObjectSchema, summary = "x"): AnyOp {
  const empty = v.object({});
  const parts = {
    name: "a.b",
    cli: "a",
    group: "thread",
    task: "look",
    intent: "read",
    repeat: "safe",
    fails: [],
    examples: [],
  } as const;
  return op({ ...parts, summary, input, output: empty, view: () => "", run: () => ({}) });
}

test("every schema is a plain object at the root, nothing by reference, and none of our own words in it", () => {
  for (const one of Object.values(ops)) {
    for (const schema of Object.values(jsonSchemas(one))) {
      expect(schema["type"]).toBe("object");
      for (const word of ["anyOf", "oneOf", "allOf", "$schema"]) expect(schema).not.toHaveProperty(word);
      expect(JSON.stringify(schema)).not.toMatch(/"\$ref"|"mark"/);
    }
    expect(jsonSchemas(one).input["additionalProperties"]).toBe(false);
  }
});

test("a field with a default is not required of the caller", () => {
  const { input } = jsonSchemas(ops["list"]!);
  expect(input).toMatchObject({
    required: [],
    properties: { limit: { type: "integer", default: 50, minimum: 1, maximum: 100 } },
  });
});

test("a field called mark or description is a field like any other", () => {
  const { input } = jsonSchemas(
    withInput(v.strictObject({ mark: flag(v.string(), "m"), description: flag(v.string(), "d") })),
  );
  expect(Object.keys(input["properties"] as object)).toEqual(["mark", "description"]);
});

test("checks that JSON Schema cannot say do not keep an op from having one", () => {
  expect(jsonSchemas(withInput(v.strictObject({ text: text("t") }))).input).toMatchObject({
    properties: { text: { type: "string" } },
  });
});

test("the hash changes with the shape and not with the wording", () => {
  const base = hashOf(withInput(v.strictObject({ n: count("so many", 5) })));
  expect(hashOf(withInput(v.strictObject({ n: count("in other words", 5) }), "y"))).toBe(base);
  expect(hashOf(withInput(v.strictObject({ n: count("so many", 6) })))).not.toBe(base);
  expect(hashOf(withInput(v.strictObject({ n: v.optional(count("so many", 5)) })))).not.toBe(base);
  expect(base).toMatch(/^[0-9a-f]{12}$/);
});
