import { expect, test } from "bun:test";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { DispatchError } from "../../src/base/error.ts";
import { limits } from "../../src/base/limits.ts";
import { readToml } from "../../src/daemon/toml.ts";

const anything = v.record(v.string(), v.unknown());

function messageOf(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "toml-")), "config.toml");
  writeFileSync(file, text);
  try {
    readToml(file, anything);
  } catch (thrown) {
    if (thrown instanceof DispatchError && thrown.code === "usage") return thrown.message.replace(file, "F");
    throw thrown;
  }
  throw new Error("it was read");
}

const broken: [what: string, text: string, line: number][] = [
  ["the first line", "x = = 1\na = 1\n", 1],
  ["a line in the middle", 'a = 1\n[t]\nb = "x\nc = 2\n', 3],
  ["a table's header", "a = 1\n\n[t\nb = 2\n", 3],
  ["a list that is never closed", "a = 1\nb = [\n1,\n2,\n", 2],
  ["what comes after a list of many lines", "b = [\n1,\n2,\n]\nc = = 3\n", 5],
  ["what comes after a text of many lines", 'b = """\nx = = 1\n"""\nc = = 3\n', 4],
  ["the last line", "a = 1\nb", 2],
  ["a key that was there before", "[t]\na = 1\n[u]\na = 1\n[t.v]\na = 1\n[u]\na = 2\n", 7],
];
for (const [what, text, line] of broken)
  test(`a broken file is told by its line: ${what}`, () => {
    expect(messageOf(text)).toStartWith(`F:${line}: `);
  });

test("the work over a broken file is bounded, however long it is", () => {
  const parse = Bun.TOML.parse;
  let bytes = 0;
  Bun.TOML.parse = (text) => {
    bytes += String(text).length;
    return parse(text);
  };
  try {
    const lines = Array.from({ length: 3000 }, (_, at) => `key${at} = 1`);
    const text = [...lines, "x = = 1", ...lines.map((line) => `other_${line}`)]
      .join("\n")
      .slice(0, limits.config.bytesMax);
    messageOf(text);
    expect(bytes).toBeLessThan(text.length * 3);
    bytes = 0;
    messageOf(`${lines.join("\n").slice(0, limits.config.bytesMax / 2)}\nkey0 = 2`);
    expect(bytes).toBeLessThan(limits.config.bytesMax * 12);
    bytes = 0;
    messageOf(`a = [\n${"1,\n".repeat(10_000)}`);
    expect(bytes).toBeLessThan(30_000 * 3);
  } finally {
    Bun.TOML.parse = parse;
  }
});
