/** Every field of every op has a maximum, at the size its word says, and no refusal repeats what it was given. */
import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { limits } from "../../src/base/limits.ts";
import { markOf, typeOf } from "../../src/ops/fields.ts";
import { index } from "../../src/ops/index.ts";

const ops = await Promise.all(index.map(async (row) => (await row.load()).default));
const fourMegabytes = 4 * 1024 * 1024;

for (const op of ops) {
  const fields = Object.entries(op.input.entries) as [string, v.GenericSchema][];
  if (fields.length === 0) continue;
  describe(op.cli, () => {
    for (const [name, schema] of fields) {
      const max = markOf(schema).bytes_max ?? limits.input.wordBytesMax;
      const type = typeOf(schema);

      test(`${name} is of a type whose maximum is known`, () => {
        expect(["string", "number", "boolean", "list", "option"]).toContain(type);
      });

      if (type === "string" || type === "list" || type === "option")
        test(`${name} takes no text over ${max} bytes, counted as UTF-8`, () => {
          // In forms that other rules of a field let pass: a path, KEY=VALUE, three bytes a character.
          for (const start of ["/", "a=", "2h", ""])
            for (const text of [start.padEnd(max + 1, "x"), start.padEnd(Math.ceil(max / 3) + 2, "測")]) {
              expect(v.is(schema, type === "list" ? [text] : text)).toBe(false);
            }
        });

      if (type === "list")
        test(`${name} takes no more than ${limits.input.listItemsMax} values`, () => {
          const values = (count: number) => Array.from({ length: count }, () => "a=b");
          expect(v.is(schema, values(limits.input.listItemsMax + 1))).toBe(false);
        });

      if (type === "number")
        test(`${name} takes no number without end`, () => {
          for (const number of [1e300, -1e300, Number.POSITIVE_INFINITY, Number.NaN])
            expect(v.is(schema, number)).toBe(false);
        });

      test(`${name} is refused at 4 MB`, () => {
        for (const value of [
          "x".repeat(fourMegabytes),
          ["x".repeat(fourMegabytes)],
          { x: "x".repeat(fourMegabytes) },
        ])
          expect(v.is(schema, value)).toBe(false);
      });
    }
  });
}
