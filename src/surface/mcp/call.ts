/** Runs one tool call. Returns a result or an error in MCP's form, and never throws. */
import { unknownAgent } from "../../base/agentid.ts";
import { DispatchError, errorMessage, fail } from "../../base/error.ts";
import { unknownField } from "../../base/issue.ts";
import { jsonObject } from "../../base/jsonobject.ts";
import { limits } from "../../base/limits.ts";
import { nearest } from "../../base/nearest.ts";
import type { Paths } from "../../base/paths.ts";
import { cell, toJsonLine } from "../../base/text.ts";
import type { AnyOp, IndexRow } from "../../ops/op.ts";
import type { Caller } from "../../ops/protocol.ts";
import { callerHere } from "../caller.ts";
import type { Row } from "../client.ts";
import type { SurfaceDeps } from "../deps.ts";
import { checkedInput, type Input, mayBeLeftOut } from "../input.ts";
import type { Session } from "../session.ts";
import { bounded, shortText } from "./bound.ts";
import { offeredFields, type Tool } from "./tools.ts";

export interface ToolResult {
  [key: string]: unknown;
  content: { type: "text"; text: string }[];
  structuredContent?: Row;
  isError?: boolean;
  _meta?: Record<string, unknown>;
}

export interface Served {
  deps: SurfaceDeps;
  paths: Paths;
  session: Session;
}

export interface ToolCall {
  tool: Tool;
  args: Record<string, unknown>;
  meta: Record<string, unknown> | undefined;
  signal: AbortSignal;
  progress(row: Row): void;
}

export async function callTool(served: Served, call: ToolCall): Promise<ToolResult> {
  try {
    const { word, row, given } = chosen(call);
    const op = (await row.load()).default;
    const result = await run(served, call, row, op, offered(op, given, call.tool, word));
    return answer(op, word, result);
  } catch (thrown) {
    return refusal(thrown);
  }
}

function chosen({ tool, args }: ToolCall): { word: string; row: IndexRow; given: Input } {
  if (tool.isFlat) {
    const [word, row] = [...tool.rows][0]!;
    return { word, row, given: args };
  }
  const { op, ...given } = args;
  const word = String(op ?? "");
  const row = tool.rows.get(word);
  if (row) return { word, row, given };
  const right = nearest(word, tool.rows.keys());
  return fail("usage", word === "" ? `missing op of ${tool.name}` : `${tool.name} has no op "${word}"`, {
    hint: right ? `op: ${right}` : `op is one of: ${[...tool.rows.keys()].join(", ")}`,
  });
}

/** Checks the field names, and drops the `null`s that models write for fields they leave out. */
function offered(op: AnyOp, given: Input, tool: Tool, word: string): Input {
  const fields = offeredFields(op);
  const wrong = Object.keys(given).find((name) => !fields.includes(name));
  if (wrong !== undefined) {
    return fail("usage", unknownField(wrong, fields), {
      hint: `the fields of ${tool.isFlat ? tool.name : word}: ${fields.join(", ") || "none"}`,
    });
  }
  const isLeftOut = (name: string) => given[name] === null && mayBeLeftOut(op.input.entries[name] as never);
  return Object.fromEntries(Object.entries(given).filter(([name]) => !isLeftOut(name)));
}

async function run(served: Served, call: ToolCall, row: IndexRow, op: AnyOp, given: Input): Promise<Row> {
  const { deps, paths, session } = served;
  const { signal } = call;
  const caller: Caller = { ...callerHere("mcp"), thread_id: threadIn(call.meta) };
  const { input, parsed } = checkedInput(op, given, (field) => field, caller.cwd);
  if (op.at === "client") {
    const { clientCtx } = await import("../clientcontext.ts");
    // The host asks its user before it runs a destructive tool, so this does not ask again.
    return op.run(
      parsed,
      clientCtx({ deps, paths, session, caller, signal, confirm: () => Promise.resolve(true) }),
    );
  }
  if (op.streams?.(parsed))
    return fail("usage", `over MCP ${row.cli} cannot follow without an end`, {
      hint: "give a timeout and a cursor instead",
    });
  return session.call(row, input, { caller, repeat: op.repeat, signal, row: call.progress });
}

/**
 * The Codex thread that makes the call. Codex names it in two places of `_meta`; the environment of this process names
 * only the thread that started the server. Turn metadata without a thread id still comes from an agent.
 */
function threadIn(meta: Record<string, unknown> | undefined): string | null {
  const about = meta?.["x-codex-turn-metadata"];
  const turn = jsonObject(typeof about === "string" ? about : JSON.stringify(about ?? {}));
  const claims = [meta?.["threadId"], turn?.["thread_id"]].filter((claim) => (claim ?? "") !== "");
  const threads = new Set(claims);
  // If an unreadable claim counted as a person, an agent could avoid the limits for agents.
  if (turn === undefined || claims.some((claim) => typeof claim !== "string") || threads.size > 1)
    return fail("usage", "the thread id in the _meta of the call is not valid", {
      hint: "threadId must be a string, and _meta may name only one thread",
    });
  const [thread] = threads as Set<string>;
  const isFromCodex = about !== undefined || meta?.["threadId"] !== undefined;
  return thread ?? (isFromCodex ? unknownAgent : null);
}

function answer(op: AnyOp, word: string, whole: Row): ToolResult {
  const { result, bytes, isCut } = bounded(whole);
  // A write has happened already, so only a read may fail because of its size.
  if (op.intent === "read" && bytes > limits.mcp.resultBytesMax)
    fail("too_large", `the result has ${bytes} bytes; the limit is ${limits.mcp.resultBytesMax}`, {
      hint: waysToLess(op, whole),
    });
  const out = { op: word, result };
  const status = op.exit?.(whole) ?? 0;
  return {
    content: [{ type: "text", text: toJsonLine(out) }],
    structuredContent: out,
    ...(status !== 0 || isCut
      ? { _meta: { ...(status === 0 ? {} : { exit_code: status }), ...(isCut ? { cut: true } : {}) } }
      : {}),
  };
}

function waysToLess(op: AnyOp, whole: Row): string {
  const fields = offeredFields(op);
  const ways = [
    ...(fields.includes("threads") ? ["fewer threads"] : []),
    ...(fields.includes("limit") ? ["a smaller limit"] : []),
    ...(typeof whole["next_cursor"] === "string" ? ["then next_cursor"] : []),
  ];
  return ways.length > 0 ? `request less: ${ways.join(", ")}` : `dispatch ${op.cli} shows it in a shell`;
}

function refusal(thrown: unknown): ToolResult {
  const error =
    thrown instanceof DispatchError
      ? thrown
      : new DispatchError("internal", `this is a bug in dispatch: ${errorMessage(thrown)}`, {
          cause: thrown,
        });
  const { code, message, hint, retry, data } = error.body;
  const text = hint === null ? oneLine(message) : `${oneLine(message)}\nhint: ${oneLine(hint)}`;
  return {
    isError: true,
    content: [{ type: "text", text }],
    _meta: { code, exit_code: error.exit, retry, ...(data === null ? {} : { data: bounded(data).result }) },
  };
}

/** An error may quote its input, which can be long or contain control characters. */
function oneLine(text: string): string {
  return cell(shortText(text));
}
