import * as v from "valibot";
import { fail } from "../../base/error.ts";
import { arg, flag } from "../fields.ts";
import { op } from "../op.ts";
import { requestView } from "../shapes.ts";
import { callerName } from "../verdict.ts";
import { requestPairs } from "../views.ts";

const choices = ["approve", "approve_for_session", "deny", "cancel"] as const;

export default op({
  name: "request.answer",
  cli: "request answer",
  group: "request",
  summary: "Answer a question of Codex's, once",
  about: "--deny declines and lets the turn go on; --cancel declines and interrupts the turn.",
  intent: "write",
  repeat: "no",
  input: v.strictObject({
    id: arg(v.pipe(v.string(), v.nonEmpty()), "the request", { value: "REQUEST", names: "request" }),
    approve: v.optional(flag(v.boolean(), "let it"), false),
    approve_for_session: v.optional(flag(v.boolean(), "let it, and the same again in this session"), false),
    deny: v.optional(flag(v.boolean(), "do not let it; the turn goes on"), false),
    cancel: v.optional(flag(v.boolean(), "do not let it, and interrupt the turn"), false),
  }),
  output: v.object(requestView),
  fails: ["usage", "not_found", "conflict", "agent_down", "daemon_down", "denied", "storage"],
  examples: [
    {
      given: "an open request",
      input: { id: "<request>", approve: true },
      output: { state: "answered", decision: "approve" },
    },
    { given: "an open request", input: { id: "<request>" }, error: "usage" },
    { given: "an answered request", input: { id: "<request>", deny: true }, error: "conflict" },
    { given: "nothing", input: { id: "zzzzzz", approve: true }, error: "not_found" },
  ],
  run({ id, ...given }, { core, caller }) {
    const chosen = choices.filter((choice) => given[choice]);
    if (chosen.length !== 1) {
      fail("usage", "say one of --approve, --approve-for-session, --deny, --cancel", {
        hint: `dispatch request answer ${id} --approve`,
      });
    }
    const { thread } = core.request(id);
    // A guard rail: an agent answers for the threads it created, so never for itself and never for its equals.
    if (caller.thread_id !== null && core.view(core.resolve(thread, null)).created_by !== caller.thread_id) {
      fail("denied", "an agent answers only what threads ask that it created", {
        hint: `a person, or the agent that created ${thread}: dispatch request answer ${id} --approve`,
      });
    }
    return core.answer(id, chosen[0]!, callerName(caller));
  },
  view: (request, look) => requestPairs(request, look),
});
