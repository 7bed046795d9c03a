/** What a host can read without a tool: the threads, one thread, the open questions. */
import { ErrorCode, McpError } from "@modelcontextprotocol/sdk/types.js";
import { DispatchError } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { shortText } from "../../base/shorten.ts";
import { cell } from "../../base/text.ts";
import type { ThreadSummary } from "../../contract/thread.ts";
import { callerHere } from "../caller.ts";
import type { Row } from "../wire.ts";
import { asDispatchError, withoutEmpty } from "./result.ts";
import type { Served } from "./run.ts";

const json = "application/json";

export const resourceTemplates = [
  {
    uriTemplate: "dispatch://threads/{ref}",
    name: "thread",
    description: "One thread: its status, its last message and what it asks",
    mimeType: json,
  },
];

const lists = [
  {
    uri: "dispatch://threads",
    name: "threads",
    description: "The threads that dispatch manages",
    mimeType: json,
  },
  { uri: "dispatch://requests", name: "requests", description: "The open questions", mimeType: json },
];

/** The lists are on the first page. */
export async function listResources(served: Served, cursor: string | undefined, signal: AbortSignal) {
  const input = { limit: limits.mcp.threads, ...(cursor === undefined ? {} : { cursor }) };
  const { threads, next_cursor } = await read(served, "thread.list", input, signal);
  const resources = [
    ...(cursor === undefined ? lists : []),
    ...(threads as ThreadSummary[]).map(({ ref, title, status }) => ({
      uri: `dispatch://threads/${ref}`,
      name: title,
      description: status,
      mimeType: json,
    })),
  ];
  return { resources, ...(typeof next_cursor === "string" ? { nextCursor: next_cursor } : {}) };
}

/** Throws `not_found` for an address that is none of these. */
export async function readResource(served: Served, uri: string, signal: AbortSignal) {
  const ref = /^dispatch:\/\/threads\/([^/]+)$/.exec(uri)?.[1];
  const [op, input] =
    uri === "dispatch://threads"
      ? ["thread.list", {}]
      : uri === "dispatch://requests"
        ? ["request.list", {}]
        : ref !== undefined
          ? ["thread.get", { thread: decoded(ref) }]
          : protocolError(
              new DispatchError("not_found", `there is no resource ${uri}`, { hint: "dispatch://threads" }),
            );
  const result = await read(served, op as string, input as Row, signal);
  return { uri, mimeType: json, text: JSON.stringify(withoutEmpty(result), null, 1) };
}

function decoded(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return protocolError(new DispatchError("not_found", `"${word}" is not a well-formed part of an address`));
  }
}

async function read({ deps, session }: Served, name: string, input: Row, signal: AbortSignal): Promise<Row> {
  const row = deps.index.find((one) => one.name === name)!;
  return session.call(row, input, { caller: callerHere("mcp"), repeat: "safe", signal }).catch(protocolError);
}

/** A resource has no result that could say an error. -32002: not found. */
function protocolError(thrown: unknown): never {
  const { code, message, hint } = asDispatchError(thrown);
  throw new McpError(
    code === "not_found" ? -32002 : code === "usage" ? ErrorCode.InvalidParams : ErrorCode.InternalError,
    cell(shortText(hint === null ? message : `${message}; ${hint}`, limits.mcp.textCharsMax)),
    { code },
  );
}
