import * as v from "valibot";
import { iso } from "../../base/clock.ts";
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { type EventView, eventKindWords, eventObject, kindsOf } from "../../contract/events.ts";
import type { ThreadView } from "../../contract/thread.ts";
import type { Delta } from "../../core/model/ports/agent.ts";
import type { Ref } from "../../core/model/ports/rows.ts";
import type { Ctx } from "../ctx.ts";
import { arg, count, flag, seconds } from "../fields.ts";
import { op } from "../op.ts";
import { runningTurns } from "../runningturns.ts";
import { eventLine, eventLines } from "../views.ts";

export default op({
  name: "thread.watch",
  cli: "watch",
  group: "thread",
  task: "look",
  summary: "Watch events: a sample, or a stream",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({
    threads: v.optional(
      arg(v.array(v.string()), "threads; or --all", { value: "THREAD...", names: "thread" }),
    ),
    all: v.optional(flag(v.boolean(), "every thread, and the daemon's own events"), false),
    follow: v.optional(flag(v.boolean(), "stream events without end", { cli_only: true }), false),
    since: v.optional(flag(v.string(), "only events after this cursor", { value: "CURSOR" })),
    kinds: v.optional(
      flag(v.array(v.picklist(eventKindWords)), "only these kinds, as in --kinds turn.completed", {
        value: "KIND",
      }),
    ),
    deltas: v.optional(
      flag(v.boolean(), "also the model's output while it writes it (with --follow)", { cli_only: true }),
      false,
    ),
    raw: v.optional(
      flag(v.boolean(), "Codex's own notifications instead of events (with --follow)", { cli_only: true }),
      false,
    ),
    running: v.optional(
      flag(v.boolean(), "first the turns that run already (with --follow)", { cli_only: true }),
      false,
    ),
    limit: v.optional(count("at most this many events in a sample", limits.event.pageMax), 20),
    timeout: v.optional(seconds("how long to wait for a sample, or how long to follow")),
  }),
  output: v.object({ events: v.array(eventObject), next_cursor: v.string(), timed_out: v.boolean() }),
  examples: [
    {
      given: "a finished turn",
      input: { threads: ["@docs"], timeout: 0 },
      output: { events: [], timed_out: true },
    },
    { given: "two threads", input: {}, error: "usage" },
    { given: "two threads", input: { all: true, deltas: true }, error: "usage" },
    { given: "two threads", input: { all: true, since: "elsewhere:1" }, error: "usage" },
  ],
  progress: ({ watching }) => `watching ${Array.isArray(watching) ? watching.join(", ") : "all threads"}`,
  streams: ({ follow }) => follow,
  async run(
    { threads, all, follow, since, kinds, deltas, raw, running, limit, timeout },
    { core, caller, signal, emit, clock },
  ) {
    if ((threads === undefined || threads.length === 0) !== all)
      fail("usage", "name threads to watch, or give --all, but not both", { hint: "dispatch watch --all" });
    for (const [name, isOn] of Object.entries({ raw, deltas, running }))
      if (isOn && !follow)
        fail("usage", `--${name} needs --follow`, { hint: `dispatch watch --all --follow --${name}` });
    if (raw && deltas)
      fail("usage", "--raw contains every delta, so it excludes --deltas", { hint: "dispatch watch --help" });
    const lanes = threads?.map((word) => core.resolve(word, caller.thread_id, "reading"));
    const which = { ...(lanes ? { lanes } : {}), ...(kinds ? { kinds: kindsOf(kinds) } : {}) };
    const over = new AbortController();
    if (!follow) {
      // An MCP host gives up a call without progress. A terminal needs no progress rows.
      // A progress row that cannot be sent does not end the sample.
      if (caller.kind === "mcp")
        emitProgress({ watching: lanes ?? "all" }, { clock, emit }, over.signal).catch(() => {});
      return core
        .sample(which, since ?? null, limit, (timeout ?? 10) * 1000, signal)
        .finally(() => over.abort());
    }

    const cancel = timeout === undefined ? () => {} : clock.after(timeout * 1000, () => over.abort());
    // The tap does not wait for its rows. A row that cannot be sent ends the stream with its error.
    const failed = new AbortController();
    const untap =
      raw || deltas
        ? core.tap(({ thread_id, line, delta }) => {
            const ref = core.refOf(thread_id);
            if (!all && !lanes?.some((lane) => lane === ref)) return;
            const row = raw ? { thread: ref, ...line } : delta && deltaRow(ref, delta, clock.now());
            if (row) emit(row).catch((thrown) => failed.abort(thrown));
          })
        : () => {};
    try {
      if (running)
        for (const row of core.running())
          if (all || lanes?.includes(row.ref as Ref)) await emit(runningRow(row));
      const rows = raw ? async () => {} : (row: Record<string, unknown>) => emit(row);
      const next_cursor = await core.follow(
        which,
        since ?? null,
        (row) => rows({ ...row }),
        AbortSignal.any([signal, over.signal, failed.signal]),
      );
      failed.signal.throwIfAborted();
      return { events: [] as EventView[], next_cursor, timed_out: over.signal.aborted };
    } finally {
      untap();
      cancel();
    }
  },
  footer: {
    // With fewer kinds the end of a turn might not be heard.
    input: ({ kinds, raw }) => (kinds === undefined && !raw ? { running: true } : undefined),
    begin: runningTurns,
  },
  view: ({ events }, look) => eventLines(events, look),
  viewRow(row, look) {
    if (typeof row["method"] === "string") return JSON.stringify(row);
    if (row["kind"] !== "delta") return eventLine(row, look);
    const { type, text } = (row["data"] ?? {}) as { type?: string; text?: string };
    return eventLine(
      { ...row, data: { type, preview: text ?? `${row["omitted_bytes"]} bytes left out` } },
      look,
    );
  },
});

/** A turn that runs already, in the shape of an event. It is not in the log and has no cursor. */
function runningRow({ ref, latest_turn, last_message }: ThreadView) {
  const data = { preview: last_message?.text ?? "" };
  return { at: latest_turn?.started_at, kind: "turn.running", thread: ref, turn_id: latest_turn?.id, data };
}

/** A delta in the shape of an event. It is not in the log and has no cursor. */
function deltaRow(thread: string | null, { turn_id, item_id, type, text }: Delta, now: number) {
  return { at: iso(now), kind: "delta", thread, turn_id, data: { item_id, type, text } };
}

/** Emits the row as often as a wait reports its progress. */
async function emitProgress(
  row: Record<string, unknown>,
  { clock, emit }: Pick<Ctx, "clock" | "emit">,
  over: AbortSignal,
): Promise<void> {
  for (;;) {
    await clock.sleep(limits.loop.waitLookEveryMs, over);
    if (over.aborted) return;
    await emit(row);
  }
}
