import * as v from "valibot";
import { cell } from "../../base/text.ts";
import { path } from "../fields.ts";
import { clientOp } from "../op.ts";
import { size } from "../registryview.ts";

export default clientOp({
  name: "registry.backup",
  cli: "registry backup",
  group: "daemon",
  task: "maintain",
  summary: "Copy the registry to a file and check the copy",
  about:
    "Works while the daemon runs. Without a path the copy is beside the registry, with the date in its name; with a " +
    "folder it is in that folder. An existing file is never overwritten. The copy contains the texts of all messages, " +
    "and only its owner can read it.",
  at: "client",
  intent: "write",
  repeat: "no",
  input: v.strictObject({ path: v.optional(path("the file to write, or a folder", { arg: true })) }),
  output: v.object({ registry: v.string(), backup: v.string(), bytes: v.number() }),
  fails: ["not_found", "conflict", "storage"],
  examples: [],
  run: async (input, ctx) => (await ctx.registry()).backup(input.path),
  view: ({ backup, bytes }) => `${cell(backup)}, ${size(bytes)}`,
});
