/** What is offered where, by the ops alone. */
import { expect, test } from "bun:test";
import { markOf, type Named } from "../../../../src/ops/fields.ts";
import { index as real } from "../../../../src/ops/index.ts";
import type { Word } from "../../../../src/ops/op.ts";
import { typedIn } from "../../../../src/surface/cli/complete/line.ts";
import { offerFor } from "../../../../src/surface/cli/complete/offer.ts";
import { treeOf } from "../../../../src/surface/cli/tree.ts";
import { index } from "../../support/ops.ts";

const threads: Word[] = [
  { word: "@docs", about: "docs" },
  { word: "abc123", about: "docs", isOther: true },
  { word: "docs", about: "abc123", isOther: true },
];

/** The words offered at the end of a line, or who else completes there. */
async function at(line: string, over = index, live: readonly Word[] = threads): Promise<string[] | string> {
  const { before, current } = typedIn(line);
  const offer = await offerFor(before, current, {
    tree: treeOf(over),
    live: async () => live,
    hosts: async () => [{ word: "box" }],
  });
  return offer.kind === "words" ? offer.words.map(({ word }) => word) : offer.kind;
}

const cases: [line: string, offered: string[] | string][] = [
  [
    "",
    [
      "list",
      "get",
      "send",
      "forget",
      "watch",
      "wait",
      "goal",
      "daemon",
      "up",
      "hold",
      "schema",
      "mcp",
      "top",
    ],
  ],
  ["wa", ["watch", "wait"]],
  ["goal ", ["set", "status"]],
  ["goal s", ["set", "status"]],
  ["nonsense ", []],
  ["help go", ["goal"]],
  ["--json li", ["list"]],
  ["--home ", "directories"],
  ["--home /x get ", ["@docs"]],
  ["--home=/x get a", ["abc123"]],
  ["--dead", ["--deadline"]],
  ["get ", ["@docs"]],
  ["get @", ["@docs"]],
  ["get d", ["docs"]],
  ["get @docs ", []],
  ["get --json ", ["@docs"]],
  ["list --status ", ["idle", "busy"]],
  ["list --status=b", ["--status=busy"]],
  ["list --status idle --st", ["--status"]],
  ["list --arch", ["--archived"]],
  ["list --archived --arch", []],
  ["list --limit ", []],
  ["send @docs ", []],
  ["send @docs --mode ", ["send", "queue"]],
  ["send @docs --text-file ", "files"],
  ["send @docs --text-file=", "files"],
  ["send @docs --schema-path ", "files"],
  ["send @docs -- --mo", []],
  ["watch a b d", []],
  ["wait -- ", ["@docs"]],
  ["mcp --f", ["--flat"]],
  ["top --pl", ["--plain"]],
];
for (const [line, offered] of cases)
  test(`dispatch ${line}|`, async () => {
    expect(await at(line)).toEqual(offered);
  });

test("a flag that stands there is not offered again, unless it may be repeated", async () => {
  const flags = (await at("list --status idle --limit 3 -")) as string[];
  expect(flags).toContain("--status");
  expect(flags).not.toContain("--limit");
});

test("a switch is offered the way that changes something; both ways where a file may have set it", async () => {
  const flags = (await at("doctor --", real)) as string[];
  expect(flags).toEqual(expect.arrayContaining(["--no-app-server", "--fix", "--no-start", "--yes"]));
  expect(flags).not.toContain("--app-server");
  expect(flags).not.toContain("--no-fix");
  expect(await at("new --send", real)).toEqual(["--send"]);
  expect(await at("new --no-se", real)).toEqual(["--no-send"]);
});

test("a command is completed as the argument of another, verb after noun", async () => {
  expect(await at("schema go", real)).toEqual(["goal"]);
  expect(await at("schema goal s", real)).toEqual(["set", "status"]);
});

test("a word that could not be typed, or would be read as a flag, is not offered", async () => {
  const hostile = ["a\u001b[2J", "two\nlines", "\u202eevil", "--force", "", "  blanks"].map((word) => ({
    word,
  }));
  expect(await at("get ", index, [...hostile, { word: "fine" }])).toEqual(["fine"]);
});

test("a flag that makes another command of it is a flag like any other", async () => {
  expect(await at("ne", real)).toEqual(["new"]);
  expect(await at("new --dr", real)).toEqual(["--dry-run"]);
  expect(await at("new --dry-run --dr", real)).toEqual([]);
  expect(await at("new --dry-run --sandbox read", real)).toEqual(["read-only"]);
  expect(await at("new --dry-run --pre", real)).toEqual(["--preset", "--prefix"]);
});

test("whatever a word of an op names, some op lists, or files do", async () => {
  const ops = await Promise.all(real.map(async (row) => (await row.load()).default));
  const named = ops.flatMap((op) =>
    Object.values(op.input.entries).flatMap((schema) => markOf(schema as never).names ?? []),
  );
  const listed = real.flatMap((row) => row.lists ?? []);
  expect([...new Set(named)].sort()).toEqual([...new Set<Named>([...listed, "preset"])].sort());
});
