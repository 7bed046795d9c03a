import * as v from "valibot";
import { pageOf } from "../../base/cursor.ts";
import { limits } from "../../base/limits.ts";
import { table } from "../../base/table.ts";
import { ago, cell, paint } from "../../base/text.ts";
import { requestObject } from "../../contract/request.ts";
import { count, cursorFlag, flag } from "../fields.ts";
import { leanRequest } from "../lean.ts";
import { op } from "../op.ts";
import { withMore } from "../views.ts";

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
    cursor: v.optional(cursorFlag()),
  }),
  output: v.object({
    requests: v.array(requestObject),
    truncated: v.boolean(),
    next_cursor: v.nullable(v.string()),
  }),
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
  run({ thread, all, limit, cursor = null }, { core, caller }) {
    const ref = thread === undefined ? null : core.resolve(thread, caller.thread_id, "reading");
    const { rows, ...page } = pageOf(
      `requests ${ref} ${all}`,
      { cursor, limit },
      (after, most) => core.requests({ ref, all, after, limit: most }),
      ({ asked_at, id }) => [Date.parse(asked_at), id],
    );
    return { requests: rows, ...page };
  },
  lean: ({ requests, next_cursor }) => ({ requests: requests.map(leanRequest), next_cursor }),
  view({ requests, next_cursor }, look) {
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
    return withMore(`${table(rows, look, { header, shrink: 5 })}\n${whole}`, next_cursor);
  },
});
