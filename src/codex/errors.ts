/** Codex's refusals. Nearly all share the code -32600, so only the text tells them apart. */
import { DispatchError } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Refusal } from "../core/model/ports/agent.ts";
import { type Json, number, object, row, text } from "./read.ts";

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

/** `params` are those of the refused call: a refusal that quotes one of them is about what the caller named. */
export function refusedError(method: string, error: Json, params: Json = {}): DispatchError {
  const said = refusalOf(error);
  const reason = said === "not_loaded" && needsNoLoading.test(method) ? "no_rollout" : said;
  const message = text(error["message"]) ?? "no reason given";
  // It goes on with the list of all that it knows. A word that it does not know in the params is told the same way.
  const isUnknown = message.startsWith(`Invalid request: unknown variant \`${method}\``);
  const words = isUnknown ? "it does not know this method" : message.slice(0, limits.wire.refusalCharsMax);
  const named = reason === "other" ? namedBy(method, params, message) : undefined;
  return new DispatchError(named?.code ?? "agent", `codex refused ${method}: ${words}`, {
    ...(named === undefined ? {} : { hint: named.hint }),
    ...(isUnknown ? { hint: "dispatch doctor says what this Codex lacks" } : {}),
    ...(hints[reason] === undefined ? {} : { hint: hints[reason] }),
    data: { reason, words },
  });
}

/** What the user may choose of a thread. */
const chosen = [
  "cwd",
  "sandbox",
  "approvalPolicy",
  "approvalsReviewer",
  "permissions",
  "model",
  "modelProvider",
  "serviceTier",
  "baseInstructions",
  "developerInstructions",
  "config",
];

/**
 * The params of a call that the user wrote for it: others are constants of ours, or what we looked up. A resume repeats
 * stored settings, which the user did not name now.
 */
const namedParams: Readonly<Record<string, readonly string[]>> = {
  "thread/start": chosen,
  "thread/fork": [...chosen, "lastTurnId"],
  "thread/list": ["cursor"],
  "thread/search": ["cursor", "searchTerm"],
};

/** The code and hint of a refusal that quotes what the user named; undefined where it is about something else. */
function namedBy(
  method: string,
  params: Json,
  message: string,
): { code: "usage" | "not_found"; hint: string } | undefined {
  const named = row(namedParams, method)?.map((name) => params[name]);
  if (named === undefined) return undefined;
  const quoted = new Set([...message.matchAll(/[`'"]([^`'"]+)[`'"]/g)].map((match) => match[1]!));
  const last = /: ([^:]+)$/.exec(message)?.[1];
  if (last !== undefined) quoted.add(last.trim());
  if (!stringsIn(named).some((value) => quoted.has(value))) return undefined;
  return /^turn not found/.test(message)
    ? { code: "not_found", hint: "dispatch tail THREAD shows the ids of its turns" }
    : { code: "usage", hint: "correct that value and try again" };
}

function stringsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(stringsIn);
}

/** Ours to refuse, before Codex saw it: too many calls wait already. */
export function overloadedError(method: string): DispatchError {
  return new DispatchError("agent", `codex does not keep up: too many calls wait (${method})`, {
    hint: "try again in a moment",
    data: { reason: "overloaded" satisfies Refusal, words: "", outcome: "not_sent" },
  });
}

export function isRefusal(thrown: unknown, reason: Refusal): boolean {
  return thrown instanceof DispatchError && thrown.data?.["reason"] === reason;
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
