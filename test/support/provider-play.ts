import type { ModelBody } from "./provider.ts";
import { filledFrom, outputsIn, type Script, type Step, type Usage } from "./provider-script.ts";

/** Named doors that hold a stream until a test opens them. */
export interface Gates {
  pass(name: string, signal: AbortSignal): Promise<void>;
  release(name: string): void;
  reached(name: string): Promise<void>;
  releaseAll(): void;
}

export function gates(): Gates {
  const open = new Map<string, PromiseWithResolvers<void>>();
  const seen = new Map<string, PromiseWithResolvers<void>>();
  const door = (doors: typeof open, name: string) => {
    const known = doors.get(name) ?? Promise.withResolvers<void>();
    doors.set(name, known);
    return known;
  };
  return {
    async pass(name, signal) {
      door(seen, name).resolve();
      await Promise.race([door(open, name).promise, aborted(signal)]);
    },
    release: (name) => door(open, name).resolve(),
    reached: (name) => door(seen, name).promise,
    releaseAll() {
      for (const one of open.values()) one.resolve();
    },
  };
}

interface Play {
  script: Script;
  body: ModelBody;
  /** How many times this very request came, this one included. */
  attempt: number;
  doors: Gates;
  signal: AbortSignal;
}

export async function playback(play: Play): Promise<Response> {
  const first = play.script.steps[play.script.from];
  if (first !== undefined && "status" in first && !isOver(first, play.attempt)) {
    const body =
      typeof first.body === "string"
        ? first.body
        : JSON.stringify(first.body ?? { error: { message: "scripted" } });
    return new Response(body, {
      status: first.status,
      headers: { "content-type": "application/json", ...first.headers },
    });
  }
  if (
    first !== undefined &&
    "hang" in first &&
    first.hang === "before_headers" &&
    !isOver(first, play.attempt)
  ) {
    await aborted(play.signal);
    return new Response(null, { status: 504 });
  }
  const stream = new ReadableStream<Uint8Array>({
    async start(controller) {
      const send = (type: string, more: Record<string, unknown>) => {
        if (play.signal.aborted) return;
        controller.enqueue(encoder.encode(`event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`));
      };
      try {
        await perform(play, send);
      } finally {
        if (!play.signal.aborted) controller.close();
      }
    },
  });
  return new Response(stream, {
    headers: { "content-type": "text/event-stream", ...streamHeaders(play.script) },
  });
}

/** Of this model request: its steps end with the first tool call. */
function streamHeaders({ steps, from }: Script): Record<string, string> {
  for (const step of steps.slice(from)) {
    if ("status" in step || endsRequest(step)) break;
    if ("headers" in step) return step.headers;
  }
  return {};
}

const endsRequest = (step: Step) =>
  "shell" in step || "patch" in step || "tool" in step || "custom" in step || "search" in step;

const encoder = new TextEncoder();
type Send = (type: string, more: Record<string, unknown>) => void;

async function perform(play: Play, sendOn: Send): Promise<void> {
  const { script, signal } = play;
  const output: unknown[] = [];
  const send: Send = (type, more) => {
    if (type === "response.output_item.done") output.push(more["item"]);
    sendOn(type, more);
  };
  const id = `resp_${crypto.randomUUID()}`;
  let usage: Usage = { input: 1000, output: 20 };
  let index = 0;
  const item = (whole: Record<string, unknown>) => {
    send("response.output_item.added", { output_index: index, item: { ...whole, status: "in_progress" } });
    send("response.output_item.done", { output_index: index++, item: { ...whole, status: "completed" } });
  };
  send("response.created", { response: { id } });
  const left = script.steps.slice(script.from);
  // A script that ends with a tool call gets one word more, so that every turn has a last message.
  const steps = left.length === 0 ? [{ say: "done" }] : left;
  for (const [offset, step] of steps.entries()) {
    if (signal.aborted) return;
    if ("times" in step && isOver(step, play.attempt)) continue;
    if ("say" in step) await say(step, index++, send, signal);
    else if ("reason" in step) {
      item({
        type: "reasoning",
        id: `rs_${crypto.randomUUID()}`,
        summary: [{ type: "summary_text", text: step.reason }],
      });
    } else if ("wait" in step) await play.doors.pass(step.wait, signal);
    else if ("sleep" in step) await sleep(step.sleep, signal);
    else if ("usage" in step) usage = step.usage;
    else if ("hang" in step) return aborted(signal);
    else if ("drop" in step) return;
    else if ("fail" in step) {
      const error = { code: step.fail, message: step.message ?? `scripted ${step.fail}` };
      return send("response.failed", { response: { id, status: "failed", error } });
    } else if ("shell" in step || "patch" in step || "tool" in step || "custom" in step || "search" in step) {
      item(toolCall(step, play.body, script.from + offset));
      if (!("and" in step)) break;
    }
  }
  send("response.completed", {
    response: {
      id,
      output,
      usage: {
        input_tokens: usage.input,
        input_tokens_details: { cached_tokens: usage.cached ?? 0 },
        output_tokens: usage.output,
        output_tokens_details: { reasoning_tokens: usage.reasoning ?? 0 },
        total_tokens: usage.input + usage.output,
      },
    },
  });
}

async function say(
  step: Extract<Step, { say: string }>,
  index: number,
  send: Send,
  signal: AbortSignal,
): Promise<void> {
  const id = `msg_${crypto.randomUUID()}`;
  const text = step.say.repeat(step.repeat ?? 1);
  const whole = { type: "message", id, role: "assistant" };
  send("response.output_item.added", {
    output_index: index,
    item: { ...whole, status: "in_progress", content: [] },
  });
  const parts = Math.max(1, Math.min(step.deltas ?? text.split(" ").length, text.length));
  for (let part = 0; part < parts && !signal.aborted; part++) {
    const [from, to] = [part, part + 1].map((n) => Math.floor((n * text.length) / parts));
    send("response.output_text.delta", {
      item_id: id,
      output_index: index,
      content_index: 0,
      delta: text.slice(from, to),
    });
    if (step.delta_ms !== undefined) await sleep(step.delta_ms, signal);
  }
  const content = [{ type: "output_text", text, annotations: [] }];
  send("response.output_item.done", {
    output_index: index,
    item: { ...whole, status: "completed", content },
  });
}

/** The call's id carries the step's number: the next request says by it where the script goes on. */
function toolCall(
  step: Extract<
    Step,
    { shell: string } | { patch: string } | { tool: string } | { custom: string } | { search: string }
  >,
  body: ModelBody,
  at: number,
): Record<string, unknown> {
  const call_id = `call_${crypto.randomUUID().slice(0, 8)}_${at}`;
  const id = `fc_${crypto.randomUUID()}`;
  if ("patch" in step)
    return { type: "custom_tool_call", id, call_id, name: "apply_patch", input: step.patch };
  if ("custom" in step)
    return { type: "custom_tool_call", id, call_id, name: step.custom, input: step.input };
  if ("search" in step) {
    const { search: query, limit } = step;
    return { type: "tool_search_call", call_id, execution: "client", arguments: { query, limit } };
  }
  if ("tool" in step) {
    const named = step.namespace === undefined ? {} : { namespace: step.namespace };
    return {
      type: "function_call",
      id,
      call_id,
      name: step.tool,
      ...named,
      arguments: JSON.stringify(filledFrom(step.arguments ?? {}, outputsIn(body).join("\n"))),
    };
  }
  const tool = (body.tools ?? []).find(
    (one) => one.name === "exec_command" || one.name === "shell_command" || one.name === "shell",
  );
  const name = tool?.name ?? "exec_command";
  const command =
    name === "exec_command"
      ? { cmd: step.shell }
      : name === "shell"
        ? { command: ["bash", "-lc", step.shell] }
        : { command: step.shell };
  const outside =
    step.escalate === undefined
      ? {}
      : { sandbox_permissions: "require_escalated", justification: step.escalate };
  return { type: "function_call", id, call_id, name, arguments: JSON.stringify({ ...command, ...outside }) };
}

function isOver(step: Step, attempt: number): boolean {
  return "times" in step && step.times !== undefined && attempt > step.times;
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return Promise.race([Bun.sleep(ms), aborted(signal)]);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
