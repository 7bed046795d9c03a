/** Writes an input as a command line, for help, confirmations and hints. */
import type { AnyOp } from "../../ops/op.ts";
import { fieldsOf, kebab } from "./args.ts";

/** `place`: the values of `--home` and `--host`. Without them the same words would mean other threads. */
export function spell(
  op: AnyOp,
  input: Record<string, unknown>,
  { home, host }: { home?: string; host?: string } = {},
): string {
  const words = [
    "dispatch",
    op.cli,
    ...(home === undefined ? [] : ["--home", quoted(home)]),
    ...(host === undefined ? [] : ["--host", quoted(host)]),
  ];
  for (const field of fieldsOf(op)) {
    const value = input[field.name];
    if (value === undefined) continue;
    const flag = `--${kebab(field.name)}`;
    if (typeof value === "boolean") words.push(value ? flag : `--no-${kebab(field.name)}`);
    else
      for (const item of Array.isArray(value) ? value : [value])
        words.push(...(field.mark.arg ? [] : [flag]), quoted(String(item)));
  }
  return words.join(" ");
}

/** The word in POSIX shell quoting, if it needs quotes. */
export function quoted(word: string): string {
  return /^[\w@./:=,+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
