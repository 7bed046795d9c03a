import { expect, test } from "bun:test";
import { toTerminal, widthOf } from "../../../src/base/text.ts";
import { index as real } from "../../../src/ops/index.ts";
import { commandHelp, helpWords, nounHelp, rootHelp, wordHelp } from "../../../src/surface/cli/help.ts";
import { spell } from "../../../src/surface/cli/spell.ts";
import { commandsIn, nodeAt, treeOf } from "../../../src/surface/cli/tree.ts";
import { index, ops } from "../support/ops.ts";

const plain = (s: string) => toTerminal(s, { color: false });

test("a command's help says how to call it, what each word means, how it may end, and shows one", () => {
  expect(plain(commandHelp(ops["list"]!, 80))).toBe(`usage: dispatch list [--flags]

List the threads

Newest activity first.

Flags
  --limit N      at most so many; default 50
  --archived     the archived ones
  --status WORD  only these; one of: idle, busy; may be repeated
  --follow       go on

Exit codes
  0   done
  2   usage
  10  daemon_down
  14  timeout
  16  storage
  17  denied
  20  host_down

Examples
  dispatch list --limit 5 --status idle

Flags of every command: dispatch help flags`);
});

test("positionals stand in the usage line, the optional ones in brackets, lists with dots", () => {
  expect(plain(commandHelp(ops["send"]!, 80))).toStartWith(
    "usage: dispatch send <thread> <text> [--flags]\n",
  );
  expect(plain(commandHelp(ops["watch"]!, 80))).toStartWith(
    "usage: dispatch watch [<threads>...] [--flags]\n",
  );
});

test("a text has a file and standard input beside it", () => {
  const help = plain(commandHelp(ops["send"]!, 80));
  expect(help).toContain("  <text>    what to say; - reads standard input\n");
  expect(help).toContain("  --text-file PATH       the same, read from a file; - is standard input\n");
});

test("the list of commands has every command once, under what a person wants to do", () => {
  const help = plain(wordHelp("commands", commandsIn(treeOf(index)), 80)!);
  for (const row of index)
    expect(help.match(new RegExp(`^  ${row.cli} +${row.summary}$`, "gm"))?.length).toBe(1);
  expect(help.indexOf("look: ")).toBeLessThan(help.indexOf("maintain: "));
});

test("the help of the whole program fits one screen, and names every command", () => {
  const help = plain(rootHelp(commandsIn(treeOf(real)), 80));
  expect(help.split("\n").length).toBeLessThanOrEqual(23);
  for (const line of help.split("\n")) expect(widthOf(line)).toBeLessThanOrEqual(80);
  for (const row of real.filter(({ hidden, cli }) => !hidden && !cli.includes("--")))
    expect(help).toContain(row.cli.split(" ").at(-1)!);
});

test("help knows the sections and the words, and nothing else", () => {
  const about = (word: string) => wordHelp(word, commandsIn(treeOf(real)), 80);
  expect(plain(about("start")!)).toContain("new --dry-run");
  expect(plain(about("receipts")!)).toStartWith("receipt\n");
  expect(plain(about("flags")!)).toContain("--home DIR");
  for (const word of helpWords) expect(about(word)).toBeString();
  for (const word of ["nothing", "toString", "__proto__", ""]) expect(about(word)).toBeUndefined();
});

test("a noun lists its verbs", () => {
  expect(plain(nounHelp("goal", commandsIn(nodeAt(treeOf(index), ["goal"])!), 80))).toContain(
    "  goal set     set the goal",
  );
});

test("help fits a narrow terminal", () => {
  for (const op of Object.values(ops))
    for (const line of plain(commandHelp(op, 60)).split("\n")) expect(widthOf(line)).toBeLessThanOrEqual(60);
});

test("an example is a command line that a shell takes back", () => {
  expect(spell(ops["send"]!, { thread: "@docs", text: "it's $HOME", queue: false, priority: -1 })).toBe(
    "dispatch send @docs 'it'\\''s $HOME' --no-queue --priority -1",
  );
});
