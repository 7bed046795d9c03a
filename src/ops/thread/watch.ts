import * as v from "valibot";
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { Ctx } from "../ctx.ts";
import { arg, count, flag, seconds } from "../fields.ts";
import { op } from "../op.ts";
import { type Event, eventObject } from "../shapes.ts";
import { eventLine, eventLines } from "../views.ts";

export default op({
  name: "thread.watch",
  cli: "watch",
  group: "thread",
  summary: "Watch what happens: a sample, or a stream",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({
    threads: v.optional(
      arg(v.array(v.string()), "threads; or --all", { value: "THREAD...", names: "thread" }),
    ),
    all: v.optional(flag(v.boolean(), "every thread, and the daemon's own events"), false),
    follow: v.optional(flag(v.boolean(), "stream rows without end", { cli_only: true }), false),
    since: v.optional(flag(v.string(), "go on exactly after this cursor", { value: "CURSOR" })),
    kinds: v.optional(
      flag(v.array(v.string()), "only these kinds, as in --kinds turn.completed", { value: "KIND" }),
    ),
    raw: v.optional(
      flag(v.boolean(), "Codex's own notifications, token deltas included (with --follow)", {
        cli_only: true,
      }),
      false,
    ),
    limit: v.optional(count("rows of a sample", limits.eventsPageMax), 20),
    timeout: v.optional(seconds("how long a sample waits, or how long to follow")),
  }),
  output: v.object({ events: v.array(eventObject), next_cursor: v.string(), timed_out: v.boolean() }),
  fails: ["usage", "not_found", "daemon_down", "denied"],
  examples: [
    {
      given: "a finished turn",
      input: { threads: ["@docs"], timeout: 0 },
      output: { events: [], timed_out: true },
    },
    { given: "two threads", input: {}, error: "usage" },
    { given: "two threads", input: { all: true, since: "elsewhere:1" }, error: "usage" },
  ],
  streams: ({ follow }) => follow,
  async run(
    { threads, all, follow, since, kinds, raw, limit, timeout },
    { core, caller, signal, emit, clock },
  ) {
    if ((threads === undefined || threads.length === 0) !== all)
      fail("usage", "name threads to watch, or --all, and not both", { hint: "dispatch watch --all" });
    if (raw && !follow) fail("usage", "--raw is a stream", { hint: "dispatch watch --all --follow --raw" });
    const lanes = threads?.map((word) => core.resolve(word, caller.thread_id, "reading"));
    const which = { ...(lanes ? { lanes } : {}), ...(kinds ? { kinds } : {}) };
    const over = new AbortController();
    if (!follow) {
      // A host gives up a call that says nothing; who sits at a terminal needs no telling.
      if (caller.kind === "mcp") void tell({ watching: lanes ?? "all" }, { clock, emit }, over.signal);
      return core
        .sample(which, since ?? null, limit, (timeout ?? 10) * 1000, signal)
        .finally(() => over.abort());
    }

    const cancel = timeout === undefined ? () => {} : clock.after(timeout * 1000, () => over.abort());
    const untap = raw
      ? core.tap(({ thread_id, line }) => void passOn(core.refOf(thread_id), line))
      : () => {};
    const passOn = async (ref: string | null, line: Record<string, unknown>) => {
      if (all || (ref !== null && lanes?.some((lane) => lane === ref))) await emit({ thread: ref, ...line });
    };
    try {
      const rows = raw ? async () => {} : (row: Record<string, unknown>) => emit(row);
      const next_cursor = await core.follow(
        which,
        since ?? null,
        (row) => rows({ ...row }),
        AbortSignal.any([signal, over.signal]),
      );
      return { events: [] as Event[], next_cursor, timed_out: over.signal.aborted };
    } finally {
      untap();
      cancel();
    }
  },
  view: ({ events }, look) => eventLines(events, look),
  viewRow: (row, look) => (typeof row["method"] === "string" ? JSON.stringify(row) : eventLine(row, look)),
});

/** As often as a wait tells its own progress. */
async function tell(
  row: Record<string, unknown>,
  { clock, emit }: Pick<Ctx, "clock" | "emit">,
  over: AbortSignal,
): Promise<void> {
  for (;;) {
    await clock.sleep(limits.waitLookEveryMs, over);
    if (over.aborted) return;
    await emit(row);
  }
}
