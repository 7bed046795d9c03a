/** A line is read as the shell reads it, and a word is written so that the shell reads it back. */
import { expect, test } from "bun:test";
import { type Quote, typedIn } from "../../../../src/surface/cli/complete/line.ts";
import { bashWord } from "../../../../src/surface/cli/complete/quote.ts";

/** bash's own, as it is when nobody changed it. */
const breaks = " \t\n\"'@><=;|&(:";

const lines: [line: string, before: string[], current: string, kept: string, quote: Quote][] = [
  ["d get ", ["d", "get"], "", "", ""],
  ["d get @do", ["d", "get"], "@do", "", ""],
  ["d new --model=qwen:7", ["d", "new"], "--model=qwen:7", "--model=qwen:", ""],
  ["d get My\\ th", ["d", "get"], "My th", "", ""],
  ["d get a\\@b", ["d", "get"], "a@b", "", ""],
  ['d get "My th', ["d", "get"], "My th", "", '"'],
  ["d get 'a@b c", ["d", "get"], "a@b c", "", "'"],
  ['d get --x="a b', ["d", "get"], "--x=a b", "--x=", '"'],
  ['d send @a "it\'s \\"so\\" \\n" x', ["d", "send", "@a", 'it\'s "so" \\n'], "x", "", ""],
  ["d send '' ", ["d", "send", ""], "", "", ""],
  ["d get é@ü", ["d", "get"], "é@ü", "é", ""],
];
for (const [line, before, current, kept, quote] of lines)
  test(`read: ${line}|`, () => {
    expect(typedIn(line, breaks)).toEqual({ before, current, kept, quote, isRedirect: false });
  });

test("a file that output goes to is no word of ours", () => {
  expect(typedIn("d list > fi", breaks)).toMatchObject({
    before: ["d", "list"],
    current: "fi",
    isRedirect: true,
  });
  expect(typedIn("d list >file --j", breaks)).toMatchObject({ before: ["d", "list"], isRedirect: false });
});

const words = [
  "plain",
  "two words",
  "$(touch x)",
  "`touch x`",
  "a;b|c&d>e<f(g)h{i,j}k*l?m[n]o!p#q~r^s",
  "~",
  "#c",
  'it\'s "so" \\ $HOME',
  "@a:b=c/d.e-f+g%h,i",
  "naïve 日本 🐟",
];
test("a word quoted for bash is read back by bash as it was, in every quote", async () => {
  for (const quote of ["", "'", '"'] as const) {
    for (const word of words) {
      const quoted = bashWord(word, quote);
      if (quoted === undefined) {
        expect([quote, word.includes("!")]).toEqual(['"', true]);
        continue;
      }
      const ran = Bun.spawnSync(["bash", "-c", `printf %s ${quote}${quoted}${quote}`]);
      expect(ran.stdout.toString()).toBe(word);
      expect(ran.stderr.toString()).toBe("");
    }
  }
});
