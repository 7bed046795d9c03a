/** From what a caller gave to what an op takes: the client's own fillings, then the op's schema, in the caller's words. */
import { resolve } from "node:path";
import * as v from "valibot";
import { systemClock } from "../base/clock.ts";
import { fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import { momentOf } from "../base/moment.ts";
import { newKey } from "../base/random.ts";
import { isOptional, markOf, textTooLarge } from "../ops/fields.ts";
import type { AnyOp } from "../ops/op.ts";

export type Input = Record<string, unknown>;

export interface Checked {
  /** To send: the daemon applies the schema's defaults itself. */
  input: Input;
  /** What the op sees. */
  parsed: Input;
}

/** `spell` is how this caller writes a field: `--limit` on the command line, `limit` in MCP. */
export function checkedInput(
  op: AnyOp,
  given: Input,
  spell: (field: string) => string,
  cwd: string,
): Checked {
  const long = textTooLarge(op.input.entries, given);
  if (long !== undefined) tooLarge(spell(long));
  const input = filled(op, given, cwd);
  const checked = v.safeParse(op.input, input);
  if (checked.success) return { input, parsed: checked.output };
  return fail("usage", checked.issues.map((issue) => complaint(issue, spell)).join("; "), {
    data: { fields: [...new Set(checked.issues.map((issue) => String(issue.path?.[0]?.key ?? "")))] },
  });
}

/** May the caller leave it out? Then the schema or the client fills it. */
export function mayBeLeftOut(schema: v.GenericSchema): boolean {
  const mark = markOf(schema);
  return isOptional(schema) || mark.minted === true;
}

/** Paths are made absolute, and the idempotency key supplied, by the client: only it stands where the caller does. */
function filled(op: AnyOp, given: Input, cwd: string): Input {
  const input = { ...given };
  for (const [field, schema] of Object.entries(op.input.entries)) {
    const mark = markOf(schema as v.GenericSchema);
    const value = input[field];
    if (value === undefined && mark.minted) input[field] = newKey();
    if (typeof value === "string" && mark.moment)
      input[field] = momentOf(value, mark.moment, systemClock.now());
    if (typeof value === "string" && mark.path) input[field] = resolve(cwd, value);
    if (Array.isArray(value) && mark.path) input[field] = value.map((item) => resolve(cwd, String(item)));
  }
  return input;
}

export function tooLarge(what: string): never {
  return fail("too_large", `${what} is over ${limits.textBytesMax / 1024 / 1024} MiB`, {
    hint: "put it in a file and send its path",
  });
}

type Issue = v.BaseIssue<unknown> & { requirement?: unknown };

function complaint(issue: Issue, spell: (field: string) => string): string {
  const field = issue.path?.[0]?.key;
  if (field === undefined) return issue.message;
  const name = spell(String(field));
  if (issue.type === "strict_object" || issue.type === "object")
    return issue.received === "undefined" ? `missing ${name}` : `unknown field ${name}`;
  return `${name}: ${rule(issue)}`;
}

/** valibot's own words name its types; a check that has words of ours keeps them. */
function rule(issue: Issue): string {
  const wanted = String(issue.requirement);
  switch (issue.type) {
    case "string":
    case "number":
    case "boolean":
    case "array":
    case "object":
      return `must be a ${issue.type === "array" ? "list" : issue.type}, not ${issue.received}`;
    case "picklist":
      return `must be one of ${String(issue.expected).replace(/[()"]/g, "").replaceAll(" | ", ", ")}, not ${issue.received}`;
    case "integer":
      return `must be a whole number, not ${issue.received}`;
    case "min_value":
      return `must be at least ${wanted}, not ${issue.received}`;
    case "max_value":
      return `must be at most ${wanted}, not ${issue.received}`;
    case "min_length":
    case "non_empty":
      return `must not be ${issue.received === "0" ? "empty" : `shorter than ${wanted}`}`;
    case "max_length":
      return `must be at most ${wanted} long, not ${issue.received}`;
    case "max_bytes":
      return `must be at most ${wanted} bytes, not ${issue.received}`;
    default:
      return issue.message;
  }
}
