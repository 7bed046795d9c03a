import * as v from "valibot";
import { fail } from "../../base/error.ts";
import { table } from "../../base/table.ts";
import { arg } from "../fields.ts";
import { clientOp } from "../op.ts";

export default clientOp({
  name: "daemon.schema",
  cli: "schema",
  group: "daemon",
  task: "maintain",
  summary: "List the commands, or show the JSON Schemas of one",
  at: "client",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({
    command: v.optional(
      arg(v.array(v.string()), "a command, or the name of an op", { value: "COMMAND", spelling: true }),
    ),
  }),
  output: v.object({
    commands: v.optional(
      v.array(v.object({ command: v.string(), op: v.string(), intent: v.string(), summary: v.string() })),
    ),
    command: v.optional(v.string()),
    op: v.optional(v.string()),
    intent: v.optional(v.string()),
    summary: v.optional(v.string()),
    input: v.optional(v.record(v.string(), v.unknown())),
    output: v.optional(v.record(v.string(), v.unknown())),
  }),
  fails: ["not_found"],
  examples: [],
  async run({ command }, ctx) {
    const all = (await ctx.schemas()).toSorted((a, b) => (a.command < b.command ? -1 : 1));
    if (command === undefined || command.length === 0) {
      return { commands: all.map(({ input: _input, output: _output, ...row }) => row) };
    }
    // Flags do not count: `list --unmanaged` is `list`. A shell passes a quoted command as one word.
    const words = command
      .flatMap((part) => part.split(/\s+/))
      .filter((word) => word !== "" && !word.startsWith("-"))
      .join(" ");
    const found = all.find(({ command: name, op }) => [name, op, name.replaceAll(" ", "_")].includes(words));
    return found ?? fail("not_found", `there is no command "${words}"`, { hint: "dispatch schema" });
  },
  view(out, look) {
    if (!out.commands) return JSON.stringify({ input: out.input, output: out.output }, null, 2);
    return table(
      out.commands.map((row) => [row.command, row.op, row.intent, row.summary]),
      look,
      { header: ["command", "op", "intent", "summary"], shrink: 3 },
    );
  },
});
