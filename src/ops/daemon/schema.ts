import * as v from "valibot";
import { fail } from "../../base/error.ts";
import { table } from "../../base/text.ts";
import { arg } from "../fields.ts";
import { type AnyOp, clientOp } from "../op.ts";

export default clientOp({
  name: "daemon.schema",
  cli: "schema",
  group: "daemon",
  summary: "List the commands, or show the JSON Schemas of one",
  at: "client",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({
    command: v.optional(arg(v.array(v.string()), "a command, or an op's name", { value: "COMMAND" })),
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
  fails: ["usage", "not_found"],
  examples: [],
  async run({ command }, ctx) {
    const offered = (await ctx.catalogue()).filter((one) => one.hidden !== true);
    const ops = offered.toSorted((a, b) => (a.cli < b.cli ? -1 : 1));
    if (command === undefined || command.length === 0) return { commands: ops.map(rowOf) };
    const words = command.filter((word) => !word.startsWith("-")).join(" ");
    const found = ops.find(
      (one) => one.cli === words || one.name === words || one.cli.replaceAll(" ", "_") === words,
    );
    if (!found) fail("not_found", `no command "${words}"`, { hint: "dispatch schema" });
    return { ...rowOf(found), ...ctx.jsonSchemas(found) };
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

function rowOf({ cli, name, intent, summary }: AnyOp) {
  return { command: cli, op: name, intent, summary };
}
