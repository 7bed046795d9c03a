import { expect, test } from "bun:test";
import * as v from "valibot";
import { issueText, keysOf, unknownField } from "../../src/base/issue.ts";

const schema = v.strictObject({
  text: v.optional(v.pipe(v.string(), v.nonEmpty(), v.maxLength(5))),
  word: v.optional(v.pipe(v.string(), v.minLength(3), v.regex(/^[a-z]/, "must begin with a letter"))),
  bytes: v.optional(v.pipe(v.string(), v.maxBytes(3))),
  count: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(9))),
  mode: v.optional(v.picklist(["send", "queue"])),
  only: v.optional(v.picklist(["send"])),
  isOn: v.optional(v.boolean()),
  list: v.optional(v.array(v.string())),
  table: v.optional(v.strictObject({ needed: v.string() })),
  either: v.optional(v.union([v.array(v.string()), v.record(v.string(), v.unknown())])),
});

const texts: [value: Record<string, unknown>, text: string][] = [
  [{ text: 5 }, "text: must be a string, not 5"],
  [{ text: "" }, "text: must not be empty"],
  [{ text: "abcdef" }, "text: must be at most 5 long, not 6"],
  [{ text: ["a"] }, "text: must be a string, not a list"],
  [{ text: {} }, "text: must be a string, not an object"],
  [{ text: null }, "text: must be a string, not null"],
  [{ word: "ab" }, "word: must not be shorter than 3"],
  [{ word: "1bc" }, "word: must begin with a letter"],
  [{ bytes: "\u00e4\u00e4" }, "bytes: must be at most 3 bytes, not 4"],
  [{ count: "5" }, 'count: must be a number, not "5"'],
  [{ count: 1.5 }, "count: must be a whole number, not 1.5"],
  [{ count: 0 }, "count: must be at least 1, not 0"],
  [{ count: 10 }, "count: must be at most 9, not 10"],
  [{ mode: "steer" }, 'mode: must be one of send, queue, not "steer"'],
  [{ only: "steer" }, 'only: must be one of send, not "steer"'],
  [{ isOn: "yes" }, 'isOn: must be a boolean, not "yes"'],
  [{ list: "a" }, 'list: must be a list, not "a"'],
  [{ list: ["a", 1] }, "list.1: must be a string, not 1"],
  [{ table: "x" }, 'table: must be an object, not "x"'],
  [{ table: {} }, "missing table.needed"],
  [{ table: { needed: "x", other: 1 } }, 'unknown field "table.other"'],
  [{ either: 5 }, "either: must be a list or an object, not 5"],
  [{ txet: "x" }, 'unknown field "txet"'],
];
for (const [value, text] of texts) {
  test(`${JSON.stringify(value)} is refused: ${text}`, () => {
    const { issues } = v.safeParse(schema, value);
    expect(issues!.map((issue) => issueText(issue, keysOf(issue).join(".")))).toEqual([text]);
  });
}

test("a value of any length is repeated in part", () => {
  const { issues } = v.safeParse(schema, { count: "x".repeat(10_000) });
  expect(issueText(issues![0], "count").length).toBeLessThan(300);
  expect(unknownField("x".repeat(10_000)).length).toBeLessThan(300);
});

test("the nearest field is offered for one that is not there, by its own name", () => {
  expect(unknownField("txet", ["mode", "text"])).toBe('unknown field "txet"; did you mean "text"?');
  expect(unknownField("policy.txet", ["mode", "text"])).toBe(
    'unknown field "policy.txet"; did you mean "text"?',
  );
});
