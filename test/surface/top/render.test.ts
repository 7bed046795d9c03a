/** The pictures: they fit, they say what matters, and nothing foreign rules the terminal. */
import { describe, expect, test } from "bun:test";
import { toTerminal, unpainted } from "../../../src/base/text.ts";
import { render } from "../../../src/surface/top/render.ts";
import { requestLines } from "../../../src/surface/top/requestpage.ts";
import { asking, busy, driven, now, requestOf, secondsAgo, threadOf, widest } from "./given.ts";

const hostile = "\x1b[31mred\x1b]0;t\x07 \u202egnp\rover\u200b \u009b2J 日本語 👨‍👩‍👧 \ufdd2\ufdd0";
const sizes = [
  { columns: 80, rows: 24 },
  { columns: 40, rows: 8 },
  { columns: 200, rows: 60 },
  { columns: 53, rows: 11 },
];

const fleet = [
  asking("asks", 70),
  threadOf(`evil ${hostile}`, { last_message: { text: hostile, truncated: false, turn_id: "t", at: "" } }),
  threadOf("failed", {
    status: "error",
    cwd: hostile,
    handle: hostile,
    latest_turn: { ...busy("x", 9).latest_turn!, status: "failed", error: { message: hostile, kind: null } },
  }),
  busy("works", 4000, { queue: { pending: 3, held: false, reason: null, release: null } }),
  ...Array.from({ length: 96 }, (_, at) => threadOf(`thread number ${100 + at} 日本語の長いタイトルです`)),
];

describe.each(sizes)("at $columns x $rows", (size) => {
  const pages = {
    board: () => driven(fleet, size),
    filter: () => driven(fleet, size).press("/").type("日本"),
    send: () => driven(fleet, size).press("s").type(hostile),
    "send, how": () => driven(fleet, size).press("s").type("x").press("enter"),
    stop: () => driven(fleet, size).press("x"),
    help: () => driven(fleet, size).press("?"),
    thread: () =>
      driven(fleet, size)
        .press("down", "enter")
        .happen({
          is: "tail",
          ref: driven(fleet, size).press("down").board.cursor!,
          items: [
            {
              turn_id: "t",
              item_id: "i",
              type: hostile,
              text: hostile,
              command: hostile,
              arguments: hostile,
              exit_code: 1,
              changes: null,
              path: hostile,
              status: hostile,
              at: secondsAgo(1),
            },
          ],
        }),
    request: () =>
      driven(fleet, size)
        .press("a")
        .happen({ is: "request", request: requestOf({ command: hostile, reason: hostile }) }),
    error: () =>
      driven(fleet, size).happen({
        is: "failed",
        error: { code: "conflict", message: hostile, hint: "dispatch x", retry: "no", data: null },
      }),
    down: () =>
      driven(fleet, size).happen({
        is: "link",
        link: { isUp: false, since: now - 5000, why: hostile, hint: "dispatch up" },
      }),
  };

  test.each(Object.entries(pages))("%s fits, and obeys no foreign escape", (_, made) => {
    const picture = render(made().board, now);
    expect(picture.lines).toHaveLength(size.rows);
    const lines = picture.lines.map((line) => toTerminal(line, { color: false }));
    // Whatever is escaped was escaped when the width was measured: the sink found nothing more.
    expect(lines).toEqual(picture.lines.map(unpainted));
    expect(widest(lines)).toBeLessThanOrEqual(size.columns);
    for (const line of lines)
      expect(line).not.toMatch(/[\x00-\x1f\x7f-\x9f\u200b\u202a-\u202e\ufdd0-\ufdef]/);
    if (picture.cursor) expect(picture.cursor.column).toBeLessThan(size.columns);
  });

  test("a hundred threads scroll in their own rows, and the columns are aligned", () => {
    const on = driven(fleet, size);
    const shown = on.lines().filter((line) => /^[> ] (?:waiting|error|busy|idle) /.test(line));
    expect(shown.length).toBeGreaterThanOrEqual(size.rows - 5);
    // The title begins in one column.
    const at = (title: string) =>
      on
        .lines()
        .find((line) => line.includes(title))!
        .indexOf(title);
    expect(at("works")).toBe(at("asks"));
  });
});

test("a row says what it asks, how long a turn runs, what waits, how much it used", () => {
  const lines = driven(fleet).lines();
  expect(lines[0]).toContain("1 waiting  1 error  1 busy  97 idle");
  expect(lines[2]).toMatch(/^> waiting +1m {2}asks .* 12k {2}asks req001 npm test *$/);
  expect(lines.find((line) => line.includes("works"))).toMatch(
    /busy +1h06m {2}works +3 +12k {2}works says so/,
  );
  // Of the selected thread, in full width.
  expect(lines.at(-3)).toContain("/home/you/app");
});

test("one line more says that the daemon or Codex is down, or that the account is limited", () => {
  const on = driven([threadOf("a")]);
  on.happen({
    is: "link",
    link: { isUp: false, since: now - 65_000, why: "no daemon answers", hint: "dispatch up" },
  });
  expect(on.lines()[0]).toEndWith("daemon down");
  expect(on.lines()[1]).toBe("down for 1m: no daemon answers  dispatch up");
  on.happen({ is: "link", link: { isUp: true } });
  const codex = { state: "degraded", version: "0.1", error: null };
  on.happen({ is: "daemon", daemon: { version: "1", codex, limits: [], degraded: ["Codex is down"] } });
  expect(on.lines()[0]).toEndWith("codex degraded");
  expect(on.lines()[1]).toBe("Codex is down");
  const limits = [{ provider: "openai", until: new Date(now + 300_000).toISOString(), reason: "5 h window" }];
  on.happen({
    is: "daemon",
    daemon: { version: "1", codex: { ...codex, state: "running" }, limits, degraded: [] },
  });
  expect(on.lines()[1]).toBe("limited, ends in 5m: openai: 5 h window");
});

test("a small terminal is asked to grow, and q still quits", () => {
  const on = driven(fleet, { columns: 39, rows: 24 });
  expect(on.lines()[0]).toBe("make the terminal larger:");
  expect(on.press("s", "q").effects).toEqual([{ do: "quit" }]);
  expect(on.happen({ is: "size", size: { columns: 80, rows: 24 } }).lines()[0]).toContain("dispatch");
});

test("no threads: it says how to make one", () => {
  expect(driven([]).lines().join("\n")).toContain("dispatch new --name NAME");
});

test("a folded line of a request is marked where no text of it can be", () => {
  const command = `${"x".repeat(100)}\nrm -rf ~`;
  const lines = requestLines(requestOf({ command }), 60, now).map(unpainted);
  const from = lines.findIndex((line) => line.startsWith("  command"));
  expect(lines.slice(from, from + 4)).toEqual([
    `  command  ${"x".repeat(49)}`,
    `\\ ${"x".repeat(51)}`,
    "           rm -rf ~",
    "  cwd      /home/you/app",
  ]);
});

test("a sub-agent tree is not indented out of its column", () => {
  const chain = Array.from({ length: 30 }, (_, at) =>
    threadOf(`deep${at}`, { ref: `r${at}`, id: `id${at}`, parent_id: at === 0 ? null : `id${at - 1}` }),
  );
  for (const line of driven(chain, { columns: 80, rows: 40 }).lines().slice(2, 32))
    expect(line).toMatch(/deep\d+|…/);
});

test("to draw a hundred threads takes a few milliseconds", () => {
  const { board } = driven(fleet, { columns: 200, rows: 60 });
  render(board, now);
  const from = performance.now();
  for (let at = 0; at < 20; at++) render(board, now + at * 1000);
  // Far above what it takes, and far under the 50 ms in which a key is answered.
  expect((performance.now() - from) / 20).toBeLessThan(25);
});
