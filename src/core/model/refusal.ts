/** Reads from the error of a call what Codex refused. */
import { type Code, DispatchError } from "../../base/error.ts";
import type { Refusal } from "./ports/agent.ts";

const refusedCodes = new Set(["agent", "usage", "not_found"]);

/**
 * Undefined: no refusal by Codex. A refusal about something that the user named has the code `usage` or `not_found`.
 */
export function refusalOf(thrown: unknown): Refusal | undefined {
  return thrown instanceof DispatchError && refusedCodes.has(thrown.code)
    ? (thrown.data?.["reason"] as Refusal)
    : undefined;
}

/** Not in the list: what passes by itself, such as another program that has the thread open, or an overloaded Codex. */
const finalRefusals: ReadonlySet<Refusal | undefined> = new Set<Refusal>([
  "other",
  "too_large",
  "bad_thread_id",
  "switched_off",
  "bad_config",
  "archived",
]);

const finalCodes: ReadonlySet<Code> = new Set<Code>(["usage", "denied", "conflict", "too_large"]);

/** A refusal by Codex, or by our own side of the wire, that no retry can get past. */
export function isFinal(thrown: unknown): boolean {
  return (
    thrown instanceof DispatchError && (finalCodes.has(thrown.code) || finalRefusals.has(refusalOf(thrown)))
  );
}

/** Codex may have the call: the child died, or gave no answer, while the call was in flight. */
export function isUnknown(thrown: unknown): boolean {
  return thrown instanceof DispatchError && thrown.data?.["outcome"] === "unknown";
}

/** The child lives, and may still carry out the call. */
export function isUnanswered(thrown: unknown): boolean {
  return isUnknown(thrown) && (thrown as DispatchError).code === "timeout";
}
