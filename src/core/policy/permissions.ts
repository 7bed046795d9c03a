/** Compares how much threads may do by themselves. */

import type { SandboxDetails } from "../model/ports/thread.ts";
import type { Permissions } from "../model/ruling.ts";

/** From the least to the most; approval policies by how much runs without a question. */
const ranks = {
  sandbox: ["read-only", "workspace-write", "danger-full-access"],
  approval_policy: ["untrusted", "on-request", "never"],
} as const;

type RankedField = keyof typeof ranks;

/** The least permissions: those that a thread with unknown permissions may hand on. */
export const least = { sandbox: ranks.sandbox[0], approval_policy: ranks.approval_policy[0] } as const;

export function isRankedField(field: string): field is RankedField {
  return Object.hasOwn(ranks, field);
}

/** True also when one of the two values is not known: then they cannot be compared. */
export function exceeds(field: RankedField, wanted: string, own: string): boolean {
  const [wantedRank, ownRank] = [rankOf(field, wanted), rankOf(field, own)];
  return wantedRank < 0 || ownRank < 0 || wantedRank > ownRank;
}

/** -1: not known. */
function rankOf(field: RankedField, value: string): number {
  return (ranks[field] as readonly string[]).indexOf(value);
}

/** Whether they can be compared. `granular` cannot. */
export function isRanked({ sandbox, approval_policy }: Permissions): boolean {
  return rankOf("sandbox", sandbox) >= 0 && rankOf("approval_policy", approval_policy) >= 0;
}

/** A message why it is wider; undefined when it is not. `isInside` follows symbolic links. */
export function widerThan(
  wanted: Permissions,
  own: Permissions,
  isInside: (path: string, root: string) => boolean,
): string | undefined {
  if (exceeds("sandbox", wanted.sandbox, own.sandbox))
    return `its sandbox would be ${wanted.sandbox}, and the agent's is ${own.sandbox}`;
  if (exceeds("approval_policy", wanted.approval_policy, own.approval_policy))
    return `its approval policy would be ${wanted.approval_policy}, and the agent's is ${own.approval_policy}`;
  if (wanted.sandbox !== "workspace-write" || own.sandbox !== "workspace-write") return undefined;
  const roots = [own.cwd, ...(own.details?.writable_roots ?? [])];
  const outside = [wanted.cwd, ...(wanted.details?.writable_roots ?? [])].find(
    (folder) => !roots.some((root) => isInside(folder, root)),
  );
  if (outside !== undefined)
    return `it would write in ${outside}, and the agent writes in ${roots.join(", ")}`;
  const gains = (["network_access", "exclude_slash_tmp", "exclude_tmpdir"] as const).find((name) =>
    isWider(name, wanted.details ?? strictDetails, own.details ?? strictDetails),
  );
  return gains && `its sandbox would be wider: ${gains}`;
}

/** More is: network access that is allowed, and a temporary folder that is not excluded. */
function isWider(
  name: "network_access" | "exclude_slash_tmp" | "exclude_tmpdir",
  wanted: SandboxDetails,
  own: SandboxDetails,
): boolean {
  return name === "network_access" ? wanted[name] && !own[name] : !wanted[name] && own[name];
}

/** For an agent whose details are not known, and for the threads that it creates. */
export const strictDetails: SandboxDetails = {
  writable_roots: [],
  network_access: false,
  exclude_slash_tmp: true,
  exclude_tmpdir: true,
};

/** What Codex allows without any configuration. */
export const defaultDetails: SandboxDetails = {
  writable_roots: [],
  network_access: false,
  exclude_slash_tmp: false,
  exclude_tmpdir: false,
};

/** A thread that may run everything without a question may let another thread run anything. */
export function mayDelegateApproval(own: Permissions | null): boolean {
  return own?.sandbox === "danger-full-access" && own.approval_policy !== least.approval_policy;
}
