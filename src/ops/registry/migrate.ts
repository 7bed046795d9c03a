import * as v from "valibot";
import { cell } from "../../base/text.ts";
import { flag } from "../fields.ts";
import { clientOp } from "../op.ts";

export default clientOp({
  name: "registry.migrate",
  cli: "registry migrate",
  group: "daemon",
  task: "maintain",
  summary: "Migrate the registry to the schema of this dispatch",
  about: "The daemon also does this when it starts. Run dispatch down first.",
  at: "client",
  intent: "write",
  repeat: "safe",
  input: v.strictObject({
    backup: v.optional(flag(v.boolean(), "keep a copy of the old one beside it"), true),
  }),
  output: v.object({
    registry: v.string(),
    from: v.number(),
    to: v.number(),
    backup: v.nullable(v.string()),
  }),
  fails: ["not_found", "conflict", "storage"],
  examples: [],
  run: async ({ backup }, ctx) => (await ctx.registry()).migrate({ backup }),
  view({ from, to, backup }) {
    if (from === to) return `schema ${to}: nothing to do`;
    return `migrated from schema ${from} to ${to}${backup ? `; the old one is ${cell(backup)}` : ""}`;
  },
});
