/** Turns a caller's input into an op's input: fills what only the client knows, then checks it with the op's schema. */
import { resolve } from "node:path";
import * as v from "valibot";
import { systemClock } from "../base/clock.ts";
import { fail } from "../base/error.ts";
import { issueText, keysOf } from "../base/issue.ts";
import { limits } from "../base/limits.ts";
import { momentOf } from "../base/moment.ts";
import { newKey } from "../base/random.ts";
import { isOptional, markOf, textTooLarge } from "../ops/fields.ts";
import type { AnyOp } from "../ops/op.ts";

export type Input = Record<string, unknown>;

export interface Checked {
  /** What is sent. The daemon applies the schema's defaults itself. */
  input: Input;
  /** The same with the defaults of the schema. */
  parsed: Input;
}

/**
 * `spell` returns how this caller writes a field: `--limit` on the command line, `limit` in MCP. `cwd` null: the op runs
 * on another machine, where relative paths mean nothing. Throws `usage` with one
 * line for all faults, `too_large` for a text over `limits.input.textBytesMax`.
 */
export function checkedInput(
  op: AnyOp,
  given: Input,
  spell: (field: string) => string,
  cwd: string | null,
): Checked {
  const long = textTooLarge(op.input.entries, given);
  if (long !== undefined) tooLarge(spell(long));
  const input = filled(op, given, spell, cwd);
  const checked = v.safeParse(op.input, input);
  if (checked.success) return { input, parsed: checked.output };
  const fieldOf = (issue: v.BaseIssue<unknown>) => keysOf(issue)[0] ?? "";
  return fail("usage", checked.issues.map((issue) => issueText(issue, spell(fieldOf(issue)))).join("; "), {
    data: { fields: [...new Set(checked.issues.map(fieldOf))] },
  });
}

/** True if the caller may leave the field out: the schema or the client fills it. */
export function mayBeLeftOut(schema: v.GenericSchema): boolean {
  const mark = markOf(schema);
  return isOptional(schema) || mark.minted === true;
}

/** Makes paths and times absolute and adds the idempotency key. Only the client knows the caller's directory and zone. */
function filled(op: AnyOp, given: Input, spell: (field: string) => string, cwd: string | null): Input {
  const input = { ...given };
  for (const [field, schema] of Object.entries(op.input.entries)) {
    const mark = markOf(schema as v.GenericSchema);
    const value = input[field];
    if (value === undefined && mark.minted) input[field] = newKey();
    if (typeof value === "string" && mark.moment)
      input[field] = momentOf(value, mark.moment, systemClock.now());
    const absolute = (path: string) =>
      cwd === null ? absoluteThere(path, spell(field)) : resolve(cwd, path);
    if (typeof value === "string" && mark.path) input[field] = absolute(value);
    if (Array.isArray(value) && mark.path) input[field] = value.map((item) => absolute(String(item)));
  }
  return input;
}

function absoluteThere(path: string, spelled: string): string {
  if (path.startsWith("/")) return path;
  return fail(
    "usage",
    `${spelled}: a path on another machine must be absolute, not ${JSON.stringify(path)}`,
    {
      hint: `${spelled} /home/...`,
    },
  );
}

export function tooLarge(what: string): never {
  return fail("too_large", `${what} is over ${limits.input.textBytesMax / 1024 / 1024} MiB`, {
    hint: "put it in a file and send its path",
  });
}
