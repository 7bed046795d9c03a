/**
 * The words an op's input is written in. Every field is a flag (`--kebab-case`) unless it says otherwise here; the
 * marks travel as valibot metadata and the surfaces read them with `markOf`.
 */
import * as v from "valibot";
import { limits } from "../base/limits.ts";
import { isMoment } from "../base/moment.ts";
import { isBlank } from "../base/text.ts";

/** What a word names: an op that lists such words says so under `lists`; presets stand in files. */
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
  /** A positional, in the order of the schema's entries. A field of array type takes the rest of the line. */
  arg?: true;
  /** `--x TEXT`, `--x-file PATH`, and `-` for stdin. */
  text?: true;
  /** A path, made absolute in the client's directory. */
  path?: true;
  /** A moment, made ISO-8601 in the caller's zone by the client. A day alone: its first ms, or its last. */
  moment?: "first" | "last";
  /** The client makes one when none is given, so that its own retries are safe. */
  minted?: true;
  /** Another command as it is spelled, its flags and all. */
  spelling?: true;
  /** Not offered to MCP. */
  cli_only?: true;
  /** Of the value, or of each in a list; left out, `limits.input.wordBytesMax`. */
  bytes_max?: number;
  /** What stands for the value in help: `--limit N`. */
  value?: string;
  /** What the value names: the shell completes it with what there is. */
  names?: Named;
}

type Meta = { mark: Mark };

/** Whatever is text reaches Codex sooner or later, and it never answers a lone surrogate (measured). */
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

/** Every field has a maximum, also where its author thought of none. */
function bounded<T>(bytesMax: number) {
  const isShort = (value: unknown) =>
    // Code units are at most three bytes: only a long text is worth counting.
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

export function arg<S extends v.GenericSchema>(schema: S, description: string, mark: Mark = {}) {
  return marked(schema, description, { ...mark, arg: true });
}

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
  const place = v.pipe(
    v.string(),
    v.startsWith("/", "the path must be absolute"),
    v.check((path) => !path.includes("\0"), "no path holds a NUL"),
  );
  return marked(place, description, { value: "PATH", path: true, ...mark });
}

/** For a word of which Codex, or a person, must see something: Codex refuses some blanks only once the thread is made. */
export const seen = v.check((text: string) => !isBlank(text), "nothing of it can be seen");

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
export function threadFlag(description: string) {
  return flag(v.pipe(v.string(), v.minLength(1), v.maxLength(limits.input.titleCharsMax)), description, {
    value: "THREAD",
    names: "thread",
  });
}

export function count(description: string, most: number, mark: Mark = {}) {
  return marked(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(most)), description, {
    value: "N",
    ...mark,
  });
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

/** A day, a time, an age (`2h`, `3d`), `today`, `yesterday`; ISO-8601 with a zone on the wire. */
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
    "same key, same content: the same receipt; other content: conflict",
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

export type FieldType = "string" | "number" | "boolean" | "list";

/** What the command line must make of the word: the type below pipes, `optional` and `nullable`. */
export function typeOf(schema: v.GenericSchema): FieldType {
  const inner = unwrap(schema);
  if (inner.type === "number" || inner.type === "boolean") return inner.type;
  return inner.type === "array" ? "list" : "string";
}

export function isOptional(schema: v.GenericSchema): boolean {
  return schema.type === "optional" || schema.type === "exact_optional";
}

/** The words a field is limited to, or undefined. */
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
