/** What a person sees: 80 columns, no escape that an agent or a title brought, two lines for an error. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { widthOf } from "../../src/base/text.ts";
import { dispatchRig, type Rig } from "../support/dispatch.ts";
import type { Screen } from "../support/dispatch-live.ts";

setDefaultTimeout(60_000);

const bad = "\x1b[31mred\x1b]0;title\x07 \u202egnp.exe\u202c\rover \u200bx \u009b2J 日本語 \x1b[2J";

let rig: Rig;
let ref: string;

beforeAll(async () => {
  rig = dispatchRig();
  ({ ref } = await rig.thread(`evil ${bad}`, [
    { say: `${bad}\nand a long line ${"of words ".repeat(40)}` },
    { shell: `printf '${"\\033[31m"}%s' painted` },
    { say: bad },
  ]));
  await rig.thread("plain", "hello");
});

afterAll(() => rig.dispose());

/** All but colours of ours: nothing left that a terminal obeys or that makes text look like other text. */
function expectClean(shown: Screen): void {
  expect(shown.text).not.toMatch(
    /[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/,
  );
}

test.each(
  [
    "list",
    "get REF",
    "tail REF",
    "wait REF",
    "events",
    "watch --all --timeout 0",
    "daemon status",
    "daemon log",
    "daemon log --raw",
    "request list",
    "schema",
    "up",
  ].map((line) => [line]),
)("%s fits 80 columns, and obeys nobody's escapes", async (line) => {
  const shown = await rig.screen(line.split(" ").map((word) => (word === "REF" ? ref : word)));
  expect(shown.code).toBe(0);
  expectClean(shown);
  // Blocks (what somebody said, a log) are the terminal's own to fold; tables and pairs are made to fit.
  if (["list", "daemon status", "wait REF", "request list", "schema", "up"].includes(line))
    for (const row of shown.lines) expect(widthOf(row)).toBeLessThanOrEqual(80);
});

test("a narrow terminal gets narrow tables", async () => {
  const { lines } = await rig.screen(["list"], { columns: 60 });
  for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(60);
});

test("no colour where none is wanted", async () => {
  for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }])
    expect((await rig.screen(["list"], { env })).raw).not.toContain("\x1b");
  expect((await rig.screen(["list", "--no-color"])).raw).not.toContain("\x1b");
  expect((await rig.screen(["list"])).raw).toContain("\x1b[");
});

test("help fits, for every command", async () => {
  const { commands } = await rig.ask(["schema"]);
  const names: string[][] = commands.map(({ command }: { command: string }) => command.split(" "));
  for (const words of [[], ...names]) {
    const { code, lines } = await rig.screen([...words, "--help"]);
    expect(code).toBe(0);
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(80);
  }
});

test("an error is what happened, and what to type next", async () => {
  const { code, lines } = await rig.screen(["get", `@no ${bad}`]);
  expect(code).toBe(4);
  expect(lines).toHaveLength(2);
  expect(lines[0]).toStartWith("error: no thread matches");
  expect(lines[1]).toBe("hint:  dispatch list");
  expectClean(await rig.screen(["get", `@no ${bad}`]));
});

test("--json gives JSON on a terminal too, with everything dangerous escaped", async () => {
  const shown = await rig.screen(["get", ref, "--json"], { columns: 80 });
  expectClean(shown);
  expect(JSON.parse(shown.raw).title).toBe(`evil ${bad}`);
  const piped = await rig.run(["get", ref]);
  expect(piped.stdout).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/);
});

test("the daemon's log file holds no escape either", async () => {
  expect(await Bun.file(`${rig.home}/daemon.log`).text()).not.toMatch(
    /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]/,
  );
});

test("a selector that is left out is offered at a terminal, and only there", async () => {
  const picked = await rig.screen(["get"], { typed: [["which thread?", "\x1b[B\r"]] });
  expect(picked.code).toBe(0);
  // The cursor was moved from the newest thread to the other one.
  expect(picked.text).toContain(`thread   ${ref}`);
  const left = await rig.screen(["get"], { typed: [["which thread?", "\x03"]] });
  expect(left.code).toBe(2);
  expect(left.text).toContain("missing <thread>");
  expect((await rig.screen(["get", "--no-interactive"])).text).toContain("missing <thread>");
  expect(await rig.refused(["get"])).toMatchObject({ code: "usage" });
});
