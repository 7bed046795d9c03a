/** The tokens that threads used, and the windows of the account. */
import * as v from "valibot";
import { orNull, time } from "./shape.ts";

/** `input` includes `cached`, `output` includes `reasoning`, `total` is `input` and `output`. */
const tokens = {
  total: v.number(),
  input: v.number(),
  cached: v.number(),
  output: v.number(),
  reasoning: v.number(),
  /** More was used while dispatch did not listen, and Codex's totals do not tell how much. */
  incomplete: v.boolean(),
};

/** The sum of one thread, day or model. */
const sum = v.object({
  /** Its ref; null: the sum is by day or by model. */
  thread: orNull(v.string()),
  title: orNull(v.string()),
  day: orNull(v.string()),
  model: orNull(v.string()),
  ...tokens,
});
export type UsageSum = v.InferOutput<typeof sum>;

/** As Codex last reported it. After `resets_at` it says nothing of the account's present use. */
const window = v.object({
  provider: v.string(),
  /** Codex's name of the limit, and which of its windows. */
  limit: orNull(v.string()),
  window: v.picklist(["primary", "secondary"]),
  used_percent: v.number(),
  window_minutes: orNull(v.number()),
  resets_at: orNull(time),
  as_of: time,
  age_seconds: v.number(),
});

/** A limit of `[limits]`, and how much of it is used; of a limit for each thread: by the thread that used most. */
const budget = v.object({
  limit: v.picklist(["tokens_per_day", "tokens_per_thread", "pause_at_percent"]),
  max: v.number(),
  used: v.number(),
  state: v.picklist(["ok", "near", "full"]),
});

export const usageObject = v.object({
  by: v.picklist(["thread", "day", "model"]),
  /** The first day that is counted, in the daemon's time zone; null: nothing was counted. */
  since: orNull(v.string()),
  used: v.array(sum),
  /** There are more. */
  truncated: v.boolean(),
  total: v.object(tokens),
  windows: v.array(window),
  limits: v.array(budget),
});
export type UsageView = v.InferOutput<typeof usageObject>;

/** The same in a report: of whole days, the newest first. */
export const reportedUsage = {
  tokens: v.object(tokens),
  tokens_by_day: v.array(v.object({ day: v.string(), ...tokens })),
  windows: v.array(window),
};
