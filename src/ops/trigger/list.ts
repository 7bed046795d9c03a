import * as v from "valibot";
import { pageOf } from "../../base/cursor.ts";
import { limits } from "../../base/limits.ts";
import { triggerView } from "../../contract/automation.ts";
import { triggerTable } from "../automationview.ts";
import { count, cursorFlag } from "../fields.ts";
import { op } from "../op.ts";
import { withMore } from "../views.ts";

export default op({
  name: "trigger.list",
  cli: "trigger list",
  group: "trigger",
  task: "automate",
  summary: "List the triggers, newest first",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({
    limit: v.optional(count("at most this many", limits.input.pageMax), 100),
    cursor: v.optional(cursorFlag()),
  }),
  output: v.object({
    triggers: v.array(v.object(triggerView)),
    truncated: v.boolean(),
    next_cursor: v.nullable(v.string()),
  }),
  examples: [
    { given: "a trigger", input: {}, output: { triggers: [{ name: "standup", state: "active" }] } },
    { given: "nothing", input: {}, output: { triggers: [] } },
  ],
  lists: {
    trigger: {
      input: { limit: limits.input.pageMax },
      words: ({ triggers }) => triggers.map(({ name, id }) => ({ word: name, about: id })),
    },
  },
  run({ limit, cursor = null }, { core }) {
    const { rows, ...page } = pageOf(
      "triggers",
      { cursor, limit },
      (after, most) => core.triggers({ after, limit: most }),
      ({ created_at, id }) => [Date.parse(created_at), id],
    );
    return { triggers: rows, ...page };
  },
  view: ({ triggers, next_cursor }, look) => withMore(triggerTable(triggers, look), next_cursor),
});
