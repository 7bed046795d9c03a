/** Codex's refusals. Nearly all share the code -32600, so only the text tells them apart. */
import { DispatchError } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Refusal } from "../core/ports/agent.ts";
import { type Json, number, object, text } from "./read.ts";

const overloadedCode = -32001;

/** First match wins. */
const texts: readonly (readonly [RegExp, Refusal])[] = [
  [/already has an active writer/, "active_writer"],
  // `thread not loaded` is only said by the reads that need no loading: there is no such thread.
  // A file that a kill left before its first line was whole holds no thread either (measured).
  [/no (archived )?rollout found|^thread not loaded|rollout at .+ is empty$/, "no_rollout"],
  [/is archived/, "archived"],
  [/no active turn/, "no_active_turn"],
  [/expected active turn id/, "turn_mismatch"],
  [/^invalid thread id/, "bad_thread_id"],
  [/^thread not found/, "not_loaded"],
  [/exceeds the maximum|too large/i, "too_large"],
  [/feature is disabled$/, "switched_off"],
];

const hints: Partial<Record<Refusal, string>> = {
  active_writer: "another program has this thread open: close it there first",
  archived: "dispatch restore it first",
  overloaded: "try again in a moment",
  too_large: "send it in smaller parts",
  switched_off: "switch it on under [features] in Codex's config.toml",
};

export function refusalOf(error: Json): Refusal {
  if (number(error["code"]) === overloadedCode) return "overloaded";
  if (text(object(error["data"])?.["input_error_code"]) === "input_too_large") return "too_large";
  const words = text(error["message"]) ?? "";
  return texts.find(([pattern]) => pattern.test(words))?.[1] ?? "other";
}

/** These look a thread up on disk: their `thread not found` is of one that does not exist (measured). */
const needsNoLoading = /^thread\/goal\//;

export function refusedError(method: string, error: Json): DispatchError {
  const said = refusalOf(error);
  const reason = said === "not_loaded" && needsNoLoading.test(method) ? "no_rollout" : said;
  const message = text(error["message"]) ?? "no reason given";
  // It goes on with the list of all that it knows. A word that it does not know in the params is told the same way.
  const isUnknown = message.startsWith(`Invalid request: unknown variant \`${method}\``);
  const words = isUnknown ? "it does not know this method" : message.slice(0, limits.childRefusalCharsMax);
  return new DispatchError("agent", `codex refused ${method}: ${words}`, {
    ...(isUnknown ? { hint: "dispatch doctor says what this Codex lacks" } : {}),
    ...(hints[reason] === undefined ? {} : { hint: hints[reason] }),
    data: { reason, words },
  });
}

/** Ours to refuse, before Codex saw it: too many calls wait already. */
export function overloadedError(method: string): DispatchError {
  return new DispatchError("agent", `codex does not keep up: too many calls wait (${method})`, {
    hint: "try again in a moment",
    data: { reason: "overloaded" satisfies Refusal, words: "", outcome: "not_sent" },
  });
}

export function isRefusal(thrown: unknown, reason: Refusal): boolean {
  return thrown instanceof DispatchError && thrown.code === "agent" && thrown.data?.["reason"] === reason;
}

export function downError(
  message: string,
  outcome: "not_sent" | "unknown",
  hint?: string | null,
): DispatchError {
  return new DispatchError("agent_down", message, {
    hint: hint ?? "dispatch daemon status says why; dispatch daemon retry tries again now",
    data: { outcome },
  });
}
