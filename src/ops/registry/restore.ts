import * as v from "valibot";
import { cell, paint } from "../../base/text.ts";
import { path } from "../fields.ts";
import { clientOp } from "../op.ts";
import { countsOf } from "../registryview.ts";

export default clientOp({
  name: "registry.restore",
  cli: "registry restore",
  group: "daemon",
  task: "maintain",
  summary: "Replace the registry with a backup",
  about:
    "Run dispatch down first. The replaced registry is kept beside the new one. Messages that were queued at the time " +
    "of the backup may have been delivered since: their queues are held until you release them. Codex still has the " +
    "threads that were created since: dispatch list --unmanaged shows them.",
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
    const lines = [`restored ${cell(registry)} from ${cell(restored)}: ${countsOf(counts)}`];
    if (replaced) lines.push(`the replaced registry is ${cell(replaced)}`);
    for (const { ref, title, pending } of held)
      lines.push(
        `${pending} may have been delivered since, held: ${ref} "${cell(title)}"`,
        `  ${paint("bold", `dispatch queue list ${ref}`)}, then ${paint("bold", `dispatch queue release ${ref}`)}`,
      );
    return lines.join("\n");
  },
});
