/** What Codex refused, read from the error of a call. */
import { type Code, DispatchError } from "../../base/error.ts";
import type { Refusal } from "./ports/agent.ts";

const refusedCodes = new Set(["agent", "usage", "not_found"]);

/** Also of a refusal whose code is `usage` or `not_found`, because it is about what the user named. */
export function refusalOf(thrown: unknown): Refusal | undefined {
  return thrown instanceof DispatchError && refusedCodes.has(thrown.code)
    ? (thrown.data?.["reason"] as Refusal)
    : undefined;
}

/** What passes by itself is not here: another program that has the thread open, a Codex that does not keep up. */
const finalRefusals: ReadonlySet<Refusal | undefined> = new Set<Refusal>([
  "other",
  "too_large",
  "bad_thread_id",
  "switched_off",
  "archived",
]);

const finalCodes: ReadonlySet<Code> = new Set<Code>(["usage", "denied", "conflict", "too_large"]);

/** A refusal by Codex, or by our own side of the wire, that no retry gets past. */
export function isFinal(thrown: unknown): boolean {
  return (
    thrown instanceof DispatchError && (finalCodes.has(thrown.code) || finalRefusals.has(refusalOf(thrown)))
  );
}

/** The call may have been taken: the child died or fell silent with it in flight. */
export function isUnknown(thrown: unknown): boolean {
  return thrown instanceof DispatchError && thrown.data?.["outcome"] === "unknown";
}

/** The child lives, and may still do what it was asked. */
export function isUnanswered(thrown: unknown): boolean {
  return isUnknown(thrown) && (thrown as DispatchError).code === "timeout";
}
