/** What no field of any op takes, whoever wrote the op. */
import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { markOf, typeOf } from "../../src/ops/fields.ts";
import { index } from "../../src/ops/index.ts";

const ops = await Promise.all(index.map(async (row) => (await row.load()).default));

for (const op of ops) {
  const fields = Object.entries(op.input.entries) as [string, v.GenericSchema][];
  const texts = fields.filter(([, schema]) => ["string", "list"].includes(typeOf(schema)));
  if (texts.length === 0) continue;
  describe(op.cli, () => {
    for (const [name, schema] of texts) {
      const isTaken = (text: string) => v.is(schema, typeOf(schema) === "list" ? [text] : text);
      test(`${name} takes no half of a surrogate pair: Codex would never answer it`, () => {
        expect(isTaken("a\ud800=b")).toBe(false);
        expect(isTaken("/a=\udc00")).toBe(false);
      });
      if (markOf(schema).path)
        test(`${name} takes no NUL: no path holds one`, () => {
          expect(isTaken("/a\0b")).toBe(false);
          expect(isTaken("/a b")).toBe(true);
        });
    }
  });
}
