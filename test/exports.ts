/** The search for exported values that no other file imports. Types are let be: they name what an export takes and gives. */
import { dirname, normalize } from "node:path";
import type { Source } from "./tidy.ts";

const exported = /^export (?:async )?(?:function\*?|const|let|class) (\w+)/gm;
const named = /\b(?:import|export)\s+(?:type\s)?[^"'`;()=]*?\{([^}]*)\}\s*from\s*["'](\.[^"']+)["']/g;
/** `const { a } = await import("./x.ts")`, `(await import("./x.ts")).a`; else all of the module may be used. */
const taken = /(?:\{([^{}]*)\}\s*=\s*await\s*)?\bimport\(\s*["'](\.[^"']+)["']\s*\)(?:\)\.(\w+))?/g;
const whole = /\b(?:import|export)\s+(?:type\s)?\*[^"'`;()=]*\bfrom\s*["'](\.[^"']+)["']/g;

/** One line for each: `file: name`. `importers`: all who may import from them, themselves among them. */
export function unimported(sources: readonly Source[], importers: readonly Source[]): string[] {
  const used = new Set(importers.flatMap(importsOf));
  return sources.flatMap(({ path, text }) =>
    [...text.matchAll(exported)]
      .map((match) => match[1]!)
      .filter((name) => !used.has(`${path}: ${name}`) && !used.has(`${path}: *`))
      .map((name) => `${path}: ${name}`),
  );
}

function importsOf({ path, text }: Source): string[] {
  const targetOf = (from: string) => normalize(`${dirname(path)}/${from}`);
  const listed = (from: string, names: string) =>
    names.split(",").map((one) => `${targetOf(from)}: ${nameOf(one)}`);
  return [
    ...[...text.matchAll(named)].flatMap((match) => listed(match[2]!, match[1]!)),
    ...[...text.matchAll(taken)].flatMap((match) => listed(match[2]!, match[1] ?? match[3] ?? "*")),
    ...[...text.matchAll(whole)].flatMap((match) => listed(match[1]!, "*")),
  ];
}

/** `type A`, `a as b` and `a: b` import `A`, `a` and `a`. */
function nameOf(written: string): string {
  return written
    .trim()
    .replace(/^type\s+/, "")
    .split(/\s+as\s+|:/)[0]!
    .trim();
}
