import { describe, expect, test } from "bun:test";
import { pairs, table } from "../../src/base/table.ts";
import {
  ago,
  block,
  cell,
  cut,
  fold,
  type Look,
  paint,
  toJson,
  toJsonLine,
  toTerminal,
  unpainted,
  widthOf,
  wrap,
} from "../../src/base/text.ts";

const look: Look = { width: 40, now: Date.parse("2026-03-01T12:00:00Z"), color: false };

/** One of every kind that moves the cursor, hides text or turns it round. */
const hostile = {
  esc: "\u001b[2J\u001b]0;owned\u0007",
  c1: "\u009b31mred\u0085next",
  cr: "paid\rfree",
  bidi: "a\u202eb\u2066c\u061cd\u200f",
  zeroWidth: "ad\u200bmin\u200d\u2060\ufeff\u00ad",
  tags: "ok\u{e0041}\u{e0042}",
  filler: "\u3164\u115f",
  separators: "one\u2028two\u2029",
  surrogate: "half \ud83d",
  marks: "\ufdd3red\ufdd0",
  del: "x\u007f\u0008y",
};
const dangerous =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\ufdd0-\ufdef]|\p{Cs}|[\u{e0000}-\u{e0fff}]/u;

describe("foreign text", () => {
  for (const [name, text] of Object.entries(hostile)) {
    test(`${name} is made visible by cell, block, the sink and JSON`, () => {
      expect(cell(text)).not.toMatch(dangerous);
      expect(block(text)).not.toMatch(dangerous);
      expect(toTerminal(text, { color: false })).not.toMatch(dangerous);
      expect(toTerminal(cell(text), { color: true })).not.toMatch(dangerous);
      expect(toJson({ text })).not.toMatch(dangerous);
      if (name !== "surrogate") expect(JSON.parse(toJsonLine({ text }))).toEqual({ text });
    });
  }

  test("JSON is the value itself, with each row of a list on one line", () => {
    const value = {
      rows: [{ a: "x\ny", b: { c: [] } }, null, 3, [1, 2]],
      none: [],
      empty: {},
      absent: undefined,
      nested: { deep: { deeper: ["a"] } },
      word: 'a"b',
    };
    for (const one of [value, {}, { rows: [{}] }])
      expect(JSON.parse(toJson(one))).toEqual(JSON.parse(JSON.stringify(one)));
    const lines = toJson(value).split("\n");
    expect(lines).toContain('    {"a":"x\\ny","b":{"c":[]}},');
    expect(lines).toContain("  },");
    expect(toJson({})).toBe("{}");
  });

  test("what was there is shown, not dropped", () => {
    expect(cell("a\u202eb")).toBe("a\\u202eb");
    expect(cell("\u001b[31m")).toBe("\\u001b[31m");
    expect(cell("\u{e0041}")).toBe("\\udb40\\udc41");
  });

  test("ordinary text of any script and emoji pass unchanged", () => {
    for (const text of ["Übergröße", "中文標題", "مرحبا", "⚠️ done", "e\u0301", "🚀"])
      expect(cell(text)).toBe(text);
  });

  test("a raw escape that a view let through never reaches the terminal, colours or not", () => {
    const shown = toTerminal(`${paint("red", "bad")} \u001b[2J`, { color: true });
    expect(shown).toBe("\u001b[31mbad\u001b[0m \\u001b[2J");
  });
});

describe("cell and block", () => {
  test("a cell is one line, and nothing is a dash", () => {
    expect(cell("  two\n\n lines\tand ")).toBe("two lines and");
    expect(cell("")).toBe("-");
    expect(cell(null)).toBe("-");
  });

  test("a cell is cut by columns, not by characters", () => {
    expect(cell("中文標題中文", 7)).toBe("中文標…");
    expect(widthOf(cell("中文標題中文", 8))).toBeLessThanOrEqual(8);
    expect(cell("abcdef", 4)).toBe("abc…");
    expect(cell("abcd", 4)).toBe("abcd");
  });

  test("a block keeps its lines and turns CRLF and tabs into what a terminal shows alike", () => {
    expect(block("a\r\n\tb\rc")).toBe("a\n    b\\u000dc");
  });
});

describe("paint", () => {
  test("is nothing without colour and nests with it", () => {
    const s = paint("red", `a${paint("bold", "b")}c`);
    expect(toTerminal(s, { color: false })).toBe("abc");
    expect(toTerminal(s, { color: true })).toBe("\u001b[31ma\u001b[1mb\u001b[0m\u001b[31mc\u001b[0m");
  });

  test("survives a cut with its end in place", () => {
    expect(toTerminal(cut(paint("green", "abcdef"), 3), { color: true })).toBe("\u001b[32mab…\u001b[0m");
  });

  test("left open by a view is closed at the end of the output", () => {
    expect(toTerminal("\ufdd3oops", { color: true })).toEndWith("\u001b[0m");
  });
});

describe("table", () => {
  test("lines up columns by width and leaves no blanks at line ends", () => {
    expect(
      table(
        [
          ["a", "中文", "x"],
          ["bbb", "y", "z"],
        ],
        look,
      ),
    ).toBe("a    中文  x\nbbb  y     z");
  });

  test("takes room from the column that may shrink, then from the widest", () => {
    const long = "l".repeat(60);
    for (const line of table([["id1234", long, "idle"]], look, { shrink: 1 }).split("\n"))
      expect(widthOf(line)).toBe(40);
    const three = table([[long, long, "ok"]], look, { shrink: 0 });
    expect(widthOf(three)).toBe(40);
    expect(three).toStartWith("lllllll…  ");
  });

  test("a newline in a cell cannot forge a row", () => {
    expect(table([["a\nforged", "b"]], look)).toBe("a forged  b");
  });

  test("has a dim header that counts in the widths", () => {
    expect(toTerminal(table([["a", "b"]], look, { header: ["REF", "TITLE"] }), { color: false })).toBe(
      "REF  TITLE\na    b",
    );
  });
});

test("pairs put the values under each other", () => {
  const shown = toTerminal(
    pairs(
      [
        ["ref", "abc123"],
        ["title", "one\ntwo"],
      ],
      look,
    ),
    { color: false },
  );
  expect(shown).toBe("ref    abc123\ntitle  one\n       two");
});

test("wrap breaks at words and keeps a word that fits nowhere", () => {
  expect(wrap("aa bb ccc dddddddd", 5)).toBe("aa bb\nccc\ndddddddd");
});

test("relative times read in the largest unit", () => {
  const at = (seconds: number) => new Date(look.now - seconds * 1000).toISOString();
  expect([0, 12, 200, 7300, 3 * 86_400, -90].map((s) => ago(at(s), look))).toEqual([
    "now",
    "12s ago",
    "3m ago",
    "2h ago",
    "3d ago",
    "in 1m",
  ]);
  expect(ago("2025-01-02T03:04:05Z", look)).toBe("2025-01-02");
  expect(ago(null, look)).toBe("-");
  expect(ago("nonsense", look)).toBe("-");
});

test("a folded line loses nothing, fits, and each row has its own paint", () => {
  const line = `ab${paint("red", `日本${paint("bold", "cd")}e`)}f`;
  const rows = fold(line, 3);
  expect(rows.map(unpainted)).toEqual(["ab", "日", "本c", "def"]);
  expect(toTerminal(rows[2]!, { color: true })).toBe("\x1b[31m本\x1b[1mc\x1b[0m\x1b[31m\x1b[0m");
  expect(fold("short", 10)).toEqual(["short"]);
  // A character that is wider than the row is still shown.
  expect(fold("日本", 1)).toEqual(["日", "本"]);
});

test("a text of ASCII characters is cut like every text", () => {
  expect([cut("abcdef", 4), cut("abcdef", 6), cut("abcdef", 1), cut("abcdef", 0)]).toEqual([
    "abc…",
    "abcdef",
    "…",
    "",
  ]);
});
