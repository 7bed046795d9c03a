/** Each field of each op at, and past, what it takes: refused in words, with nothing stored, and nobody ends of it. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type * as v from "valibot";
import { limits } from "../../src/base/limits.ts";
import { markOf, typeOf } from "../../src/ops/fields.ts";
import { index } from "../../src/ops/index.ts";
import { type FuzzRig, fuzzRig } from "./rig.ts";

const fourMegabytes = 4 * 1024 * 1024;
const errorBytesMax = 3 * limits.error.charsMax;

let rig: FuzzRig;
beforeAll(async () => {
  rig = await fuzzRig();
});
afterAll(() => rig.dispose());

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let n = 0; n < depth; n++) value = n % 2 ? [value] : { a: value };
  return value;
}

const deepText = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;

/** In forms that a field's other rules let pass: a path, KEY=VALUE, a moment, JSON. */
const starts = ["", "/", "a=", '{"a":"'];

/** What no field of this type takes. */
function wrong(schema: v.GenericSchema): unknown[] {
  const max = markOf(schema).bytes_max ?? limits.input.wordBytesMax;
  const long = (bytes: number) => starts.map((start) => start.padEnd(bytes, "x"));
  const shapes = [null, nested(3), nested(127), nested(200), nested(5000)];
  switch (typeOf(schema)) {
    case "string":
      return [...shapes, 7, true, ["x"], "a\ud800", "/\udc00=", ...long(max + 1), "x".repeat(fourMegabytes)];
    case "list":
      return [
        ...shapes,
        7,
        "x",
        [7],
        ["a=\ud800"],
        [["a=b"]],
        ...[...long(max + 1), "x".repeat(fourMegabytes)].map((text) => ["a=b", text]),
        Array.from({ length: limits.input.listItemsMax + 1 }, () => "a=b"),
        Array.from({ length: 100_000 }, () => "a"),
      ];
    case "number":
      return [...shapes, "7", true, -1, 1e300, -1e300, Number.MAX_SAFE_INTEGER + 2];
    case "option":
      return [...shapes, 1, ["x"], "a\ud800", ...long(max + 1)];
    case "boolean":
      return [...shapes, "true", 1, "x".repeat(fourMegabytes)];
  }
}

/** What a field may take, as far as its size goes: then its op decides. */
function extreme(schema: v.GenericSchema): unknown[] {
  const max = markOf(schema).bytes_max ?? limits.input.wordBytesMax;
  const texts = [
    ...[max - 1, max].flatMap((bytes) => starts.map((start) => start.padEnd(bytes, "x"))),
    "/".repeat(max),
    "../".repeat(max / 3),
    "\u0000",
    "\u0085",
    "\u0001".repeat(max),
    "測".repeat(Math.floor(max / 3)),
    "__proto__",
    "a.b=".padEnd(max, "{"),
    ...[100, 101, 127, 128, 2000].flatMap((depth) => [
      deepText(depth),
      `a=${deepText(depth)}`,
      `{"a":${deepText(depth)}}`,
    ]),
    '"\\ud800"',
    'a="\\ud800"',
    '{"a":"\\ud800"}',
    "99999999999999999999999",
    "%s%n$HOME`id`",
  ];
  switch (typeOf(schema)) {
    case "string":
    case "option":
      return texts;
    case "list":
      return [
        ...texts.map((text) => [text]),
        [],
        Array.from({ length: limits.input.listItemsMax }, () => "a=b"),
      ];
    case "number":
      return [0, 1, 0.5, limits.input.pageMax, 86_400, Number.MAX_SAFE_INTEGER];
    case "boolean":
      return [];
  }
}

const ops = await Promise.all(
  index
    // A stop ends the daemon as it should.
    .filter(({ at, name }) => at !== "client" && name !== "daemon.stop")
    .map(async (row) => ({ row, op: (await row.load()).default })),
);

for (const { row, op } of ops)
  describe(row.cli, () => {
    const input = op.examples[0]!.input as Record<string, unknown>;

    for (const [name, schema] of Object.entries(op.input.entries) as [string, v.GenericSchema][]) {
      test(`${name}: what no such field takes is refused, in few words, with nothing stored`, async () => {
        const before = rig.stored();
        for (const value of wrong(schema)) {
          const { error } = await rig.ask(row.name, { ...input, [name]: value });
          const shown = { value: JSON.stringify(value)?.slice(0, 60), code: error?.code };
          expect(["usage", "too_large"], JSON.stringify(shown)).toContain(error?.code as string);
          expect(JSON.stringify(error).length).toBeLessThan(errorBytesMax);
        }
        expect(rig.stored()).toEqual(before);
      }, 30_000);

      if (typeOf(schema) !== "boolean")
        test(`${name}: what is within its size is answered, and no answer is a bug`, async () => {
          for (const value of extreme(schema)) {
            const { error } = await rig.ask(row.name, { timeout: undefined, ...input, [name]: value });
            expect(error?.code).not.toBe("internal");
            if (error) expect(JSON.stringify(error).length).toBeLessThan(limits.error.dataCharsMax * 2);
          }
        }, 60_000);
    }

    if (!row.frozen)
      test("a field that it has not is refused by name", async () => {
        for (const name of ["x".repeat(fourMegabytes), "__proto__", "constructor", "\ud800", "", "a\nb"]) {
          const text = JSON.stringify(input).replace(
            /^\{/,
            `{${JSON.stringify(name)}:1${Object.keys(input).length > 0 ? "," : ""}`,
          );
          const { error } = await rig.ask(row.name, JSON.parse(text));
          expect(error?.code).toBe("usage");
          expect(JSON.stringify(error).length).toBeLessThan(errorBytesMax);
        }
      });
  });

test("many calls at once, each with what it does not take, are all answered, and nothing failed by a bug", async () => {
  const calls = ops.flatMap(({ row, op }) => Object.keys(op.input.entries).map((name) => ({ row, name })));
  // As many at a time as one connection may have.
  for (let from = 0; from < calls.length; from += limits.socket.callsPerConnectionMax) {
    const some = calls.slice(from, from + limits.socket.callsPerConnectionMax);
    const answers = await Promise.all(
      some.map(({ row, name }) => rig.ask(row.name, { [name]: nested(127) })),
    );
    for (const { error } of answers) expect(error?.code).toBe("usage");
  }
  expect(rig.log.faults()).toEqual([]);
});
