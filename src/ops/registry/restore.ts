import * as v from "valibot";
import { cell, paint } from "../../base/text.ts";
import { path } from "../fields.ts";
import { clientOp } from "../op.ts";
import { countsOf } from "../registryview.ts";

export default clientOp({
  name: "registry.restore",
  cli: "registry restore",
  group: "daemon",
  summary: "Put a backup in the place of the registry",
  about:
    "With dispatch down before. The registry that stood there is kept beside it. Messages that were waiting when the " +
    "backup was made may have been delivered since: their queues are held until you release them. Threads made since " +
    "are Codex's still: dispatch list --unmanaged shows them.",
  at: "client",
  intent: "destroy",
  repeat: "no",
  input: v.strictObject({ path: path("the backup", { arg: true }) }),
  output: v.object({
    registry: v.string(),
    restored: v.string(),
    replaced: v.nullable(v.string()),
    schema: v.number(),
    counts: v.record(v.string(), v.number()),
    held: v.array(v.object({ ref: v.string(), title: v.string(), pending: v.number() })),
  }),
  fails: ["not_found", "conflict", "storage"],
  examples: [],
  run: async (input, ctx) => (await ctx.registry()).restore(input.path),
  view({ registry, restored, replaced, counts, held }) {
    const lines = [`${cell(registry)} is ${cell(restored)} again: ${countsOf(counts)}`];
    if (replaced) lines.push(`what stood there is ${cell(replaced)}`);
    for (const { ref, title, pending } of held)
      lines.push(
        `${pending} may have been delivered since, held: ${ref} "${cell(title)}"`,
        `  ${paint("bold", `dispatch queue list ${ref}`)}, then ${paint("bold", `dispatch queue release ${ref}`)}`,
      );
    return lines.join("\n");
  },
});
