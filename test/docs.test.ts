/** The pages for who changes dispatch: a file or a test that one of them names is there. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const root = resolve(import.meta.dir, "..");
const pages = [
  "README.md",
  "src/README.md",
  "test/README.md",
  ".github/CONTRIBUTING.md",
  "test/live/facts/FACTS.md",
];

/** What a checkout does not hold before somebody works in it. */
const notKept = new Set([".git", ".scratch", "dist", "node_modules"]);

const textOf = (file: string) => readFileSync(join(root, file), "utf8");

/** From the root, or from the page's own folder. */
const basesOf = (page: string) => [root, join(root, dirname(page))];

/** Code spans that are one word and begin with a name of the checkout, or end as a file does. Placeholders name nothing. */
function pathsIn(page: string): string[] {
  const bases = basesOf(page);
  const names = new Set(bases.flatMap((base) => readdirSync(base)).filter((name) => !notKept.has(name)));
  const spans = [...textOf(page).matchAll(/`([^`\n]+)`/g)].map(([, span]) => span!.split(" ")[0]!);
  const isPath = (span: string) =>
    /^\.?[\w][\w./-]*$/.test(span) &&
    (/\w\.(?:ts|sql|md)$/.test(span) || (span.includes("/") && names.has(span.split("/")[0]!)));
  return [...new Set(spans.filter(isPath))];
}

describe.each(pages)("%s", (page) => {
  test("names only files that exist", () => {
    const missing = pathsIn(page).filter(
      (path) => !basesOf(page).some((base) => existsSync(join(base, path))),
    );
    expect(missing).toEqual([]);
  });

  test("links only to files that exist", () => {
    const links = [...textOf(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path]) => path!);
    expect(links.filter((path) => !existsSync(join(root, dirname(page), path)))).toEqual([]);
  });
});

test("the pages do name files", () => {
  const few = pages.filter((page) => pathsIn(page).length < 5);
  expect(few).toEqual([]);
});

test("every test that the list of facts names is in the file that it names", () => {
  const named = [...textOf("test/live/facts/FACTS.md").matchAll(/`([\w./-]+\.test\.ts)`: "([^"|]+)"/g)];
  expect(named.length).toBeGreaterThan(30);
  const missing = named.filter(([, file, title]) => !textOf(file!).includes(title!)).map(([whole]) => whole);
  expect(missing).toEqual([]);
});

/** As a comment cites one: `(facts C6)`. */
test("every fact that the source cites by number is in the list", () => {
  const list = textOf("test/live/facts/FACTS.md");
  const files = [...new Bun.Glob("src/**/*.{ts,sql}").scanSync(root)];
  const cited = files.flatMap((file) =>
    [...textOf(file).matchAll(/\bfacts ([A-Z]\d+(?:\.\d+)?)/g)].map(([, id]) => id!),
  );
  expect(cited.length).toBeGreaterThan(0);
  expect([...new Set(cited)].filter((id) => !list.includes(`| ${id} |`))).toEqual([]);
});

test("every file of the adapter to Codex that cites a measurement is in the list", () => {
  const list = textOf("test/live/facts/FACTS.md");
  const files = [...new Bun.Glob("src/codex/**/*.ts").scanSync(root)];
  const citing = files.filter((file) => /\bmeasured\b|\bfacts [A-Z]\d/i.test(textOf(file)));
  expect(citing.length).toBeGreaterThan(0);
  expect(citing.filter((file) => !list.includes(`\`${file}\``))).toEqual([]);
});
