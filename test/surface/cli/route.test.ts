import { expect, test } from "bun:test";
import type { IndexRow } from "../../../src/ops/op.ts";
import { type Found, routeOf } from "../../../src/surface/cli/route.ts";
import {
  type Command,
  type CommandContext,
  commandsIn,
  runIn,
  treeOf,
} from "../../../src/surface/cli/tree.ts";
import { index } from "../support/ops.ts";

const ran: [string, readonly string[]][] = [];
const named = (cli: string): IndexRow => ({ ...index[0]!, cli, group: "thread", summary: "" });
const tree = treeOf([...index, named("new"), named("new --dry-run")]);
for (const command of commandsIn(tree)) {
  const { name } = command.meta;
  command.run = async ({ data }) => {
    ran.push([name, (data as { args: string[] }).args]);
    return name.length;
  };
}
const route = (...words: string[]) => routeOf(words, tree);
const found = (...words: string[]) => route(...words) as Found;
const run = ({ command, args }: { command: Command; args: readonly string[] }) =>
  runIn({} as CommandContext, command, args);

test("one word is a command, two are a noun and its verb", () => {
  expect(route("list")).toMatchObject({ command: { meta: { name: "list" } } });
  expect(route("goal", "set", "x")).toMatchObject({ command: { meta: { name: "goal set" } } });
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
  expect(await run(found(...words))).toBe(8);
  expect(ran).toEqual([["goal set", ["@a", "--objective", "-5", "--", "--x", "list"]]]);
});

test("a flag may make another command of one, wherever it stands, but not as a text after --", async () => {
  expect(found("new", "--name", "x", "--dry-run")).toMatchObject({
    command: { meta: { name: "new --dry-run" } },
    args: ["--name", "x"],
  });
  expect(found("new", "--", "--dry-run").command.meta.name).toBe("new");
  ran.length = 0;
  await run(found("new", "--dry-run", "--name", "x"));
  expect(ran).toEqual([["new --dry-run", ["--name", "x"]]]);
});
