import { describe, expect, test } from "bun:test";
import { idIn, idScan } from "../../src/base/lineid.ts";
import { lineSplitter, type Oversize } from "../../src/base/lines.ts";
import { seeded } from "../support/seeded.ts";

const bytes = (text: string) => Buffer.from(text);
const foundIn = (text: string) => idIn(bytes(text));

describe("the id of a line", () => {
  test("is found wherever it stands, and only at the top level", () => {
    expect(foundIn('{"id":7,"op":"x"}')).toBe(7);
    expect(foundIn('{"params":{"id":1,"a":[{"id":2}]},"id":"seven"}')).toBe("seven");
    expect(foundIn(' { "a" : "\\"id\\":3" , "id" : -4.5 } ')).toBe(-4.5);
    expect(foundIn('{"\\u0069d":8}')).toBe(8);
    expect(foundIn('{"a":"\\\\","id":9}')).toBe(9);
  });

  test("is none where there is none, or none that names a call", () => {
    for (const line of [
      "",
      "nonsense",
      "[1]",
      '[{"id":1}]',
      '{"a":{"id":1}}',
      '{"id":null}',
      '{"id":{"id":1}}',
      '{"id":[1]}',
      '{"id":true}',
      '{"id":tru',
      '"id":5',
      `{"id":"${"x".repeat(1000)}"}`,
    ])
      expect(foundIn(line)).toBeUndefined();
  });

  test("is found in a line that breaks off behind it, or that is no UTF-8", () => {
    expect(foundIn('{"id":7')).toBe(7);
    expect(foundIn('{"id":7,"text":"broken')).toBe(7);
    expect(idIn(Buffer.from('{"text":"\xff\xfe","id":7}', "latin1"))).toBe(7);
  });

  test("is that of JSON.parse for any object, however it is cut into pieces", () => {
    const random = seeded(1);
    const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)]!;
    const value = (depth: number): unknown =>
      depth > 3 || random() < 0.5
        ? pick<unknown>([1, "id", '"id":1', "\\", "}{][,:", "測", true, null])
        : random() < 0.5
          ? [value(depth + 1), value(depth + 1)]
          : { id: value(depth + 1), b: value(depth + 1) };
    for (let n = 0; n < 2000; n++) {
      const id = pick([n, `${n}`, `"${n}\\`]);
      const entries = [
        ["a", value(0)],
        ["id", id],
        ["c,:", value(0)],
      ].sort(() => random() - 0.5);
      const line = bytes(JSON.stringify(Object.fromEntries(entries), null, pick([0, 1])));
      const scan = idScan();
      for (let at = 0; at < line.length; ) {
        const next = at + 1 + Math.floor(random() * 9);
        scan.push(line.subarray(at, next));
        at = next;
      }
      expect(scan.end()).toBe(id);
    }
  });
});

describe("a line over the limit, with its id read", () => {
  const told = (chunks: string[]) => {
    const oversize: Oversize[] = [];
    const lines: string[] = [];
    const splitter = lineSplitter({
      lineBytesMax: 20,
      readId: true,
      onLine: (line) => lines.push(Buffer.from(line).toString()),
      onOversize: (one) => oversize.push(one),
    });
    const counts = chunks.map((chunk) => {
      splitter.push(bytes(chunk));
      return oversize.length;
    });
    splitter.end();
    return { ids: oversize.map(({ id }) => id), counts, lines };
  };

  test("is told as soon as its id is known, once", () => {
    const x = "x".repeat(30);
    expect(told([`{"id":1,"a":"${x}`, x, '"}\nnext\n'])).toEqual({
      ids: [1],
      counts: [1, 1, 1],
      lines: ["next"],
    });
    expect(told([`{"a":"${x}`, `${x}","id":1`, "2,", '"b":1}\nnext\n'])).toEqual({
      ids: [12],
      counts: [0, 0, 1, 1],
      lines: ["next"],
    });
  });

  test("is told at its end when it has none, and the next one has its own", () => {
    const x = "x".repeat(30);
    expect(told([`{"a":"${x}"}\n{"id":2,"a":"${x}"}\n`])).toEqual({
      ids: [undefined, 2],
      counts: [2],
      lines: [],
    });
    expect(told([x]).ids).toEqual([undefined]);
  });
});
