/** Puts open questions to the person at the host, by the elicitation of MCP. The answer is recorded as the person's. */
import { limits } from "../../base/limits.ts";
import { block } from "../../base/text.ts";
import type { RequestView } from "../../contract/request.ts";
import type { ThreadView } from "../../contract/thread.ts";
import { decisions } from "../../contract/words.ts";
import type { Row } from "../wire.ts";
import type { Run } from "./run.ts";

interface Form {
  message: string;
  schema: Row;
  /** The fields of `request answer` for what the person gave. */
  answer(content: Row): Row;
}

/**
 * Runs the wait, asks the person what its threads ask, and waits again. It ends when nothing is left to ask, or when the
 * person gives no answer: then the question stays open, and is in the result.
 */
export async function withPerson(run: Run, wait: () => Promise<Row>): Promise<Row> {
  const { askPerson } = run.served;
  let result = await wait();
  if (!askPerson) return result;
  for (let asked = 0; asked < limits.mcp.personAsksMax; asked++) {
    const [ask] = result["asks"] as RequestView[];
    if (ask === undefined) return result;
    // The list cuts long texts, and a person decides on the whole.
    const request = (await call(run, "request.get", { id: ask.id })) as unknown as RequestView;
    const form = formFor(request, titleOf(result, ask.thread));
    const content = form && (await askPerson(form.message, form.schema, run.call.signal));
    if (!form || !content) return result;
    await call(run, "request.answer", { id: ask.id, ...form.answer(content) });
    result = await wait();
  }
  return result;
}

/** As the person: the daemon still looks at what the kernel says about this process. */
function call({ served, call: { signal }, caller }: Run, name: string, input: Row): Promise<Row> {
  const row = served.deps.index.find((one) => one.name === name)!;
  const person = { ...caller, kind: "person" } as const;
  return served.session.call(row, input, { caller: person, repeat: "no", signal });
}

function titleOf(result: Row, ref: string): string {
  const thread = (result["threads"] as ThreadView[]).find((one) => one.ref === ref);
  return thread ? `${thread.title} (${ref})` : ref;
}

/** Undefined: the host cannot show it whole, or it asks for a secret. */
function formFor(request: RequestView, thread: string): Form | undefined {
  const { options, questions, form, truncated } = request;
  const message = block(`${thread}: ${textOf(request)}`);
  if (truncated) return undefined;
  if (form?.schema && options.includes("answer"))
    return { message, schema: form.schema, answer: (content) => ({ answer: JSON.stringify(content) }) };
  if (questions !== null && options.includes("answer")) {
    if (questions.some(({ is_secret }) => is_secret)) return undefined;
    const fields = questions.map(({ id, question, options: choices, is_other }) => [
      id,
      {
        type: "string",
        title: question,
        ...(choices && !is_other ? { enum: choices.map(({ label }) => label) } : {}),
      },
    ]);
    return {
      message,
      schema: objectOf(Object.fromEntries(fields) as Row),
      answer: (content) => ({ answer: JSON.stringify(content) }),
    };
  }
  const offered = decisions.filter((word) => options.includes(word));
  if (offered.length === 0) return undefined;
  return {
    message,
    schema: objectOf({ decision: { type: "string", title: "Decision", enum: offered } }),
    answer: ({ decision }) => ({ [String(decision)]: true }),
  };
}

const objectOf = (properties: Row): Row => ({
  type: "object",
  properties,
  required: Object.keys(properties),
});

function textOf({
  summary,
  command,
  cwd,
  outside_sandbox,
  reason,
  changes,
  tool,
  form,
}: RequestView): string {
  return [
    command === null ? summary : `wants to run\n${command}`,
    ...(cwd === null ? [] : [`in ${cwd}`]),
    ...(outside_sandbox ? ["It may run outside the sandbox."] : []),
    ...(reason === null ? [] : [`Reason: ${reason}`]),
    ...(changes ?? []).map(({ path, kind, diff }) => `${kind} ${path}\n${diff}`),
    ...(tool === null ? [] : [`with ${JSON.stringify(tool.arguments)}`]),
    ...(form === null ? [] : [form.message]),
  ].join("\n");
}
