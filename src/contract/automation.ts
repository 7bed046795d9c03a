/** Triggers, subscriptions and what they left: the shapes that clients see. */
import * as v from "valibot";
import { orNull, time } from "./shape.ts";
import { type AutomationFace, firingOutcomes, inboxStates, modes } from "./words.ts";

const whenView = v.union([
  v.object({ kind: v.literal("interval"), seconds: v.number() }),
  v.object({ kind: v.literal("cron"), cron: v.string(), tz: v.string() }),
  v.object({ kind: v.literal("at"), time }),
  v.object({ kind: v.literal("idle_for"), seconds: v.number() }),
  v.object({ kind: v.literal("condition"), conditions: v.array(v.string()), all: v.boolean() }),
  v.object({ kind: v.literal("event"), kinds: v.array(v.string()) }),
]);

const actionView = v.union([
  v.object({ kind: v.picklist(modes), text: v.string() }),
  v.object({ kind: v.literal("stop") }),
  v.object({ kind: v.literal("new"), preset: v.nullable(v.string()), name: v.string(), text: v.string() }),
  v.object({ kind: v.literal("wake"), deliver: v.picklist(["queue", "inbox"]), tail: v.number() }),
]);

const base = {
  id: v.string(),
  state: v.picklist(["active", "paused", "ended"]),
  /** Why it is paused or ended. */
  reason: orNull(v.string()),
  /** Refs of the threads that it looks at; empty for the clock. */
  of: v.array(v.string()),
  fired: v.number(),
  /** In a row. */
  failures: v.number(),
  last_fired_at: orNull(time),
  last_receipt: orNull(v.string()),
  created_at: time,
  created_by: orNull(v.string()),
};

export const triggerView = {
  ...base,
  name: v.string(),
  /** Ref of the thread that it acts on; null: it makes one. */
  thread: orNull(v.string()),
  when: whenView,
  action: actionView,
  guards: v.object({
    idle_only: v.boolean(),
    min_interval: orNull(v.number()),
    dedupe: v.boolean(),
    max_fires: orNull(v.number()),
    until: orNull(time),
    catch_up: v.picklist(["one", "none", "all"]),
    jitter: v.number(),
  }),
  next_due: orNull(time),
};

export const subscriptionView = {
  ...base,
  /** Ref of the thread that is woken; null: the person, by the inbox. */
  to: orNull(v.string()),
  when: v.array(v.string()),
  deliver: v.picklist(["queue", "inbox"]),
  /** One wake when it holds of every thread. */
  all: v.boolean(),
  once: v.boolean(),
  tail: v.number(),
  /** Refs that hold already, of a subscription to all. */
  held: v.array(v.string()),
};

export const firingView = {
  at: time,
  /** The moment of the clock, or the event of the log. */
  slot: v.string(),
  outcome: v.picklist(firingOutcomes),
  reason: orNull(v.string()),
  /** How many moments of the clock this row counts. */
  slots: v.number(),
  receipt: orNull(v.string()),
  thread: orNull(v.string()),
};

export const inboxView = {
  id: v.string(),
  /** Ref of the thread that it is for; null: the person. */
  thread: orNull(v.string()),
  from: orNull(v.string()),
  text: v.string(),
  state: v.picklist(inboxStates),
  created_at: time,
  acked_at: orNull(time),
};

const shapes = {
  trigger: v.object(triggerView),
  subscription: v.object(subscriptionView),
  firing: v.object(firingView),
  inbox: v.object(inboxView),
};
export type TriggerView = v.InferOutput<typeof shapes.trigger>;
export type SubscriptionView = v.InferOutput<typeof shapes.subscription>;
export type FiringView = v.InferOutput<typeof shapes.firing>;
export type InboxView = v.InferOutput<typeof shapes.inbox>;
export type Face = AutomationFace;
