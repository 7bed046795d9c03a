import * as v from "valibot";
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { triggerView } from "../../contract/automation.ts";
import { kindsOf, watchableKinds } from "../../contract/events.ts";
import { catchUps, modes, type WatchedCondition, watchedConditions } from "../../contract/words.ts";
import type { Action, When } from "../../core/model/ports/automation.ts";
import { authorizeFor, triggerPairs } from "../automationview.ts";
import { flag, moment, seconds, text, threadFlag } from "../fields.ts";
import { op } from "../op.ts";
import { callerName } from "../verdict.ts";

/** The original's names of two conditions. */
const others: Record<string, WatchedCondition> = { turn_completed: "done", waiting_on_approval: "waiting" };
const kinds = [
  "interval",
  "cron",
  "at",
  "idle_for",
  ...watchedConditions,
  "event",
  ...Object.keys(others),
] as const;
const actions = [...modes, "stop", "new"] as const;

const positive = (description: string) =>
  flag(
    v.pipe(
      v.number(),
      v.minValue(1, "must be at least 1"),
      v.maxValue((limits.input.waitTimeoutMaxMs / 1000) * 366),
    ),
    description,
    {
      value: "SECONDS",
    },
  );

export default op({
  name: "trigger.add",
  cli: "trigger add",
  group: "trigger",
  task: "automate",
  summary: "Do something whenever a time comes, or something happens",
  about:
    "--when says what it waits for, --action what it does then. A text may use {{thread.title}}, {{turn.id}}, {{turn.error}}, {{turn.last_message}}, {{event.kind}} and {{event.data.FIELD}}; what is filled in is data, and its length is limited.",
  intent: "write",
  reach: "any",
  repeat: "no",
  rare: ["jitter", "min_interval", "until", "catch_up", "tz"],
  input: v.strictObject({
    name: flag(
      v.pipe(v.string(), v.minLength(1), v.maxLength(limits.automation.nameCharsMax)),
      "its name, unique among triggers",
    ),
    thread: v.optional(
      threadFlag("the thread that it acts on; left out with --action new", { also: ["lane"] }),
    ),
    when: flag(v.picklist(kinds), "what it waits for"),
    of: v.optional(
      flag(v.array(v.pipe(v.string(), v.minLength(1))), "the threads that it looks at, else --thread", {
        value: "THREAD",
        names: "thread",
      }),
    ),
    seconds: v.optional(positive("of interval and idle_for")),
    cron: v.optional(flag(v.string(), "of cron: five fields, or six with seconds", { value: "EXPR" })),
    tz: v.optional(flag(v.string(), "of cron: an IANA time zone, else the daemon's", { value: "ZONE" })),
    time: v.optional(moment("of at: a time with its zone", "first")),
    kind: v.optional(flag(v.array(v.picklist(watchableKinds)), "of event: these kinds", { value: "KIND" })),
    action: flag(v.picklist(actions), "what it does"),
    text: v.optional(text("what it sends")),
    preset: v.optional(flag(v.string(), "of new: the preset", { names: "preset" })),
    idle_only: v.optional(flag(v.boolean(), "skip it while the thread is busy"), false),
    min_interval: v.optional(seconds("skip it when it fired less than this ago")),
    dedupe: v.optional(flag(v.boolean(), "skip it while what it sent last has not ended"), false),
    max_fires: v.optional(
      flag(
        v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(limits.input.pageMax * 1000)),
        "end it after so many",
        { value: "N" },
      ),
    ),
    until: v.optional(moment("end it after this time", "last")),
    catch_up: v.optional(
      flag(v.picklist(catchUps), "what becomes of moments that passed while nobody looked"),
      "one",
    ),
    jitter: v.optional(seconds("look at each moment up to this much later")),
  }),
  output: v.object(triggerView),
  fails: ["conflict", "authority"],
  examples: [
    {
      given: "two threads",
      input: {
        name: "standup",
        thread: "@docs",
        when: "cron",
        cron: "0 9 * * 1-5",
        tz: "Europe/Berlin",
        action: "queue",
        text: "What is next?",
      },
      output: { name: "standup", state: "active", fired: 0 },
    },
    {
      given: "two threads",
      input: {
        name: "review",
        thread: "@reviewer",
        when: "done",
        of: ["@docs"],
        action: "queue",
        text: "Review {{thread.title}}: {{turn.last_message}}",
      },
      output: { name: "review", next_due: null },
    },
    {
      given: "two threads",
      input: { name: "x", thread: "@docs", when: "cron", cron: "bad", action: "queue", text: "hello" },
      error: "usage",
    },
    {
      given: "two threads",
      input: {
        name: "x",
        thread: "@docs",
        when: "interval",
        seconds: 60,
        action: "queue",
        text: "{{thread.nope}}",
      },
      error: "usage",
    },
    {
      given: "two threads",
      input: { name: "x", thread: "nobody", when: "interval", seconds: 60, action: "queue", text: "hello" },
      error: "not_found",
    },
    {
      given: "a trigger",
      input: { name: "standup", thread: "@docs", when: "interval", seconds: 60, action: "stop" },
      error: "conflict",
    },
    {
      given: "an attached thread",
      input: { name: "x", thread: "theirs", when: "interval", seconds: 60, action: "queue", text: "hello" },
      error: "authority",
    },
  ],
  run(input, { core, caller, clock }) {
    const lane = input.thread === undefined ? null : core.resolve(input.thread, caller.thread_id);
    authorizeFor(core, caller, "trigger add", lane);
    const of = (input.of ?? []).map((word) => core.resolve(word, caller.thread_id, "reading"));
    const until = input.until === undefined ? null : Date.parse(input.until);
    if (until !== null && until <= clock.now())
      fail("usage", "--until is over", { hint: "--until 2030-01-31" });
    return core.addTrigger({
      name: input.name,
      lane,
      when: whenOf(input),
      of,
      action: actionOf(input),
      guards: {
        idle_only: input.idle_only,
        min_interval: input.min_interval === undefined ? null : input.min_interval * 1000,
        dedupe: input.dedupe,
        max_fires: input.max_fires ?? (input.when === "at" ? 1 : null),
        until,
        catch_up: input.catch_up,
        jitter: (input.jitter ?? 0) * 1000,
      },
      caller: callerName(caller),
    });
  },
  view: (trigger, look) => triggerPairs(trigger, look),
});

interface Given {
  name: string;
  when: string;
  action: string;
  seconds?: number | undefined;
  cron?: string | undefined;
  tz?: string | undefined;
  time?: string | undefined;
  kind?: readonly string[] | undefined;
  text?: string | undefined;
  preset?: string | undefined;
}

function whenOf(input: Given): When {
  const needs = <T>(value: T | undefined, name: string): T =>
    value ?? fail("usage", `--when ${input.when} needs --${name}`, { hint: "dispatch trigger add --help" });
  const own: Record<string, readonly (keyof Given)[]> = {
    interval: ["seconds"],
    idle_for: ["seconds"],
    cron: ["cron", "tz"],
    at: ["time"],
    event: ["kind"],
  };
  for (const name of ["seconds", "cron", "tz", "time", "kind"] as const)
    if (input[name] !== undefined && !own[input.when]?.includes(name))
      fail("usage", `--${name} does not go with --when ${input.when}`, {
        hint: "dispatch trigger add --help",
      });
  switch (input.when) {
    case "interval":
    case "idle_for":
      return { kind: input.when, seconds: needs(input.seconds, "seconds") };
    case "cron":
      return {
        kind: "cron",
        cron: needs(input.cron, "cron"),
        tz: input.tz ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
      };
    case "at":
      return { kind: "at", time: Date.parse(needs(input.time, "time")) };
    case "event":
      return { kind: "event", kinds: kindsOf(needs(input.kind, "kind") as Parameters<typeof kindsOf>[0]) };
    default:
      return {
        kind: "condition",
        conditions: [others[input.when] ?? (input.when as WatchedCondition)],
        all: false,
      };
  }
}

function actionOf(input: Given): Action {
  const { action, text, preset } = input;
  if (preset !== undefined && action !== "new")
    fail("usage", "--preset goes with --action new", { hint: "dispatch trigger add --help" });
  if (action === "stop") {
    if (text !== undefined) fail("usage", "--action stop sends no text", { hint: "--action queue" });
    return { kind: "stop" };
  }
  if (text === undefined) fail("usage", `--action ${action} needs a text`, { hint: "--text TEXT" });
  if (action === "new") return { kind: "new", preset: preset ?? null, name: input.name, text };
  return { kind: action as (typeof modes)[number], text };
}
