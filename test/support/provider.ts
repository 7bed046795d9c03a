/**
 * A model provider on loopback that speaks the Responses API, so that the real Codex runs with no login and no
 * network. The user's text carries the script, as a JSON list of steps: a test reads as a story. Any other text
 * gets `ok: <text>`. A step that calls a tool ends its model request; the request that brings the tool's output
 * goes on with the step after it.
 */

import { type Gates, gates, playback } from "./provider-play.ts";
import { resumePoint, type Script } from "./provider-script.ts";

export interface ModelRequest {
  at: number;
  path: string;
  headers: Record<string, string>;
  /** The request's JSON: `model`, `instructions`, `input`, `tools`, `reasoning`, ... */
  body: ModelBody;
}

export interface ModelBody {
  model?: string;
  instructions?: string;
  input?: InputItem[];
  tools?: { type?: string; name?: string; parameters?: { properties?: Record<string, unknown> } }[];
  reasoning?: { effort?: string; summary?: string } | null;
  service_tier?: string;
  prompt_cache_key?: string;
  [key: string]: unknown;
}

export interface InputItem {
  type?: string;
  role?: string;
  id?: string;
  call_id?: string;
  content?: { type?: string; text?: string }[];
  output?: unknown;
  [key: string]: unknown;
}

export interface Provider {
  /** `http://127.0.0.1:PORT/v1`, for `base_url`. */
  url: string;
  /** Every model request, oldest first. */
  requests: ModelRequest[];
  /** Lets every `{"wait": name}` of this name go on, those to come too. */
  release(name: string): void;
  /** Resolves when a request has reached `{"wait": name}`. */
  reached(name: string): Promise<void>;
  stop(): Promise<void>;
}

export function startProvider(options: { requestsKept?: number } = {}): Provider {
  const requests: ModelRequest[] = [];
  const kept = options.requestsKept ?? 1000;
  const doors: Gates = gates();
  const attempts = new Map<string, number>();

  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const path = new URL(request.url).pathname;
      if (request.method !== "POST" || !path.endsWith("/responses"))
        return new Response("not here", { status: 404 });
      const body = (await request.json()) as ModelBody;
      requests.push({ at: Date.now(), path, headers: Object.fromEntries(request.headers), body });
      if (requests.length > kept) requests.shift();
      const script: Script = resumePoint(body);
      const attempt = (attempts.get(script.key) ?? 0) + 1;
      attempts.set(script.key, attempt);
      return playback({ script, body, attempt, doors, signal: request.signal });
    },
  });

  return {
    url: `http://127.0.0.1:${server.port}/v1`,
    requests,
    release: doors.release,
    reached: doors.reached,
    async stop() {
      doors.releaseAll();
      await server.stop(true);
    },
  };
}
