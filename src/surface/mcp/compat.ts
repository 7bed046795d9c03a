/**
 * The two tools of the `codex mcp-server` that Codex no longer has: `codex` starts a session and answers when its first
 * turn is over, `codex-reply` goes on with one. `dispatch mcp --codex-compat` offers them beside its own.
 */
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { newKey } from "../../base/random.ts";
import type { ThreadView } from "../../contract/thread.ts";
import type { Verdict } from "../../contract/words.ts";
import type { Caller } from "../../ops/protocol.ts";
import { codeOf, verdictWords } from "../../ops/verdict.ts";
import { callerHere } from "../caller.ts";
import type { Row } from "../wire.ts";
import { callingThread } from "./callingthread.ts";
import { errorResult, type ToolResult } from "./result.ts";
import { runOp, type Served, type ToolCall } from "./run.ts";

const string = (description: string) => ({ type: "string", description });
const annotations = {
  readOnlyHint: false,
  destructiveHint: false,
  idempotentHint: false,
  openWorldHint: false,
};
const outputSchema = {
  type: "object" as const,
  properties: { threadId: { type: "string" }, content: { type: "string" } },
};

export const compatListing = [
  {
    name: "codex",
    title: "codex",
    description: "Run a Codex session: send it a prompt, and return its answer with its thread id.",
    inputSchema: {
      type: "object" as const,
      properties: {
        prompt: string("the prompt of the first turn"),
        "approval-policy": string("untrusted, on-request or never"),
        sandbox: string("read-only, workspace-write or danger-full-access"),
        model: string("the model"),
        cwd: string("the directory of the session"),
        "base-instructions": string("instructions instead of the usual ones"),
        "developer-instructions": string("instructions with the role of a developer"),
        config: {
          type: "object",
          description: "settings of Codex's configuration",
          additionalProperties: true,
        },
      },
      required: ["prompt"],
    },
    outputSchema,
    annotations,
  },
  {
    name: "codex-reply",
    title: "codex-reply",
    description: "Go on with a Codex session by its thread id: send the next prompt, and return the answer.",
    inputSchema: {
      type: "object" as const,
      properties: {
        threadId: string("the thread id of the session"),
        conversationId: string("an older name of threadId"),
        prompt: string("the prompt of the next turn"),
      },
      required: ["prompt"],
    },
    outputSchema,
    annotations,
  },
];

export async function callCompat(
  served: Served,
  name: string,
  { args, meta, ...call }: Omit<ToolCall, "tool">,
): Promise<ToolResult> {
  const speller = { index: served.deps.index, isFlat: false };
  try {
    const listing = compatListing.find((tool) => tool.name === name)!;
    const known = Object.keys(listing.inputSchema.properties);
    const wrong = Object.keys(args).find((field) => !known.includes(field));
    if (wrong !== undefined)
      fail("usage", `${name} has no field ${JSON.stringify(wrong)}`, {
        hint: `its fields: ${known.join(", ")}`,
      });
    const caller: Caller = { ...callerHere("mcp"), thread_id: callingThread(meta) };
    const run = async (op: string, input: Row) => {
      const row = served.deps.index.find(({ name }) => name === op)!;
      return runOp({ served, call, row, op: (await row.load()).default, caller }, input);
    };
    return name === "codex" ? await begin(args, run) : await reply(args, run);
  } catch (thrown) {
    return errorResult(thrown, speller);
  }
}

type RunByName = (op: string, input: Row) => Promise<Row>;

/** The former server answered when the turn was over, however long it took. */
const timeout = limits.input.waitTimeoutMaxMs / 1000;

async function begin({ prompt, config, ...args }: Row, run: RunByName): Promise<ToolResult> {
  const settings = Object.entries((config ?? {}) as Row).map(
    ([key, value]) => `${key}=${JSON.stringify(value)}`,
  );
  const fields = Object.entries(args).map(([field, value]) => [field.replaceAll("-", "_"), value]);
  const { ref, receipt } = await run("thread.new", {
    name: `codex ${newKey().slice(0, 8)}`,
    text: prompt,
    ...(settings.length > 0 ? { config: settings } : {}),
    ...Object.fromEntries(fields),
  });
  const waited = await run("thread.wait", { threads: [receipt ?? ref], timeout });
  const { id, last_message } = await run("thread.get", { thread: ref });
  refuseUnlessOk(waited, String(ref), id);
  return answered(id, (last_message as { text?: string } | null)?.text);
}

async function reply({ threadId, conversationId, prompt }: Row, run: RunByName): Promise<ToolResult> {
  const thread = threadId ?? conversationId;
  if (thread === undefined) fail("usage", "missing threadId");
  const sent = await run("message.send", { thread, text: prompt, queue: true, wait: true, timeout });
  refuseUnlessOk(sent, String(sent["thread"]), thread);
  return answered(thread, sent["last_message"]);
}

/** An empty answer would read as a turn that said nothing. */
function refuseUnlessOk({ verdict, threads }: Row, ref: string, threadId: unknown): void {
  if (verdict === "ok") return;
  const thread = (threads as ThreadView[]).find((view) => view.ref === ref);
  const error = thread?.latest_turn?.error?.message;
  fail(codeOf(verdict as Exclude<Verdict, "ok">), error ?? verdictWords[verdict as Verdict], {
    hint: thread?.requests[0] ? `dispatch request get ${thread.requests[0].id}` : `dispatch get ${ref}`,
    data: { threadId },
  });
}

function answered(threadId: unknown, text: unknown): ToolResult {
  const content = typeof text === "string" ? text : "";
  return { content: [{ type: "text", text: content }], structuredContent: { threadId, content } };
}
