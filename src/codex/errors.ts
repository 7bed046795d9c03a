/** Codex's refusals. Nearly all have the code -32600, so only the text distinguishes them (facts F54). */
import { join } from "node:path";
import { DispatchError } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Refusal } from "../core/model/ports/agent.ts";
import { type Json, number, object, row, text } from "./read.ts";

const overloadedCode = -32001;

/** First match wins. */
const texts: readonly (readonly [RegExp, Refusal])[] = [
  [/already has an active writer/, "active_writer"],
  // Only reads that need no loading answer `thread not loaded`: there is no such thread. A file that a kill cut in its
  // first line holds no thread either (facts F36).
  [/no (archived )?rollout found|^thread not loaded|rollout at .+ is empty$/, "no_rollout"],
  // Turns of a thread whose file a kill kept from being written, or of a fork whose source is gone (facts F70).
  [/missing source rollout/, "no_history"],
  [/is archived/, "archived"],
  [/no active turn/, "no_active_turn"],
  [/expected active turn id/, "turn_mismatch"],
  [/^invalid thread id/, "bad_thread_id"],
  [/^thread not found/, "not_loaded"],
  [/exceeds the maximum|too large/i, "too_large"],
  [/feature is disabled$/, "switched_off"],
  [/^failed to (re)?(load|read) (\w+ )?config(uration)?\b/, "bad_config"],
];

const hints: Partial<Record<Refusal, string>> = {
  active_writer: "another program has this thread open: close it there first",
  archived: "restore it first: dispatch restore THREAD",
  overloaded: "try again in a moment",
  too_large: "send it in smaller parts",
  switched_off: "enable it under [features] in Codex's config.toml",
};

export function refusalOf(error: Json): Refusal {
  if (number(error["code"]) === overloadedCode) return "overloaded";
  if (text(object(error["data"])?.["input_error_code"]) === "input_too_large") return "too_large";
  const words = text(error["message"]) ?? "";
  return texts.find(([pattern]) => pattern.test(words))?.[1] ?? "other";
}

/** These calls look on disk: their `thread not found` means that there is no such thread (facts F54). */
const needsNoLoading = /^thread\/goal\//;

/** The error for a refusal. `params` are those of the refused call: a refusal that quotes one is about the user's value. */
export function refusedError(method: string, error: Json, params: Json = {}): DispatchError {
  const refusal = refusalOf(error);
  const reason = refusal === "not_loaded" && needsNoLoading.test(method) ? "no_rollout" : refusal;
  const message = text(error["message"]) ?? "no reason given";
  // The message continues with the list of known methods. An unknown word in the params has the same form of message.
  const isUnknown = message.startsWith(`Invalid request: unknown variant \`${method}\``);
  const words = isUnknown ? "it does not know this method" : message.slice(0, limits.wire.refusalCharsMax);
  const isOfUser = reason === "other" || reason === "bad_config";
  const named = isOfUser ? namedBy(method, params, message) : undefined;
  const hint = isUnknown
    ? "to see what this Codex lacks: dispatch doctor"
    : (named?.hint ?? hintFor(reason, message));
  const profile = profileRefused(params, message);
  const about = profile === undefined ? "" : `it has no permission profile \`${profile}\`: `;
  return new DispatchError(named?.code ?? "agent", `codex refused ${method}: ${about}${words}`, {
    ...(hint === undefined ? {} : { hint }),
    data: { reason, words },
  });
}

function hintFor(reason: Refusal, message: string): string | undefined {
  if (reason === "bad_config") return correctConfig(message);
  // Doctor looks at the folders that Codex writes to.
  return isClosed.test(message) ? "dispatch doctor" : hints[reason];
}

const isClosed = /(Permission denied|Read-only file system) \(os error/;

/** The file that Codex could not load, with the line where it says one (facts F76). */
function fileIn(message: string): string | undefined {
  const found = /(?<=^| )(\/(?:(?!: ).)*?\.toml)(?::(\d+))?/.exec(message);
  if (!found) return undefined;
  const line = found[2] ?? /\bat line (\d+)/.exec(message)?.[1];
  return line === undefined ? found[1] : `${found[1]}:${line}`;
}

/** ENOENT, EACCES, ENOTDIR, EISDIR, ELOOP: the same numbers on Linux and macOS, but for the last. */
const pathErrors = new Set([2, 13, 20, 21, 40, 62]);

/** `home` is Codex's home, where it is known. */
export function correctConfig(message: string, home?: string | null): string {
  // Too many open files, no memory: the configuration is not at fault.
  const system = Number(/\(os error (\d+)\)/.exec(message)?.[1] ?? 0);
  if (system !== 0 && !pathErrors.has(system)) return "try again in a moment; then: dispatch doctor";
  const file = fileIn(message) ?? (home ? join(home, "config.toml") : undefined);
  return file === undefined
    ? "correct Codex's config.toml or the settings of the thread, and try again; dispatch doctor checks the file"
    : `correct ${file} and try again`;
}

/** Codex names the profile only when its configuration has a table of profiles. */
function profileRefused(params: Json, message: string): string | undefined {
  if (!/: default_permissions re(quires|fers to)/.test(message)) return undefined;
  return text(params["permissions"]) ?? text(object(params["config"])?.["default_permissions"]) ?? undefined;
}

/** The settings that the user may choose for a thread. */
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
 * The params that come from the user's input. Others are our constants, or values that we looked up. A resume repeats
 * stored settings, which are not part of the user's current input.
 */
const namedParams: Readonly<Record<string, readonly string[]>> = {
  "thread/start": chosen,
  "thread/fork": [...chosen, "lastTurnId"],
  "thread/search": ["searchTerm"],
};

/** The code and hint of a refusal that quotes a value of the user. Undefined when it is about something else. */
function namedBy(
  method: string,
  params: Json,
  message: string,
): { code: "usage" | "not_found"; hint: string } | undefined {
  // Not by its value: Codex quotes it in several ways, or not at all.
  if (/^invalid cursor\b/.test(message)) return { code: "usage", hint: "leave --cursor out to start again" };
  const named = row(namedParams, method)?.map((name) => params[name]);
  // An error in a file may list the words that are allowed there, which the user's value can be one of.
  if (named === undefined || fileIn(message) !== undefined) return undefined;
  if (profileRefused(params, message) !== undefined)
    return { code: "usage", hint: "to see the profiles: dispatch permissions" };
  const quotes = /[`'"]([^`'"]+)[`'"]| (\/[^\s:]+)/g;
  const quoted = new Set([...message.matchAll(quotes)].map((match) => match[1] ?? match[2]!));
  const last = /: ([^:]+)$/.exec(message)?.[1];
  if (last !== undefined) quoted.add(last.trim());
  const keys = Object.keys(object(params["config"]) ?? {});
  const isQuoted =
    stringsIn(named).some((value) => quoted.has(value)) || keys.some((key) => isKeyIn(key, quoted));
  if (!isQuoted) return undefined;
  return /^turn not found/.test(message)
    ? { code: "not_found", hint: "to see the ids of its turns: dispatch tail THREAD" }
    : { code: "usage", hint: "correct that value and try again" };
}

/** Codex quotes the key of a wrong value, which may be inside the one that was set. */
function isKeyIn(key: string, quoted: ReadonlySet<string>): boolean {
  return quoted.has(key) || [...quoted].some((other) => other.startsWith(`${key}.`));
}

function stringsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(stringsIn);
}

/** Refused by dispatch before it was sent, because too many calls wait. */
export function overloadedError(method: string): DispatchError {
  return new DispatchError("agent", `codex is overloaded: too many calls wait (${method})`, {
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
    hint: hint ?? "dispatch daemon status shows why; dispatch daemon retry tries again now",
    data: { outcome },
  });
}
