import { expect, test } from "bun:test";
import { type Command, type Found, routeOf } from "../../../src/surface/cli/commands.ts";
import { dispatch } from "../../../src/surface/cli/dispatch.ts";
import { index } from "../support/ops.ts";

const ran: [string, readonly string[]][] = [];
const composed = ["new", "new --dry-run"].map((cli) => ({ cli, group: "thread", summary: "" }) as const);
const commands: Command[] = [...index, ...composed].map((row) => ({
  ...row,
  run(args) {
    ran.push([row.cli, args]);
    return Promise.resolve(row.cli.length);
  },
}));
const route = (...words: string[]) => routeOf(words, commands);
const found = (...words: string[]) => route(...words) as Found;

test("one word is a command, two are a noun and its verb", () => {
  expect(route("list")).toMatchObject({ command: { cli: "list" } });
  expect(route("goal", "set", "x")).toMatchObject({ command: { cli: "goal set" } });
  expect(route("goal")).toMatchObject({ noun: "goal" });
  expect(route()).toEqual({ root: true });
});

const unknown: [words: string[], message: string][] = [
  [["lst"], 'unknown command "lst"; did you mean "list"?'],
  [["goals", "set"], 'unknown command "goals"; did you mean "goal"?'],
  [["goal", "sett"], 'unknown command "goal sett"; did you mean "goal set"?'],
  [["toString"], 'unknown command "toString"'],
  [["__proto__"], 'unknown command "__proto__"'],
  [["constructor", "x"], 'unknown command "constructor"'],
  [["--limit", "5", "list"], "unknown flag --limit before the command"],
  [["--", "list"], "unknown flag -- before the command"],
];
for (const [words, message] of unknown) {
  test(`refuses ${words.join(" ")}`, () => {
    expect(() => route(...words)).toThrow(message);
  });
}

test("a command is run once with the words after it, untouched, and gives its status", async () => {
  ran.length = 0;
  const words = ["goal", "set", "@a", "--objective", "-5", "--", "--x", "list"];
  expect(await dispatch(found(...words), commands)).toBe(8);
  expect(ran).toEqual([["goal set", ["@a", "--objective", "-5", "--", "--x", "list"]]]);
});

test("a flag may make another command of one, wherever it stands, but not as a text after --", async () => {
  expect(found("new", "--name", "x", "--dry-run")).toMatchObject({
    command: { cli: "new --dry-run" },
    args: ["--name", "x"],
  });
  expect(found("new", "--", "--dry-run").command.cli).toBe("new");
  ran.length = 0;
  await dispatch(found("new", "--dry-run", "--name", "x"), commands);
  expect(ran).toEqual([["new --dry-run", ["--name", "x"]]]);
});
