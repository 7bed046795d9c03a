/**
 * Checks the answers to a form of Codex or of an MCP server before they are sent: nothing checks them afterwards (facts
 * F46).
 */
import { fail } from "../../base/error.ts";
import type { Question } from "../model/ports/request.ts";

type Json = Record<string, unknown>;

/**
 * `{"q1": "A"}`, `{"q1": ["A", "B"]}` or Codex's own `{"answers": {"q1": {"answers": ["A"]}}}`. Every question needs
 * an answer, one of its options unless it accepts other text. Throws `usage`.
 */
export function answersTo(questions: readonly Question[], value: unknown): Record<string, string[]> {
  const given = entriesOf(value, questions);
  const ids = questions.map((question) => question.id);
  const stray = Object.keys(given).find((id) => !ids.includes(id));
  if (stray !== undefined) fail("usage", `no question ${JSON.stringify(stray)}: there is ${ids.join(", ")}`);
  return Object.fromEntries(
    questions.map((question) => [question.id, answerTo(question, own(given, question.id))]),
  );
}

export function onlyAnswer([question]: readonly Question[], text: string): Record<string, string[]> {
  return { [question!.id]: answerTo(question!, text) };
}

function entriesOf(value: unknown, questions: readonly Question[]): Json {
  const given = objectOf(value);
  const wrapped = given["answers"];
  return isObject(wrapped) && !questions.some(({ id }) => id === "answers") ? wrapped : given;
}

function answerTo({ id, options, is_other }: Question, value: unknown): string[] {
  const inner = isObject(value) ? value["answers"] : value;
  const words = typeof inner === "string" ? [inner] : inner;
  if (words === undefined) fail("usage", `no answer to ${id}`, { hint: `{"${id}": "..."}` });
  if (!Array.isArray(words) || !words.every((word) => typeof word === "string"))
    fail("usage", `the answer to ${id} must be a text or a list of texts`);
  const labels = options?.map((option) => option.label) ?? [];
  const isOdd = labels.length > 0 && !is_other && words.some((word) => !labels.includes(word));
  if (isOdd) fail("usage", `the answer to ${id} must be one of ${labels.join(", ")}`);
  return words;
}

/** The fields of an MCP form, which is a flat object of plain values. Undefined: it is no such form. */
export function fieldsOf(schema: Json): string[] | undefined {
  const { type, properties } = schema;
  return type === "object" && isObject(properties) ? Object.keys(properties) : undefined;
}

/** Throws `usage`, naming the field. */
export function contentFor(schema: Json, value: unknown): Json {
  const given = objectOf(value);
  const fields = schema["properties"] as Record<string, Json>;
  const required = Array.isArray(schema["required"]) ? schema["required"].map(String) : [];
  const stray = Object.keys(given).find((key) => !Object.hasOwn(fields, key));
  if (stray !== undefined)
    fail("usage", `no field ${JSON.stringify(stray)}: there is ${Object.keys(fields).join(", ")}`);
  const missing = required.find((key) => !Object.hasOwn(given, key));
  if (missing !== undefined) fail("usage", `no answer to ${missing}`, { hint: `{"${missing}": ...}` });
  for (const [key, field] of Object.entries(given)) {
    const wrong = problemOf(isObject(fields[key]) ? fields[key] : {}, field);
    if (wrong !== undefined) fail("usage", `${key} ${wrong}`);
  }
  return given;
}

/** The content of a form with one field, from a text that is converted to the field's type. */
export function onlyContent(schema: Json, text: string): Json {
  const [key] = fieldsOf(schema)!;
  const field = (schema["properties"] as Record<string, Json>)[key!];
  return contentFor(schema, { [key!]: converted(field?.["type"], text) });
}

function converted(type: unknown, text: string): unknown {
  if (type === "number" || type === "integer") return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  if (type === "boolean") return text === "true" ? true : text === "false" ? false : text;
  return type === "array" ? [text] : text;
}

const types: Record<string, (value: unknown) => boolean> = {
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === "boolean",
  array: (value) => Array.isArray(value) && value.every((item) => typeof item === "string"),
};

/**
 * Why a value does not fit, by the rules that MCP defines for forms. A rule that is not known here is left to the
 * server.
 */
function problemOf(field: Json, value: unknown): string | undefined {
  const type = String(field["type"]);
  if (Object.hasOwn(types, type) && !types[type]!(value))
    return `must be a ${type === "array" ? "list of texts" : type}`;
  const choices = choicesOf(field) ?? choicesOf(isObject(field["items"]) ? field["items"] : {});
  if (choices && [value].flat().some((item) => !choices.includes(item)))
    return `must be one of ${choices.join(", ")}`;
  const size = typeof value === "string" || Array.isArray(value) ? value.length : Number(value);
  const [least, most] = [numberIn(field, lows), numberIn(field, highs)];
  if (least !== undefined && size < least) return `must be at least ${least}${unitOf(value)}`;
  if (most !== undefined && size > most) return `must be at most ${most}${unitOf(value)}`;
  return undefined;
}

const lows = ["minimum", "minLength", "minItems"];
const highs = ["maximum", "maxLength", "maxItems"];

function numberIn(field: Json, names: readonly string[]): number | undefined {
  const found = names.map((name) => field[name]).find((value) => typeof value === "number");
  return found as number | undefined;
}

function unitOf(value: unknown): string {
  return typeof value === "string" ? " characters" : Array.isArray(value) ? " of them" : "";
}

function choicesOf(field: Json): unknown[] | undefined {
  const titled = field["oneOf"] ?? field["anyOf"];
  if (Array.isArray(field["enum"])) return field["enum"];
  return Array.isArray(titled)
    ? titled.map((item) => (isObject(item) ? item["const"] : undefined))
    : undefined;
}

function own(row: Json, key: string): unknown {
  return Object.hasOwn(row, key) ? row[key] : undefined;
}

function objectOf(value: unknown): Json {
  return isObject(value)
    ? value
    : fail("usage", "the answer must be a JSON object", { hint: '--answer \'{"id": "..."}\'' });
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
