/** What a tool call answers: the essential part of a result, short enough for an agent's context, or an error in words. */
import { DispatchError, errorLine, errorMessage } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { shortText } from "../../base/shorten.ts";
import { cell, toJsonLine } from "../../base/text.ts";
import type { AnyOp } from "../../ops/op.ts";
import type { Row } from "../wire.ts";
import { bounded } from "./bound.ts";
import { type Speller, spellForMcp } from "./hint.ts";

export interface ToolResult {
  [key: string]: unknown;
  content: { type: "text"; text: string }[];
  structuredContent?: Row;
  isError?: boolean;
  _meta?: Record<string, unknown>;
}

/** The whole result as data and as text, with one row of each list on one line: some hosts show no long lines. */
export function toolResult(result: Row, meta: Record<string, unknown> = {}): ToolResult {
  const { result: shown, isCut } = bounded(result);
  const _meta = { ...meta, ...(isCut ? { cut: true } : {}) };
  return {
    content: [{ type: "text", text: inRows(shown) }],
    structuredContent: shown,
    ...(Object.keys(_meta).length > 0 ? { _meta } : {}),
  };
}

function inRows(result: Row): string {
  const parts = Object.entries(result).map(([key, value]) => {
    const shown =
      Array.isArray(value) && value.length > 1
        ? `[\n${value.map((row) => toJsonLine(row)).join(",\n")}\n]`
        : toJsonLine(value);
    return `${JSON.stringify(key)}:${shown}`;
  });
  return `{${parts.join(",")}}`;
}

/** Without what is null or empty, at every depth. The only list of a result stays: that it is empty is the answer. */
export function withoutEmpty(row: Row): Row {
  const lists = Object.entries(row).filter(([, value]) => Array.isArray(value));
  return { ...(lists.length === 1 ? Object.fromEntries(lists) : {}), ...(kept(row) as Row | undefined) };
}

function kept(value: unknown): unknown {
  if (value === null || value === "") return undefined;
  if (typeof value !== "object") return value;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((item) => kept(item) ?? null);
  const entries = Object.entries(value as Row)
    .map(([key, inner]) => [key, kept(inner)] as const)
    .filter(([, inner]) => inner !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** The fields of results that hold a command to type. */
const commandFields = new Set(["release", "hint", "recovery", "resume", "next", "see"]);

/** The commands in a result, as calls of MCP. */
export async function withCalls(value: unknown, speller: Speller): Promise<unknown> {
  if (Array.isArray(value)) return Promise.all(value.map((item) => withCalls(item, speller)));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value as Row).map(async ([key, inner]) => [
    key,
    commandFields.has(key) && typeof inner === "string"
      ? await spellForMcp(inner, speller)
      : await withCalls(inner, speller),
  ]);
  return Object.fromEntries(await Promise.all(entries)) as Row;
}

export function asDispatchError(thrown: unknown): DispatchError {
  if (thrown instanceof DispatchError) return thrown;
  return new DispatchError("internal", `this is a bug in dispatch: ${errorMessage(thrown)}`, {
    cause: thrown,
  });
}

export interface ErrorWords {
  code: string;
  retry: string;
  message: string;
  hint: string | null;
  data: Row | null;
}

/** The error in the spelling of MCP: one clean line of what happened, and one of what to do next. */
export async function wordsOfError(error: DispatchError, speller: Speller, op?: AnyOp): Promise<ErrorWords> {
  const { code, message, hint, retry, data } = error.body;
  return {
    code,
    retry,
    message: oneLine(await spellForMcp(message, speller, op?.input.entries)),
    hint: hint === null ? null : oneLine(await spellForMcp(hint, speller, op?.input.entries)),
    data: data && bounded(data).result,
  };
}

export async function errorResult(thrown: unknown, speller: Speller, op?: AnyOp): Promise<ToolResult> {
  const error = asDispatchError(thrown);
  const { code, retry, message, hint, data } = await wordsOfError(error, speller, op);
  const first = errorLine({ code, retry, message });
  return {
    isError: true,
    content: [{ type: "text", text: hint === null ? first : `${first}\nhint: ${hint}` }],
    // Codex shows the model only this, also of an error (facts F75).
    structuredContent: withoutEmpty({ error: { code, retry, message, hint, data } }),
    _meta: { code, exit_code: error.exit, retry, ...(data === null ? {} : { data }) },
  };
}

/** An error may quote its input, which can be long or contain control characters. */
function oneLine(text: string): string {
  return cell(shortText(text, limits.mcp.textCharsMax));
}
