import * as v from "valibot";
import { limits } from "../../base/limits.ts";
import { table } from "../../base/table.ts";
import { ago, cell, paint } from "../../base/text.ts";
import { requestStates, rulings } from "../../contract/words.ts";
import { count, cursorFlag, flag, moment, path } from "../fields.ts";
import { op } from "../op.ts";
import { withMore } from "../views.ts";

export default op({
  name: "request.replay",
  cli: "request replay",
  group: "thread",
  task: "answer",
  summary: "Show how a set of rules would have answered past questions",
  about:
    "Changes nothing. The file has [policy] requests and [[policy.rules]], like config.toml; without a file it uses the current rules. `against` counts the questions that the rules would approve and that were denied, or the other way round. Rules match a thread by its current handle. outside_sandbox: an approval allowed something that could happen outside the sandbox; it is also true for questions where this was not recorded.",
  intent: "read",
  repeat: "safe",
  rare: ["rules"],
  input: v.strictObject({
    rules: v.optional(path("a file with the rules to try", { value: "FILE" })),
    since: v.optional(moment("from this time on", "first")),
    thread: v.optional(flag(v.string(), "only of this thread", { value: "THREAD" })),
    limit: v.optional(count("at most this many", limits.input.pageMax), 50),
    cursor: v.optional(cursorFlag()),
  }),
  output: v.object({
    requests: v.array(
      v.object({
        id: v.string(),
        thread: v.string(),
        kind: v.string(),
        summary: v.string(),
        outside_sandbox: v.boolean(),
        asked_at: v.string(),
        state: v.picklist(requestStates),
        decision: v.nullable(v.string()),
        answered_by: v.nullable(v.string()),
        would: v.picklist(rulings),
        by: v.nullable(v.string()),
      }),
    ),
    counts: v.object({
      total: v.number(),
      ask: v.number(),
      deny: v.number(),
      approve: v.number(),
      against: v.number(),
    }),
    truncated: v.boolean(),
    next_cursor: v.nullable(v.string()),
  }),
  fails: ["not_found"],
  examples: [
    {
      given: "an answered request",
      input: {},
      output: {
        requests: [{ summary: "touch x", decision: "approve", answered_by: "cli", would: "ask", by: null }],
        counts: { total: 1, ask: 1, deny: 0, approve: 0, against: 0 },
        next_cursor: null,
      },
    },
    { given: "an answered request", input: { rules: "/no/such/rules.toml" }, error: "usage" },
    { given: "an answered request", input: { cursor: "zzz" }, error: "usage" },
    { given: "an answered request", input: { thread: "@nobody" }, error: "not_found" },
  ],
  run: ({ rules, since, thread, limit, cursor }, { core, caller }) =>
    core.replay({
      file: rules ?? null,
      ref: thread === undefined ? null : core.resolve(thread, caller.thread_id, "reading"),
      since: since === undefined ? 0 : Date.parse(since),
      limit,
      cursor: cursor ?? null,
    }),
  view({ requests, counts, truncated, next_cursor }, look) {
    if (counts.total === 0) return "no questions";
    const { total, ask, deny, approve, against } = counts;
    const rows = requests.map(({ id, thread, decision, state, would, by, ...more }) => [
      id,
      thread,
      cell(decision ?? state),
      would === "ask" ? "ask" : paint(would === "deny" ? "red" : "green", would),
      cell(by),
      more.outside_sandbox ? "outside" : "-",
      cell(more.summary),
      ago(more.asked_at, look),
    ]);
    const header = ["id", "thread", "was", "would be", "by", "sandbox", "asks", "asked"];
    const all = `of ${total}${truncated ? " (the newest)" : ""}: ${approve} approved, ${deny} denied, ${ask} asked; ${against} against the decision of that time`;
    return withMore(`${table(rows, look, { header, shrink: 6 })}\n${paint("dim", all)}`, next_cursor);
  },
});
