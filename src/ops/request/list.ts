import * as v from "valibot";
import { limits } from "../../base/limits.ts";
import { table } from "../../base/table.ts";
import { ago, cell, paint } from "../../base/text.ts";
import { requestObject } from "../../contract/request.ts";
import { count, flag } from "../fields.ts";
import { leanRequest } from "../lean.ts";
import { op } from "../op.ts";

export default op({
  name: "request.list",
  cli: "request list",
  group: "thread",
  task: "answer",
  summary: "List the questions of Codex",
  about: "Long texts are cut in this list, with a mark. `request get` shows a question completely.",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({
    thread: v.optional(flag(v.string(), "only of this thread", { value: "THREAD", names: "thread" })),
    all: v.optional(flag(v.boolean(), "answered and expired ones too"), false),
    limit: v.optional(count("at most this many", limits.input.pageMax), 100),
  }),
  output: v.object({ requests: v.array(requestObject) }),
  examples: [
    {
      given: "an open request",
      input: {},
      output: { requests: [{ kind: "command_approval", state: "open", command: "touch x" }] },
    },
    { given: "two threads", input: {}, output: { requests: [] } },
  ],
  lists: {
    request: {
      input: {},
      words: ({ requests }) => requests.map(({ id, summary }) => ({ word: id, about: summary })),
    },
  },
  run: ({ thread, all, limit }, { core, caller }) => ({
    requests: core.requests({
      ref: thread === undefined ? null : core.resolve(thread, caller.thread_id, "reading"),
      all,
      limit,
    }),
  }),
  lean: ({ requests }) => ({ requests: requests.map(leanRequest) }),
  view({ requests }, look) {
    if (requests.length === 0) return "no open questions";
    const rows = requests.map((request) => [
      request.id,
      request.thread,
      request.state === "open" ? paint("yellow", "open") : cell(request.decision ?? request.state),
      cell(request.kind),
      request.outside_sandbox ? paint("yellow", "outside") : "-",
      cell(request.summary),
      ago(request.asked_at, look),
    ]);
    const header = ["id", "thread", "state", "kind", "sandbox", "asks", "asked"];
    const whole = `${paint("dim", "the whole question:")} ${paint("bold", "dispatch request get ID")}`;
    return `${table(rows, look, { header, shrink: 5 })}\n${whole}`;
  },
});
