/** What Codex refused, read from the error of a call. */
import { DispatchError } from "../../base/error.ts";
import type { Refusal } from "./ports/agent.ts";

const refusedCodes = new Set(["agent", "usage", "not_found"]);

/** Also of a refusal whose code is `usage` or `not_found`, because it is about what the user named. */
export function refusalOf(thrown: unknown): Refusal | undefined {
  return thrown instanceof DispatchError && refusedCodes.has(thrown.code)
    ? (thrown.data?.["reason"] as Refusal)
    : undefined;
}

/** The call may have been taken: the child died or fell silent with it in flight. */
export function isUnknown(thrown: unknown): boolean {
  return thrown instanceof DispatchError && thrown.data?.["outcome"] === "unknown";
}
