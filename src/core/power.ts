/** How much a thread may do by itself, and whether one may do more than another. */
import type { Sandbox } from "./ports/thread.ts";

export interface Power {
  sandbox: Sandbox;
  approval_policy: string;
  cwd: string;
}

/** The least there is: what a thread whose own power is not known may hand on. */
export const least = { sandbox: "read-only", approval_policy: "untrusted" } as const;

const sandboxes: Record<Sandbox, number> = { "read-only": 0, "workspace-write": 1, "danger-full-access": 2 };

/** By how much is run without asking anybody. */
const approvals: Record<string, number> = { untrusted: 0, "on-request": 1, never: 2 };

/** A policy that is not known is more than all; nobody has it, see `isRanked`. */
function rankOf({ approval_policy: policy }: Power): number {
  return Object.hasOwn(approvals, policy) ? approvals[policy]! : Infinity;
}

/** Can it be told from more and from less? Of `granular` it cannot. */
export function isRanked(power: Power): boolean {
  return rankOf(power) < Infinity;
}

/** In words; undefined when it is not wider. `isInside` follows symbolic links. */
export function widerThan(
  wanted: Power,
  own: Power,
  isInside: (path: string, root: string) => boolean,
): string | undefined {
  if (sandboxes[wanted.sandbox] > sandboxes[own.sandbox])
    return `its sandbox would be ${wanted.sandbox}, and the agent's is ${own.sandbox}`;
  if (rankOf(wanted) > rankOf(own))
    return `its approval policy would be ${wanted.approval_policy}, and the agent's is ${own.approval_policy}`;
  const writesElsewhere =
    wanted.sandbox === "workspace-write" &&
    own.sandbox === "workspace-write" &&
    !isInside(wanted.cwd, own.cwd);
  return writesElsewhere ? `it would write in ${wanted.cwd}, and the agent writes in ${own.cwd}` : undefined;
}

/** Whoever may run everything unasked may let another run anything. */
export function mayLet(own: Power | null): boolean {
  return own?.sandbox === "danger-full-access" && own.approval_policy !== least.approval_policy;
}
