/**
 * The field types of an op's input. A field is a flag (`--kebab-case`) unless its mark makes it a positional. Marks are
 * valibot metadata; the surfaces read them with `markOf`.
 */
import * as v from "valibot";
import { limits } from "../base/limits.ts";
import { isMoment } from "../base/moment.ts";
import { isBlank } from "../base/text.ts";

/** What a value names, for completion. The op that lists such names declares it under `lists`; presets are in files. */
export type Named =
  | "thread"
  | "archived"
  | "stranger"
  | "receipt"
  | "queued"
  | "unsure"
  | "request"
  | "trigger"
  | "subscription"
  | "inbox"
  | "model"
  | "effort"
  | "tier"
  | "preset";

export interface Mark {
  /** A positional, in the order of the schema's entries. An array field takes all remaining words. */
  arg?: true;
  /** A text: `--x TEXT`, `--x-file PATH`, and `-` for stdin. */
  text?: true;
  /** A path. The client makes it absolute. */
  path?: true;
  /** A time. The client makes it ISO-8601 in the caller's zone. A day becomes its first or its last millisecond. */
  moment?: "first" | "last";
  /** The client generates a value when none is given, so that its retries are safe. */
  minted?: true;
  /** The words of another command, including its flags. */
  spelling?: true;
  /** Not offered over MCP. */
  cli_only?: true;
  /** The maximum of the value, or of each value in a list. Default `limits.input.wordBytesMax`. */
  bytes_max?: number;
  /** Other names of the flag, as the Python original spelled it. Help does not show them. */
  also?: readonly string[];
  /** The value over MCP when the caller gives none. */
  agent_default?: number;
  /** The placeholder of the value in help: `--limit N`. */
  value?: string;
  /** What the value names, for completion in a shell. */
  names?: Named;
}

type Meta = { mark: Mark };

/** Any text may be sent to Codex, which never answers a text with a lone surrogate (facts F10). */
function marked<S extends v.GenericSchema>(schema: S, description: string, mark: Mark) {
  const wellFormed = v.check<v.InferOutput<S>, string>(
    isWellFormed,
    "the text is not well-formed Unicode (a lone surrogate)",
  );
  return v.pipe(
    schema,
    bounded<v.InferOutput<S>>(mark.bytes_max ?? limits.input.wordBytesMax),
    wellFormed,
    v.description(description),
    v.metadata({ mark } satisfies Meta),
  );
}

/** Gives every field a maximum, also if its author set none. */
function bounded<T>(bytesMax: number) {
  const isShort = (value: unknown) =>
    // A code unit has at most three bytes in UTF-8, so only long texts are counted.
    typeof value !== "string" || value.length * 3 <= bytesMax || Buffer.byteLength(value) <= bytesMax;
  return v.check<T, (issue: v.CheckIssue<T>) => string>(
    (value) =>
      Array.isArray(value)
        ? value.length <= limits.input.listItemsMax && value.every(isShort)
        : isShort(value),
    ({ input }) =>
      Array.isArray(input)
        ? `takes at most ${limits.input.listItemsMax} values of at most ${bytesMax} bytes each`
        : `must be at most ${bytesMax} bytes`,
  );
}

/** The field with a text that is over its limit, or undefined. */
export function textTooLarge(entries: v.ObjectEntries, given: Record<string, unknown>): string | undefined {
  return Object.keys(entries).find((name) => {
    const [mark, value] = [markOf(entries[name] as v.GenericSchema), given[name]];
    return mark.text && typeof value === "string" && Buffer.byteLength(value) > limits.input.textBytesMax;
  });
}

function isWellFormed(value: unknown): boolean {
  return typeof value === "string"
    ? value.isWellFormed()
    : !Array.isArray(value) || value.every(isWellFormed);
}

/** A positional. */
export function arg<S extends v.GenericSchema>(schema: S, description: string, mark: Mark = {}) {
  return marked(schema, description, { ...mark, arg: true });
}

/** A flag. */
export function flag<S extends v.GenericSchema>(schema: S, description: string, mark: Mark = {}) {
  return marked(schema, description, mark);
}

/** Text to deliver, up to 1 MiB. */
export function text(description: string, mark: Mark = {}) {
  return marked(v.string(), description, {
    value: "TEXT",
    bytes_max: limits.input.textBytesMax,
    ...mark,
    text: true,
  });
}

export function path(description: string, mark: Mark = {}) {
  const schema = v.pipe(
    v.string(),
    v.startsWith("/", "the path must be absolute"),
    v.check((path) => !path.includes("\0"), "the path must not contain a NUL"),
  );
  return marked(schema, description, { value: "PATH", path: true, ...mark });
}

/** Refuses a text without a visible character. Codex refuses some of those only after it has created the thread. */
export const seen = v.check((text: string) => !isBlank(text), "it has no visible character");

/** Ref, thread id, @handle, exact title, `self`, or a unique ref prefix. */
export function selector(description = "thread: ref, id, @handle, title or self", mark: Mark = {}) {
  return marked(v.pipe(v.string(), v.minLength(1), v.maxLength(limits.input.titleCharsMax)), description, {
    arg: true,
    value: "THREAD",
    names: "thread",
    ...mark,
  });
}

/** A thread that is named by a flag. */
export function threadFlag(description: string, mark: Mark = {}) {
  return flag(v.pipe(v.string(), v.minLength(1), v.maxLength(limits.input.titleCharsMax)), description, {
    value: "THREAD",
    names: "thread",
    ...mark,
  });
}

export function count(description: string, most: number, mark: Mark = {}) {
  return marked(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(most)), description, {
    value: "N",
    ...mark,
  });
}

/** The flag of a list that has pages. */
export function cursorFlag(description = "continue from next_cursor") {
  return flag(v.string(), description, { value: "CURSOR" });
}

export function seconds(description: string, mark: Mark = {}) {
  return marked(
    v.pipe(v.number(), v.minValue(0), v.maxValue(limits.input.waitTimeoutMaxMs / 1000)),
    description,
    {
      value: "SECONDS",
      ...mark,
    },
  );
}

/** A day, a time, an age (`2h`, `3d`), `today` or `yesterday`. On the wire it is ISO-8601 with a zone. */
export function moment(description: string, end: "first" | "last") {
  const schema = v.pipe(
    v.string(),
    v.check((text) => isMoment(text), "must be a day, a time with its zone, or an age such as 2h or 3d"),
  );
  return marked(schema, description, { value: "TIME", moment: end });
}

export function idempotencyKey() {
  return flag(
    v.pipe(v.string(), v.minLength(1), v.maxBytes(limits.input.keyBytesMax)),
    "the same key with the same content gives the same receipt; with other content: conflict",
    { value: "KEY", minted: true },
  );
}

/** The mark of a field, through `optional` and `nullable`. */
export function markOf(schema: v.GenericSchema): Mark {
  const inner = unwrap(schema);
  const meta = "pipe" in inner ? (v.getMetadata(inner as never) as Partial<Meta>) : {};
  return meta.mark ?? {};
}

export function descriptionOf(schema: v.GenericSchema): string {
  return v.getDescription(unwrap(schema) as never) ?? "";
}

/** `option`: a flag that may have a value (`--subscribe`, `--subscribe SPEC`). */
export type FieldType = "string" | "number" | "boolean" | "list" | "option";

/** How the command line parses the value: the type inside pipes, `optional` and `nullable`. */
export function typeOf(schema: v.GenericSchema): FieldType {
  const inner = unwrap(schema);
  if (inner.type === "number" || inner.type === "boolean") return inner.type;
  if (inner.type === "union") return "option";
  return inner.type === "array" ? "list" : "string";
}

export function isOptional(schema: v.GenericSchema): boolean {
  return schema.type === "optional" || schema.type === "exact_optional";
}

/** The words that a field accepts, or undefined when it accepts any. */
export function choicesOf(schema: v.GenericSchema): readonly string[] | undefined {
  const inner = unwrap(schema) as v.GenericSchema & { options?: readonly string[]; item?: v.GenericSchema };
  if (inner.type === "picklist") return inner.options;
  return inner.type === "array" && inner.item ? choicesOf(inner.item) : undefined;
}

function unwrap(schema: v.GenericSchema): v.GenericSchema {
  let inner = schema as v.GenericSchema & { wrapped?: v.GenericSchema };
  while (inner.wrapped) inner = inner.wrapped as typeof inner;
  return inner;
}
