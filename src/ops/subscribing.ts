/** What `subscribe` and `new --subscribe` have in common. */
import * as v from "valibot";
import { fail } from "../base/error.ts";
import { issueText, keysOf } from "../base/issue.ts";
import { limits } from "../base/limits.ts";
import { nearest } from "../base/nearest.ts";
import type { SubscriptionView } from "../contract/automation.ts";
import { watchedConditions } from "../contract/words.ts";
import type { Core } from "../core/core.ts";
import type { Ref } from "../core/model/ports/rows.ts";
import { authorizeFor } from "./automationview.ts";
import { count, flag, markOf, threadFlag, typeOf } from "./fields.ts";
import type { Caller } from "./protocol.ts";
import { callerName } from "./verdict.ts";

export const subscriptionFields = {
  when: v.optional(flag(v.picklist([...watchedConditions, "any"]), "what to wait for"), "done"),
  to: v.optional(threadFlag("the thread that is woken, else the caller's")),
  deliver: v.optional(
    flag(
      v.picklist(["queue", "inbox"]),
      "queue wakes the thread; inbox only keeps it (queue; inbox without a thread)",
      { also: ["delivery"] },
    ),
  ),
  once: v.optional(flag(v.boolean(), "only the first time"), true),
  repeat: v.optional(flag(v.boolean(), "each time"), false),
  all: v.optional(flag(v.boolean(), "one wake, when it holds for every one of them"), false),
  tail: v.optional(count("messages to quote of each", limits.automation.tailMax), 1),
};

const fields = v.strictObject(subscriptionFields);

export type Subscribing = v.InferOutput<typeof fields>;

/** True for a word in the form `when:done,delivery:inbox`. */
export function isSpec(word: string): boolean {
  return (
    /^[a-z]+:[^,:]+(,[a-z]+:[^,:]+)*$/.test(word) && keyOf(word.slice(0, word.indexOf(":"))) !== undefined
  );
}

/** The flags of `subscribe` in one word, such as `when:done,delivery:inbox`. Throws `usage`. */
export function specOf(spec: string): Partial<Subscribing> {
  const given: Record<string, unknown> = {};
  for (const pair of spec.split(",")) {
    const [word = "", value = ""] = pair.split(":", 2);
    const key = keyOf(word);
    if (key === undefined) {
      const right = nearest(word, Object.keys(subscriptionFields));
      return fail("usage", `"${word}" in "${spec}" is not known`, {
        hint: right ? `${right}:${value}` : `one of: ${Object.keys(subscriptionFields).join(", ")}`,
      });
    }
    given[key] = typed(key, value);
  }
  const checked = v.safeParse(fields, given);
  if (!checked.success)
    return fail("usage", checked.issues.map((issue) => issueText(issue, keysOf(issue)[0] ?? "")).join("; "));
  return Object.fromEntries(
    Object.entries(checked.output).filter(([key]) => Object.hasOwn(given, key)),
  ) as Partial<Subscribing>;
}

/** The field of a word: its own name, or the name that the Python original gave it. */
function keyOf(word: string): keyof typeof subscriptionFields | undefined {
  const names = Object.keys(subscriptionFields) as (keyof typeof subscriptionFields)[];
  return names.find((name) => name === word || markOf(subscriptionFields[name]).also?.includes(word));
}

function typed(key: keyof typeof subscriptionFields, value: string): unknown {
  const type = typeOf(subscriptionFields[key]);
  if (type === "number") return Number(value);
  return type === "boolean" && (value === "true" || value === "false") ? value === "true" : value;
}

export function subscribe(
  core: Core,
  caller: Caller,
  of: readonly Ref[],
  given: Partial<Subscribing>,
): SubscriptionView {
  const wish = { ...v.parse(fields, {}), ...given };
  const to = wish.to === undefined ? core.refOf(caller.thread_id) : core.resolve(wish.to, caller.thread_id);
  authorizeFor(core, caller, "subscribe", to);
  return core.subscribe({
    of: [...of],
    conditions: watchedConditions.filter(
      (one) => wish.when === one || (wish.when === "any" && one !== "idle"),
    ),
    to,
    deliver: wish.deliver ?? (to === null ? "inbox" : "queue"),
    all: wish.all,
    once: wish.once && !wish.repeat,
    tail: wish.tail,
    caller: callerName(caller),
  });
}
