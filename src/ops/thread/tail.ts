import * as v from "valibot";
import { limits } from "../../base/limits.ts";
import { ago, block, cell, type Look, paint } from "../../base/text.ts";
import { fileChange } from "../../contract/request.ts";
import { count, cursorFlag, flag, selector } from "../fields.ts";
import { op } from "../op.ts";
import { changeLine } from "../requestpairs.ts";
import { moreLine } from "../views.ts";

const item = v.object({
  turn_id: v.string(),
  item_id: v.string(),
  type: v.string(),
  text: v.string(),
  truncated: v.boolean(),
  command: v.nullable(v.string()),
  arguments: v.nullable(v.string()),
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
  task: "look",
  summary: "Show the last messages, commands and changes of a thread",
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
    cursor: v.optional(cursorFlag("continue backwards from next_cursor")),
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
    if (items.length === 0) return "no messages yet";
    const older = next_cursor ? [moreLine("older", `--cursor ${next_cursor}`)] : [];
    return [...older, ...items.map((item) => rendered(item, look))].join("\n");
  },
});

function rendered(shown: v.InferOutput<typeof item>, look: Look): string {
  const { type, at, changes, path, text, truncated } = shown;
  const speaker = {
    user_message: paint("cyan", "user"),
    agent_message: paint("green", "agent"),
    error: paint("red", "error"),
  }[type];
  const head = `${speaker ?? paint("bold", cell(type.replaceAll("_", " ")))}  ${paint("dim", ago(at, look))}`;
  const files =
    changes?.map((change) => `\n  ${changeLine(change)}`).join("") ?? (path ? `\n  ${cell(path)}` : "");
  const lines = text ? block(text.trimEnd()).split("\n") : [];
  const body = (type === "file_change" ? lines.map(diffLine) : lines).map((line) => `\n  ${line}`).join("");
  return `${head}${called(shown)}${files}${body}${truncated ? paint("dim", " … (--full)") : ""}`;
}

/** The command or the tool, with what became of it. */
function called({ type, command, arguments: given, exit_code, status }: v.InferOutput<typeof item>): string {
  if (command === null) return "";
  if (type !== "command") {
    const end = status && status !== "completed" ? paint("red", `  (${cell(status)})`) : "";
    return `\n  ${paint("bold", cell(command))} ${cell(given)}${end}`;
  }
  const exit = exit_code === null ? "" : paint(exit_code === 0 ? "dim" : "red", `  (exit ${exit_code})`);
  return `\n  $ ${block(command).replaceAll("\n", "\n    ")}${exit}`;
}

function diffLine(line: string): string {
  if (line.startsWith("+")) return paint("green", line);
  if (line.startsWith("-")) return paint("red", line);
  return line.startsWith("@@") ? paint("cyan", line) : line;
}
