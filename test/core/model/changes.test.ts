/** A patch within limits: what is left out is counted, marked, and never cut inside a line. */

import { expect, test } from "bun:test";
import { changeKinds } from "../../../src/contract/words.ts";
import { bounded, summaryOf } from "../../../src/core/model/changes.ts";
import type { FileChange } from "../../../src/core/model/ports/filechange.ts";
import { seeded } from "../../support/seeded.ts";

const random = seeded(6);
const upTo = (n: number) => Math.floor(random() * n);
const pick = <T>(all: readonly T[]): T => all[upTo(all.length)]!;

function patch(): FileChange[] {
  return Array.from({ length: 1 + upTo(40) }, (_, at) => {
    const kind = pick(changeKinds);
    const line = () => `+${pick(["x", "é", "\u0001", '"', "\u{1f600}"]).repeat(upTo(60))}\n`;
    const diff = Array.from({ length: upTo(30) }, line).join("");
    return { path: `/repo/${at}`, kind, to: kind === "move" ? `/to/${at}` : null, diff };
  });
}

test("over random patches and limits: it fits, whole lines are kept, and all that is missing is counted", () => {
  let cuts = 0;
  for (let round = 0; round < 2000; round++) {
    const changes = patch();
    const bytesMax = upTo(20_000);
    const { changes: kept, missing } = bounded(changes, bytesMax);
    expect(Buffer.byteLength(JSON.stringify(kept))).toBeLessThanOrEqual(Math.max(bytesMax, 2));
    let counted = 0;
    for (const change of changes) {
      const shown = kept.find(({ path }) => path === change.path);
      if (!shown) {
        counted += Buffer.byteLength(change.path + change.diff);
        continue;
      }
      expect([shown.kind, shown.to]).toEqual([change.kind, change.to]);
      if (shown.diff === change.diff) continue;
      const [, front, left] = /^(.*)… \[(\d+) more bytes\]\n$/s.exec(shown.diff)!;
      expect(change.diff.startsWith(front!)).toBe(true);
      expect(front === "" || front!.endsWith("\n")).toBe(true);
      expect(Buffer.byteLength(front!) + Number(left)).toBe(Buffer.byteLength(change.diff));
      counted += Number(left);
    }
    expect(missing).toBe(counted);
    if (missing > 0) cuts++;
  }
  expect(cuts).toBeGreaterThan(500);
});

test("a summary says what is taken away first, and how many more there are", () => {
  const change = (kind: FileChange["kind"], path: string, to: string | null = null) => ({
    path,
    kind,
    to,
    diff: "",
  });
  const changes = [change("add", "/repo/n"), change("update", "/etc/u"), change("delete", "/repo/src/d")];
  expect(summaryOf(changes, "/repo", 200)).toBe("delete src/d, update /etc/u, add n");
  expect(summaryOf(changes, "/repo", 30)).toBe("delete src/d and 2 more");
  expect(summaryOf([change("move", "/repo/a", "/repo/b")], "/repo", 200)).toBe("move a to b");
  for (let round = 0; round < 500; round++) {
    const many = patch();
    const charsMax = 30 + upTo(60);
    const line = summaryOf(many, null, charsMax);
    expect(line.length).toBeLessThanOrEqual(charsMax);
    const named = line.split(", ").length;
    const more = Number(/ and (\d+) more$/.exec(line)?.[1] ?? 0);
    expect(named + more).toBe(many.length);
    if (many.some(({ kind }) => kind === "delete")) expect(line).toStartWith("delete ");
  }
  const long = summaryOf([change("delete", `/${"x".repeat(300)}`), change("add", "/a")], null, 60);
  expect(long).toMatch(/^delete .*… and 1 more$/);
});
