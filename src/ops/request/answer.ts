import * as v from "valibot";
import { flagOf } from "../../base/decisions.ts";
import { fail } from "../../base/error.ts";
import { jsonValue } from "../../base/jsonobject.ts";
import { requestView } from "../../contract/request.ts";
import { decisions } from "../../contract/words.ts";
import type { Answer } from "../../core/model/answer.ts";
import { arg, flag, text } from "../fields.ts";
import { op } from "../op.ts";
import { requestPairs } from "../requestpairs.ts";
import { callerName } from "../verdict.ts";

export default op({
  name: "request.answer",
  cli: "request answer",
  group: "request",
  task: "answer",
  summary: "Answer a question of Codex",
  about:
    "A question takes one answer; its options list the possible ones. With --deny the turn continues; --cancel of a command or a file change also interrupts the turn. Read a secret from a file or from standard input: --reply-file PATH, --reply -.",
  intent: "write",
  reach: "any",
  repeat: "no",
  input: v.strictObject({
    id: arg(v.pipe(v.string(), v.nonEmpty()), "the request", { value: "REQUEST", names: "request" }),
    approve: v.optional(flag(v.boolean(), "allow it"), false),
    approve_for_session: v.optional(flag(v.boolean(), "allow it, and the same again in this session"), false),
    deny: v.optional(flag(v.boolean(), "refuse it, or give no answer"), false),
    cancel: v.optional(flag(v.boolean(), "refuse it, and stop the turn or the form that asks"), false),
    answer: v.optional(
      text('answers by question or field: {"q1": "A"}, {"q1": ["A", "B"]}', { value: "JSON" }),
    ),
    reply: v.optional(text("the answer to the only question")),
  }),
  output: v.object(requestView),
  asksCodex: true,
  fails: ["conflict"],
  examples: [
    {
      given: "an open request",
      input: { id: "<request>", approve: true },
      output: { state: "answered", decision: "approve" },
    },
    {
      given: "an open question",
      input: { id: "<request>", reply: "B" },
      output: { state: "answered", decision: "answer" },
    },
    { given: "an open question", input: { id: "<request>", answer: '{"q2": "B"}' }, error: "usage" },
    { given: "an open question", input: { id: "<request>", approve: true }, error: "usage" },
    { given: "an open request", input: { id: "<request>" }, error: "usage" },
    { given: "an answered request", input: { id: "<request>", deny: true }, error: "conflict" },
    { given: "nothing", input: { id: "zzzzzz", approve: true }, error: "not_found" },
  ],
  run({ id, answer, reply, ...given }, { core, caller }) {
    const { options } = core.request(id);
    const answers: Answer[] = decisions.filter((word) => given[word]).map((decision) => ({ decision }));
    if (answer !== undefined) answers.push({ answer: parsed(answer) });
    if (reply !== undefined) answers.push({ reply });
    if (answers.length !== 1) {
      fail("usage", `give one of ${options.map(flagOf).join(", ")}`, {
        hint: `dispatch request get ${id}`,
      });
    }
    return core.answer(id, answers[0]!, callerName(caller), caller.thread_id);
  },
  forAgents: "Approve or deny a command of a worker",
  returns: "{id, state, decision}",
  lean: ({ id, state, decision }) => ({ id, state, decision }),
  view: (request, look) => requestPairs(request, look),
});

function parsed(json: string): unknown {
  // The error does not quote it: it may be a secret.
  const value = jsonValue(json);
  return value === undefined
    ? fail("usage", "--answer is not JSON", { hint: `--answer '{"q1": "A"}', or --reply TEXT` })
    : value;
}
