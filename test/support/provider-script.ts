import type { InputItem, ModelBody } from "./provider.ts";

/** One thing the model does. Steps run in order; `shell`, `patch`, `tool` and `custom` end their request. */
export type Step =
  /** Text in deltas, `repeat` times as long; `deltas` cuts it evenly, `delta_ms` waits between them. */
  | { say: string; repeat?: number; deltas?: number; delta_ms?: number }
  | { reason: string }
  /** A command; `escalate` asks to run it outside the sandbox and gives the reason. */
  | { shell: string; escalate?: string }
  /** The body of an apply_patch call, `*** Begin Patch` and all. */
  | { patch: string }
  /** `arguments` may refer to earlier outputs: see `filledFrom`. `and`: the next step is a call of the same model answer. */
  | { tool: string; arguments?: Record<string, unknown>; namespace?: string; and?: true }
  /** A tool that takes a text: `exec` of Codex's code mode takes JavaScript. */
  | { custom: string; input: string }
  /** Codex's search among the tools that it does not show. */
  | { search: string; limit?: number }
  /** Holds the stream until the test releases this name. */
  | { wait: string }
  | { sleep: number }
  /** An HTTP answer instead of a stream; with `times` only for the first so many tries. */
  | { status: number; body?: unknown; headers?: Record<string, string>; times?: number }
  | { hang: "before_headers" | "mid_stream"; times?: number }
  /** The stream ends without its end. */
  | { drop: true; times?: number }
  | { fail: string; message?: string; times?: number }
  /** What the answer of the model cost; `input` includes `cached`, `output` includes `reasoning`. */
  | { usage: Usage }
  /** Headers of the streamed answer, as those of the account's windows. */
  | { headers: Record<string, string> };

export interface Usage {
  input: number;
  output: number;
  cached?: number;
  reasoning?: number;
}

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
  const done = input.slice(at + 1).filter((item) => item.type?.endsWith("_output") === true);
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
  return scriptIn<Step>(text) ?? [{ say: `ok: ${text}` }];
}

/** The steps of a text that is a script, perhaps after the name of a skill: `$dispatch:dispatch [...]`. */
export function scriptIn<S>(text: string): S[] | undefined {
  const json = text.trim().replace(/^[$/][\w:-]+\s+(?=\[)/, "");
  if (!json.startsWith("[")) return undefined;
  try {
    return JSON.parse(json) as S[];
  } catch {
    return undefined;
  }
}

/**
 * The arguments of a call, in which `{"$match": "REGEX"}` is the first group of its last match in the outputs of the
 * calls before: a model reads an id there and gives it to the next call. Nothing matches: the pattern itself, which no
 * tool takes for an id.
 */
export function filledFrom(value: unknown, said: string): unknown {
  if (Array.isArray(value)) return value.map((one) => filledFrom(one, said));
  if (typeof value !== "object" || value === null) return value;
  const pattern = (value as Record<string, unknown>)["$match"];
  if (typeof pattern === "string") return [...said.matchAll(new RegExp(pattern, "g"))].at(-1)?.[1] ?? pattern;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, filledFrom(one, said)]));
}

/** The outputs of the tools called since the last user message, as text. */
export function outputsIn(body: ModelBody): string[] {
  const input = body.input ?? [];
  return input
    .slice(input.findLastIndex(isPerson) + 1)
    .filter((item) => item.type?.endsWith("_output") === true)
    .map(({ output, tools }) => (typeof output === "string" ? output : partsOf(output ?? tools)));
}

function partsOf(output: unknown): string {
  if (!Array.isArray(output)) return JSON.stringify(output);
  return output.map((part: { text?: string }) => part.text ?? JSON.stringify(part)).join("\n");
}
