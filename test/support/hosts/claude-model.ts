/**
 * The Messages API on loopback, so that the real Claude Code runs with no login and no network. As with the provider for
 * Codex, the user's text carries the script: a JSON list of steps. A step that calls tools ends its model request; the
 * request that brings the results goes on with the step after it. Any other text gets `ok: <text>`.
 */
import { type Gates, gates } from "../provider-play.ts";
import { filledFrom, scriptIn } from "../provider-script.ts";

interface ToolUse {
  tool: string;
  arguments?: Record<string, unknown>;
}

export type ClaudeStep =
  | { say: string }
  | ToolUse
  /** Calls in one message, which Claude Code may run at once. */
  | { tools: ToolUse[] }
  /** Holds the stream until the test releases this name. */
  | { wait: string };

interface Block {
  type: string;
  text?: string;
  tool_use_id?: string;
  content?: string | Block[];
  is_error?: boolean;
  /** Of a `tool_reference`, which a search for tools returns. */
  tool_name?: string;
}

interface Message {
  role: string;
  content: string | Block[];
}

export interface ClaudeRequest {
  messages: Message[];
  system?: unknown;
  tools?: { name: string; description?: string; input_schema?: unknown; defer_loading?: boolean }[];
  stream?: boolean;
  [key: string]: unknown;
}

export interface ClaudeModel {
  /** For `ANTHROPIC_BASE_URL`. */
  url: string;
  /** The body of every model request, oldest first. */
  requests: ClaudeRequest[];
  release: Gates["release"];
  reached: Gates["reached"];
  stop(): Promise<void>;
}

export interface ToolOutput {
  text: string;
  isError: boolean;
}

export function startClaudeModel(): ClaudeModel {
  const requests: ClaudeRequest[] = [];
  const doors = gates();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      if (request.method !== "POST" || new URL(request.url).pathname !== "/v1/messages")
        return Response.json(
          { type: "error", error: { type: "not_found_error", message: "not here" } },
          { status: 404 },
        );
      const body = (await request.json()) as ClaudeRequest;
      requests.push(body);
      const { content, waits } = nextOf(body);
      for (const name of waits) await doors.pass(name, request.signal);
      return body.stream === true ? streamed(content) : Response.json(whole(content));
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    requests,
    release: doors.release,
    reached: doors.reached,
    async stop() {
      doors.releaseAll();
      await server.stop(true);
    },
  };
}

/** The results of the tools that the model called since the script began, oldest first. */
export function outputsOf({ messages }: ClaudeRequest): ToolOutput[] {
  return messages
    .slice(scriptAt(messages) + 1)
    .flatMap(blocksOf)
    .filter(({ type }) => type === "tool_result")
    .map(({ content, is_error }) => ({ text: textIn(content), isError: is_error === true }));
}

type Content = { type: "text"; text: string } | { type: "tool_use"; id: string; name: string; input: object };

function nextOf(body: ClaudeRequest): { content: Content[]; waits: string[] } {
  const at = scriptAt(body.messages);
  const steps = stepsOf(body.messages[at]);
  const results = body.messages.slice(at + 1).flatMap(blocksOf);
  const last = results.findLast(({ type }) => type === "tool_result")?.tool_use_id;
  const from = last === undefined ? 0 : Number(/_(\d+)_\d+$/.exec(last)?.[1] ?? -1) + 1;
  const waits: string[] = [];
  const content: Content[] = [];
  const said = outputsOf(body)
    .map(({ text }) => text)
    .join("\n");
  for (const [offset, step] of steps.slice(from).entries()) {
    if ("wait" in step) waits.push(step.wait);
    else if ("say" in step) content.push({ type: "text", text: step.say });
    else {
      const uses = "tools" in step ? step.tools : [step];
      for (const [index, use] of uses.entries()) {
        const id = `toolu_${crypto.randomUUID().slice(0, 8)}_${from + offset}_${index}`;
        content.push({
          type: "tool_use",
          id,
          name: use.tool,
          input: filledFrom(use.arguments ?? {}, said) as object,
        });
      }
      break;
    }
  }
  // Claude Code takes an empty message for a failed one.
  return { content: content.length > 0 ? content : [{ type: "text", text: "done" }], waits };
}

/** The newest message of the user that is a script. What Claude Code adds are blocks or messages of their own. */
function scriptAt(messages: readonly Message[]): number {
  return messages.findLastIndex((message) => message.role === "user" && scriptOf(message) !== undefined);
}

function scriptOf(message: Message): ClaudeStep[] | undefined {
  for (const { type, text } of blocksOf(message)) {
    if (type !== "text" || text === undefined) continue;
    const args = /<command-args>([\s\S]*)<\/command-args>/.exec(text)?.[1] ?? text;
    const steps = scriptIn<ClaudeStep>(args);
    if (steps) return steps;
  }
  return undefined;
}

function stepsOf(message: Message | undefined): ClaudeStep[] {
  return (message && scriptOf(message)) ?? [{ say: "ok" }];
}

function blocksOf({ content }: Message): Block[] {
  return typeof content === "string" ? [{ type: "text", text: content }] : content;
}

function textIn(content: Block["content"]): string {
  if (typeof content === "string") return content;
  return (content ?? []).map(({ type, text, tool_name }) => text ?? `[${tool_name ?? type}]`).join("");
}

function whole(content: Content[]): object {
  const isTool = content.some(({ type }) => type === "tool_use");
  return {
    id: `msg_${crypto.randomUUID()}`,
    type: "message",
    role: "assistant",
    model: "mock",
    content,
    stop_reason: isTool ? "tool_use" : "end_turn",
    stop_sequence: null,
    usage: { input_tokens: 1000, output_tokens: 20 },
  };
}

function streamed(content: Content[]): Response {
  const events: string[] = [];
  const send = (type: string, more: object) =>
    events.push(`event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`);
  const { stop_reason, ...message } = whole(content) as { stop_reason: string };
  send("message_start", { message: { ...message, content: [], stop_reason: null } });
  for (const [index, block] of content.entries()) {
    const isText = block.type === "text";
    const start = isText ? { type: "text", text: "" } : { ...block, input: {} };
    send("content_block_start", { index, content_block: start });
    const delta = isText
      ? { type: "text_delta", text: block.text }
      : { type: "input_json_delta", partial_json: JSON.stringify(block.input) };
    send("content_block_delta", { index, delta });
    send("content_block_stop", { index });
  }
  send("message_delta", { delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 20 } });
  send("message_stop", {});
  return new Response(events.join(""), { headers: { "content-type": "text/event-stream" } });
}
