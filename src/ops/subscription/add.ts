import * as v from "valibot";
import { limits } from "../../base/limits.ts";
import { subscriptionView } from "../../contract/automation.ts";
import { watchedConditions } from "../../contract/words.ts";
import { authorizeFor, subscriptionTable } from "../automationview.ts";
import { arg, count, flag, threadFlag } from "../fields.ts";
import { op } from "../op.ts";
import { callerName } from "../verdict.ts";

export default op({
  name: "subscription.add",
  cli: "subscribe",
  group: "trigger",
  summary: "Be woken when other threads are done, fail or wait",
  about:
    "The calling thread, or --to, gets a message that says what became of the threads, with their last messages. What holds already wakes at once. From a terminal, --deliver inbox puts it into your own inbox.",
  intent: "write",
  reach: "any",
  repeat: "no",
  input: v.strictObject({
    threads: arg(v.pipe(v.array(v.pipe(v.string(), v.minLength(1))), v.minLength(1)), "threads to wait for", {
      value: "THREAD",
      names: "thread",
    }),
    when: v.optional(flag(v.picklist([...watchedConditions, "any"]), "what to wait for"), "done"),
    to: v.optional(threadFlag("the thread that is woken, else the caller's")),
    deliver: v.optional(
      flag(
        v.picklist(["queue", "inbox"]),
        "queue wakes the thread; inbox only keeps it (queue; inbox without a thread)",
      ),
    ),
    once: v.optional(flag(v.boolean(), "only the first time"), true),
    repeat: v.optional(flag(v.boolean(), "each time"), false),
    all: v.optional(flag(v.boolean(), "one wake, when it holds for every one of them"), false),
    tail: v.optional(count("messages to quote of each", limits.automation.tailMax), 1),
  }),
  output: v.object(subscriptionView),
  examples: [
    {
      given: "two threads",
      input: { threads: ["@docs"], to: "@reviewer" },
      output: { when: ["done"], deliver: "queue", once: true, state: "active" },
    },
    { given: "two threads", input: { threads: ["@docs"], to: "@docs" }, error: "usage" },
    { given: "two threads", input: { threads: ["nobody"] }, error: "not_found" },
  ],
  run(input, { core, caller }) {
    const of = input.threads.map((word) => core.resolve(word, caller.thread_id, "reading"));
    const to =
      input.to === undefined ? core.refOf(caller.thread_id) : core.resolve(input.to, caller.thread_id);
    if (caller.thread_id !== null) authorizeFor(core, caller, "subscribe", to);
    const conditions = watchedConditions.filter(
      (one) => input.when === one || (input.when === "any" && one !== "idle"),
    );
    return core.subscribe({
      of,
      conditions,
      to,
      deliver: input.deliver ?? (to === null ? "inbox" : "queue"),
      all: input.all,
      once: input.once && !input.repeat,
      tail: input.tail,
      caller: callerName(caller),
    });
  },
  view: (subscription, look) => subscriptionTable([subscription], look),
});
