import type { InputItem, ModelBody } from "./provider.ts";

/** One thing the model does. Steps run in order; `shell`, `patch` and `tool` end their model request. */
export type Step =
  /** Text in deltas, `repeat` times as long; `deltas` cuts it evenly, `delta_ms` waits between them. */
  | { say: string; repeat?: number; deltas?: number; delta_ms?: number }
  | { reason: string }
  /** A command; `escalate` asks to run it outside the sandbox and gives the reason. */
  | { shell: string; escalate?: string }
  /** The body of an apply_patch call, `*** Begin Patch` and all. */
  | { patch: string }
  /** `and`: the next step is a call of the same model answer. */
  | { tool: string; arguments?: Record<string, unknown>; namespace?: string; and?: true }
  /** Holds the stream until the test releases this name. */
  | { wait: string }
  | { sleep: number }
  /** An HTTP answer instead of a stream; with `times` only for the first so many tries. */
  | { status: number; body?: unknown; headers?: Record<string, string>; times?: number }
  | { hang: "before_headers" | "mid_stream"; times?: number }
  /** The stream ends without its end. */
  | { drop: true; times?: number }
  | { fail: string; message?: string; times?: number }
  | { usage: { input: number; output: number } };

export interface Script {
  steps: Step[];
  /** The first step of this model request. */
  from: number;
  /** Names this place in this conversation: a retried request has the same one. */
  key: string;
}

/** Where the conversation stands: the script of the last user message, after the tool call answered last. */
export function resumePoint(body: ModelBody): Script {
  const input = body.input ?? [];
  const at = input.findLastIndex(isPerson);
  const text = at === -1 ? "" : textOfItem(input[at]!);
  const done = input.slice(at + 1).filter((item) => item.type?.endsWith("_call_output") === true);
  const from = Math.max(0, ...done.map((item) => Number(/_(\d+)$/.exec(item.call_id ?? "")?.[1] ?? -1) + 1));
  return { steps: stepsOf(text), from, key: `${body.prompt_cache_key ?? ""}:${at}:${from}` };
}

export const stringify = (steps: Step[]): string => JSON.stringify(steps);

/** Codex adds user messages of its own (`<environment_context>`, `<turn_aborted>`, instructions). */
function isPerson(item: InputItem): boolean {
  if (item.type !== "message" || item.role !== "user") return false;
  const text = textOfItem(item);
  return text !== "" && !text.startsWith("<") && !text.startsWith("# AGENTS.md");
}

function textOfItem(item: InputItem): string {
  return (item.content ?? []).map((part) => part.text ?? "").join("");
}

function stepsOf(text: string): Step[] {
  const trimmed = text.trim();
  if (!trimmed.startsWith("[")) return [{ say: `ok: ${text}` }];
  try {
    return JSON.parse(trimmed) as Step[];
  } catch {
    return [{ say: `ok: ${text}` }];
  }
}
