/**
 * The Gemini API on loopback, so that the real Gemini CLI runs with no login and no network. As with the other models, the
 * user's text carries the script: a JSON list of steps. A step that calls a tool ends its model request; the request that
 * brings the result goes on with the step after it.
 */
import { filledFrom, scriptIn } from "../provider-script.ts";

export type GeminiStep = { say: string } | { tool: string; arguments?: Record<string, unknown> };

interface Part {
  text?: string;
  functionResponse?: { name: string; response: Record<string, unknown> };
}

interface Content {
  role?: string;
  parts?: Part[];
}

export interface GeminiRequest {
  contents: Content[];
  systemInstruction?: unknown;
  tools?: {
    functionDeclarations?: { name: string; description?: string; parametersJsonSchema?: unknown }[];
  }[];
}

export interface GeminiModel {
  /** For `GOOGLE_GEMINI_BASE_URL`. */
  url: string;
  /** The body of every model request, oldest first. */
  requests: GeminiRequest[];
  stop(): Promise<void>;
}

export function startGeminiModel(): GeminiModel {
  const requests: GeminiRequest[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname.endsWith(":countTokens")) return Response.json({ totalTokens: 1000 });
      if (!/:(stream)?[gG]enerateContent$/.test(pathname)) return new Response("not here", { status: 404 });
      const body = (await request.json()) as GeminiRequest;
      requests.push(body);
      const answer = JSON.stringify(answerTo(body));
      return pathname.includes(":stream")
        ? new Response(`data: ${answer}\n\n`, { headers: { "content-type": "text/event-stream" } })
        : new Response(answer, { headers: { "content-type": "application/json" } });
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, requests, stop: () => server.stop(true) };
}

/** The results of the tools that the model called since the script began, oldest first, as the model reads them. */
export function outputsOf(body: GeminiRequest): string[] {
  return body.contents
    .slice(scriptAt(body) + 1)
    .flatMap(({ parts = [] }) => parts)
    .flatMap(({ functionResponse }) => (functionResponse ? [textIn(functionResponse.response)] : []));
}

/** Every text of the response, as it is. */
function textIn(response: Record<string, unknown>): string {
  return Object.values(response)
    .map((value) => (typeof value === "string" ? value : JSON.stringify(value)))
    .join("\n");
}

function answerTo(body: GeminiRequest): object {
  const at = scriptAt(body);
  const steps = (at === -1 ? undefined : scriptOf(body.contents[at]!)) ?? [{ say: "ok" }];
  const outputs = outputsOf(body);
  const calls = steps.map((step, index) => ("tool" in step ? index : -1)).filter((index) => index >= 0);
  const from = outputs.length === 0 ? 0 : (calls[outputs.length - 1] ?? steps.length) + 1;
  const parts: object[] = [];
  for (const step of steps.slice(from)) {
    if ("say" in step) parts.push({ text: step.say });
    else {
      const args = filledFrom(step.arguments ?? {}, outputs.join("\n"));
      parts.push({ functionCall: { name: step.tool, args } });
      break;
    }
  }
  return {
    candidates: [
      {
        content: { role: "model", parts: parts.length > 0 ? parts : [{ text: "done" }] },
        finishReason: "STOP",
        index: 0,
      },
    ],
    usageMetadata: { promptTokenCount: 1000, candidatesTokenCount: 20, totalTokenCount: 1020 },
  };
}

function scriptAt({ contents }: GeminiRequest): number {
  return contents.findLastIndex((content) => content.role === "user" && scriptOf(content) !== undefined);
}

function scriptOf({ parts = [] }: Content): GeminiStep[] | undefined {
  for (const { text } of parts) {
    const steps = text === undefined ? undefined : scriptIn<GeminiStep>(text);
    if (steps) return steps;
  }
  return undefined;
}
