import { expect, test } from "bun:test";
import type { DispatchError } from "../../../src/base/error.ts";
import { type Forms, readFlags } from "../../../src/surface/cli/flags.ts";
import { globalFlags } from "../../../src/surface/cli/globals.ts";

const forms: Forms = {
  limit: { type: "number" },
  name: { type: "string" },
  "turn-id": { type: "string" },
  send: { type: "boolean" },
  config: { type: "list" },
};

const good: [words: string[], flags: object, positionals: string[]][] = [
  [["--limit", "5"], { limit: 5 }, []],
  [["--limit=5", "a"], { limit: 5 }, ["a"]],
  [["--limit", "-5"], { limit: -5 }, []],
  [["--limit", "-.5"], { limit: -0.5 }, []],
  [["--limit=-5"], { limit: -5 }, []],
  [["-5", "-1.5x"], {}, ["-5", "-1.5x"]],
  [["--name", ""], { name: "" }, []],
  [["--name="], { name: "" }, []],
  [["--name=--send"], { name: "--send" }, []],
  [["--name", "-"], { name: "-" }, []],
  [["-"], {}, ["-"]],
  [["--send"], { send: true }, []],
  [["--no-send", "x"], { send: false }, ["x"]],
  [["--config", "a=1", "--config=b=2"], { config: ["a=1", "b=2"] }, []],
  [["--turn-id", "t", "--", "--send", "-x", "--"], { "turn-id": "t" }, ["--send", "-x", "--"]],
];

for (const [words, flags, positionals] of good) {
  test(`reads ${words.join(" ")}`, () => {
    const read = readFlags(words, forms);
    expect(read.flags).toEqual(flags as never);
    expect(read.positionals).toEqual(positionals);
  });
}

const bad: [words: string[], message: string][] = [
  [["--limt", "5"], "unknown flag --limt; did you mean --limit?"],
  [["--turn_id", "t"], "unknown flag --turn_id; did you mean --turn-id?"],
  [["--no-sned"], "unknown flag --no-sned; did you mean --no-send?"],
  [["--no-limit"], "unknown flag --no-limit; did you mean --limit?"],
  [["--toString"], "unknown flag --toString"],
  [["--__proto__=1"], "unknown flag --__proto__"],
  [["-x"], "unknown flag -x"],
  [["-abc"], "unknown flag -abc"],
  [["--limit"], "--limit needs a value"],
  [["--name", "--send"], "--name needs a value, and --send is a flag"],
  [["--name", "-x"], "--name needs a value, and -x is a flag"],
  [["--limit", "5", "--limit", "6"], "--limit is given twice"],
  [["--send", "--send"], "--send is given twice"],
  [["--send", "--no-send"], "--send and --no-send exclude each other"],
  [["--no-send", "--send"], "--no-send and --send exclude each other"],
  [["--send=true"], "--send takes no value"],
  [["--limit", "five"], '--limit: must be a number, not "five"'],
  [["--limit", "0x10"], '--limit: must be a number, not "0x10"'],
  [["--limit", "1e3"], '--limit: must be a number, not "1e3"'],
  [["--limit", ""], '--limit: must be a number, not ""'],
  [["--limit", "5 "], '--limit: must be a number, not "5 "'],
  [["--limit", "NaN"], '--limit: must be a number, not "NaN"'],
];

for (const [words, message] of bad) {
  test(`refuses ${words.join(" ")}`, () => {
    expect(() => readFlags(words, forms)).toThrow(message);
    try {
      readFlags(words, forms);
    } catch (thrown) {
      expect((thrown as DispatchError).code).toBe("usage");
    }
  });
}

test("the hint to a switch that was given a value names both its ways", () => {
  const hintOf = (word: string) => {
    try {
      readFlags([word], forms);
    } catch (thrown) {
      return (thrown as DispatchError).hint;
    }
  };
  expect(hintOf("--send=yes")).toBe("--send or --no-send");
  expect(hintOf("--no-send=yes")).toBe("--no-send or --send");
});

test("global flags are taken from wherever they stand, up to --, and the rest stays as it was", () => {
  const words = ["--home", "/x", "send", "@a", "--limit", "-5", "--no-json", "--", "--json", "-"];
  const { flags, rest } = readFlags(words, globalFlags, { isPartial: true });
  expect(flags).toEqual({ home: "/x", json: false });
  expect(rest).toEqual(["send", "@a", "--limit", "-5", "--", "--json", "-"]);
});

test("a misspelled global flag is suggested too", () => {
  expect(() => readFlags(["--jsn"], forms, { suggest: globalFlags })).toThrow("did you mean --json?");
});
