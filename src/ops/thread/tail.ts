import * as v from "valibot";
import { limits } from "../../base/limits.ts";
import { ago, block, cell, type Look, paint } from "../../base/text.ts";
import { fileChange } from "../../contract/request.ts";
import { count, flag, selector } from "../fields.ts";
import { op } from "../op.ts";
import { changeLine } from "../requestpairs.ts";

const item = v.object({
  turn_id: v.string(),
  item_id: v.string(),
  type: v.string(),
  text: v.string(),
  truncated: v.boolean(),
  command: v.nullable(v.string()),
  exit_code: v.nullable(v.number()),
  path: v.nullable(v.string()),
  changes: v.nullable(v.array(v.object(fileChange))),
  status: v.nullable(v.string()),
  at: v.nullable(v.string()),
});

export default op({
  name: "thread.tail",
  cli: "tail",
  group: "thread",
  summary: "Show the end of a thread: what was said and done",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({
    thread: selector(),
    limit: v.optional(count("at most this many items", limits.input.pageMax), 50),
    turns: v.optional(count("at most this many turns", limits.input.pageMax)),
    full: v.optional(
      flag(v.boolean(), `whole texts, not the first ${limits.thread.tailItemCharsMax} characters`),
      false,
    ),
    cursor: v.optional(flag(v.string(), "go on backwards from next_cursor", { value: "CURSOR" })),
  }),
  output: v.object({ items: v.array(item), next_cursor: v.nullable(v.string()) }),
  asksCodex: true,
  examples: [
    {
      given: "a finished turn",
      input: { thread: "@docs" },
      output: { items: [{ type: "user_message", text: "hello" }, { type: "agent_message" }] },
    },
    { given: "a finished turn", input: { thread: "@docs", cursor: "nonsense" }, error: "usage" },
  ],
  run: ({ thread, limit, turns, full, cursor }, { core, caller }) =>
    core.tail(core.resolve(thread, caller.thread_id, "reading"), {
      limit,
      turns: turns ?? null,
      full,
      cursor: cursor ?? null,
    }),
  view: ({ items, next_cursor }, look) => {
    if (items.length === 0) return "nothing said yet";
    const older = next_cursor ? [paint("dim", `older: --cursor ${next_cursor}`)] : [];
    return [...older, ...items.map((one) => drawn(one, look))].join("\n");
  },
});

function drawn(one: v.InferOutput<typeof item>, look: Look): string {
  const speaker = {
    user_message: paint("cyan", "user"),
    agent_message: paint("green", "agent"),
    error: paint("red", "error"),
  }[one.type];
  const head = `${speaker ?? paint("bold", cell(one.type))}  ${paint("dim", ago(one.at, look))}`;
  const command = one.command
    ? `\n  $ ${block(one.command).replaceAll("\n", "\n    ")}${one.exit_code ? paint("red", `  (exit ${one.exit_code})`) : ""}`
    : "";
  const where =
    one.changes?.map((change) => `\n  ${changeLine(change)}`).join("") ??
    (one.path ? `\n  ${cell(one.path)}` : "");
  const body = one.text ? `\n  ${block(one.text.trimEnd()).replaceAll("\n", "\n  ")}` : "";
  return `${head}${command}${where}${body}${one.truncated ? paint("dim", " … (--full)") : ""}`;
}
