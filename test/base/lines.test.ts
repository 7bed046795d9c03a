import { describe, expect, test } from "bun:test";
import { lineSplitter, textOf } from "../../src/base/lines.ts";

const encoder = new TextEncoder();

function splitAll(chunks: (string | Uint8Array)[], lineBytesMax = 1000) {
  const lines: string[] = [];
  const oversize: { bytes: number; head: string }[] = [];
  const splitter = lineSplitter({
    lineBytesMax,
    onLine: (line) => lines.push(textOf(line)),
    onOversize: ({ bytes, head }) => oversize.push({ bytes, head: textOf(head) }),
  });
  for (const chunk of chunks) splitter.push(typeof chunk === "string" ? encoder.encode(chunk) : chunk);
  const rest = splitter.end();
  return { lines, oversize, rest: rest && textOf(rest) };
}

describe("lineSplitter", () => {
  test("several lines in one chunk, and one line over several chunks", () => {
    expect(splitAll(["a\nb\nc", "c", "c\n"])).toEqual({
      lines: ["a", "b", "ccc"],
      oversize: [],
      rest: undefined,
    });
  });

  test("empty lines are lines", () => {
    expect(splitAll(["\n\na\n"]).lines).toEqual(["", "", "a"]);
  });

  test("what is left without its newline is given at the end", () => {
    expect(splitAll(["a\nhal", "f"])).toEqual({ lines: ["a"], oversize: [], rest: "half" });
  });

  test("a block between lines comes out whole, wherever the chunks are cut, and its newlines end no line", () => {
    const bytes = encoder.encode("head 8\nab\n\ncd\n\nhead 0\ntail\n");
    for (let cut = 0; cut <= bytes.length; cut++) {
      const seen: string[] = [];
      const splitter = lineSplitter({
        lineBytesMax: 10,
        onLine(line) {
          seen.push(textOf(line));
          const [head, count] = textOf(line).split(" ");
          if (head === "head") splitter.take(Number(count), (block) => seen.push(`block ${textOf(block)}`));
        },
        onOversize: () => seen.push("over"),
      });
      for (const part of [bytes.slice(0, cut), bytes.slice(cut)]) splitter.push(part);
      expect(seen).toEqual(["head 8", "block ab\n\ncd\n\n", "head 0", "block ", "tail"]);
    }
  });

  test("a character cut by the edge of a chunk at any byte comes out whole", () => {
    const line = "naïve 測試 🙂 done";
    const bytes = encoder.encode(`${line}\n`);
    for (let cut = 0; cut <= bytes.length; cut++)
      expect(splitAll([bytes.slice(0, cut), bytes.slice(cut)]).lines).toEqual([line]);
  });

  test("a line of exactly the limit passes, one byte more does not", () => {
    expect(splitAll([`${"x".repeat(10)}\n`], 10).lines).toEqual(["x".repeat(10)]);
    const over = splitAll([`${"x".repeat(11)}\nnext\n`], 10);
    expect(over.lines).toEqual(["next"]);
    expect(over.oversize).toEqual([{ bytes: 11, head: "x".repeat(11) }]);
  });

  test("a line over the limit is told once, at once, with its first bytes, and the line after it is read", () => {
    const chunks = ['{"id":7,', "x".repeat(500), "y".repeat(5000), "tail\nnext\n"];
    const { lines, oversize } = splitAll(chunks, 100);
    expect(lines).toEqual(["next"]);
    expect(oversize).toHaveLength(1);
    expect(oversize[0]!.bytes).toBe(508);
    expect(oversize[0]!.head.startsWith('{"id":7,xx')).toBe(true);
    expect(oversize[0]!.head).toHaveLength(256);
  });

  test("a stream that ends inside a dropped line leaves nothing behind", () => {
    expect(splitAll(["x".repeat(200), "xx"], 100).rest).toBeUndefined();
  });

  test("random cuts give the same lines", () => {
    let seed = 7;
    const random = () => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return seed / 2147483648;
    };
    const whole = Array.from({ length: 200 }, (_, i) => "é🙂x".repeat(Math.floor(random() * 40)) + i);
    const bytes = encoder.encode(`${whole.join("\n")}\n`);
    for (let round = 0; round < 20; round++) {
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; ) {
        const size = 1 + Math.floor(random() * 300);
        chunks.push(bytes.slice(at, at + size));
        at += size;
      }
      expect(splitAll(chunks).lines).toEqual(whole);
    }
  });

  test("a byte order mark before a line is no part of it, and within a line it is", () => {
    expect(splitAll(["\ufeff{}\n", "a\ufeff\n"]).lines).toEqual(["{}", "a\ufeff"]);
  });

  test("one long line in many chunks costs time in proportion to its length", () => {
    const cost = (chunks: number) => {
      const chunk = new Uint8Array(64 * 1024).fill(120);
      const splitter = lineSplitter({ lineBytesMax: 1 << 30, onLine: () => {}, onOversize: () => {} });
      const from = performance.now();
      for (let i = 0; i < chunks; i++) splitter.push(chunk);
      splitter.push(encoder.encode("\n"));
      return performance.now() - from;
    };
    cost(64);
    // 16 times the chunks: about 16 times the cost, 256 times if each chunk were joined as it comes.
    expect(cost(1024)).toBeLessThan(Math.max(cost(64), 1) * 120);
  });
});
