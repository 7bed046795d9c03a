import * as v from "valibot";
import { limits } from "../../base/limits.ts";
import { type EventView, eventKindWords, eventObject, kindsOf } from "../../contract/events.ts";
import { count, flag } from "../fields.ts";
import { op } from "../op.ts";
import { eventLine, eventLines, moreLine } from "../views.ts";

export default op({
  name: "event.list",
  cli: "events",
  group: "thread",
  task: "look",
  summary: "Read the durable event log",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({
    since: v.optional(flag(v.string(), "only events after this cursor", { value: "CURSOR" })),
    follow: v.optional(flag(v.boolean(), "stream new events", { cli_only: true }), false),
    kinds: v.optional(flag(v.array(v.picklist(eventKindWords)), "only these kinds", { value: "KIND" })),
    thread: v.optional(flag(v.string(), "only of this thread", { value: "THREAD", names: "thread" })),
    limit: v.optional(count("at most this many", limits.event.pageMax), 50),
  }),
  output: v.object({
    events: v.array(eventObject),
    next_cursor: v.string(),
    /** Events were left out: behind these, or without `since` before these. */
    truncated: v.boolean(),
    /** Where the log begins, when events before these were left out. */
    first_cursor: v.nullable(v.string()),
  }),
  examples: [
    {
      given: "a finished turn",
      input: { kinds: ["turn.completed"] },
      output: { events: [{ kind: "turn.completed" }] },
    },
    { given: "nothing", input: { since: "nonsense" }, error: "usage" },
  ],
  streams: ({ follow }) => follow,
  async run({ since, follow, kinds, thread, limit }, { core, caller, signal, emit }) {
    const lanes = thread === undefined ? undefined : [core.resolve(thread, caller.thread_id, "reading")];
    const which = { ...(lanes ? { lanes } : {}), ...(kinds ? { kinds: kindsOf(kinds) } : {}) };
    if (!follow) return core.events(which, since ?? null, limit);
    const next_cursor = await core.follow(which, since ?? null, (row) => emit({ ...row }), signal);
    return { events: [] as EventView[], next_cursor, truncated: false, first_cursor: null };
  },
  view({ events, next_cursor, truncated, first_cursor }, look) {
    const lines = eventLines(events, look);
    if (!truncated) return lines;
    return first_cursor === null
      ? `${lines}\n${moreLine("more", `--since ${next_cursor}`)}`
      : `${moreLine("from the beginning", `--since ${first_cursor}`)}\n${lines}`;
  },
  viewRow: (row, look) => eventLine(row, look),
});
