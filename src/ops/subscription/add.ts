import * as v from "valibot";
import { fail } from "../../base/error.ts";
import { subscriptionView } from "../../contract/automation.ts";
import { subscriptionTable } from "../automationview.ts";
import { arg } from "../fields.ts";
import { op } from "../op.ts";
import { isSpec, specOf, subscribe, subscriptionFields } from "../subscribing.ts";

export default op({
  name: "subscription.add",
  cli: "subscribe",
  group: "trigger",
  task: "automate",
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
    ...subscriptionFields,
  }),
  output: v.object(subscriptionView),
  examples: [
    {
      given: "two threads",
      input: { threads: ["@docs"], to: "@reviewer" },
      output: { when: ["done"], deliver: "queue", once: true, state: "active" },
    },
    {
      given: "two threads",
      input: { threads: ["@docs", "when:failed,delivery:inbox"], to: "@reviewer" },
      output: { when: ["failed"], deliver: "inbox" },
    },
    { given: "two threads", input: { threads: ["@docs", "when:never"] }, error: "usage" },
    { given: "two threads", input: { threads: ["@docs"], to: "@docs" }, error: "usage" },
    { given: "two threads", input: { threads: ["nobody"] }, error: "not_found" },
  ],
  run({ threads, ...flags }, { core, caller }) {
    const specs = threads.filter(isSpec);
    const names = threads.filter((word) => !isSpec(word));
    if (names.length === 0) fail("usage", "missing <threads>", { hint: "dispatch subscribe @docs" });
    const of = names.map((word) => core.resolve(word, caller.thread_id, "reading"));
    return subscribe(core, caller, of, Object.assign({}, flags, ...specs.map(specOf)));
  },
  view: (subscription, look) => subscriptionTable([subscription], look),
});
