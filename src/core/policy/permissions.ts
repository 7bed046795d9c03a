/** How much a thread may do by itself, and whether one may do more than another. */

import type { SandboxDetails } from "../model/ports/thread.ts";
import type { Permissions } from "../model/ruling.ts";

/** From the least to the most; approvals by how much is run without asking anybody. */
const ranks = {
  sandbox: ["read-only", "workspace-write", "danger-full-access"],
  approval_policy: ["untrusted", "on-request", "never"],
} as const;

type RankedField = keyof typeof ranks;

/** The least there is: what a thread whose own power is not known may hand on. */
export const least = { sandbox: ranks.sandbox[0], approval_policy: ranks.approval_policy[0] } as const;

export function isRankedField(field: string): field is RankedField {
  return Object.hasOwn(ranks, field);
}

/** What is not known is more than anything, and nothing can be told to be no more than it. */
export function exceeds(field: RankedField, wanted: string, own: string): boolean {
  const [asked, had] = [rankOf(field, wanted), rankOf(field, own)];
  return asked < 0 || had < 0 || asked > had;
}

/** -1: not known. */
function rankOf(field: RankedField, value: string): number {
  return (ranks[field] as readonly string[]).indexOf(value);
}

/** Can it be told from more and from less? Of `granular` it cannot. */
export function isRanked({ sandbox, approval_policy }: Permissions): boolean {
  return rankOf("sandbox", sandbox) >= 0 && rankOf("approval_policy", approval_policy) >= 0;
}

/** In words; undefined when it is not wider. `isInside` follows symbolic links. */
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

/** Network is more where it is let, a temporary folder where it is not left out. */
function isWider(
  name: "network_access" | "exclude_slash_tmp" | "exclude_tmpdir",
  wanted: SandboxDetails,
  own: SandboxDetails,
): boolean {
  return name === "network_access" ? wanted[name] && !own[name] : !wanted[name] && own[name];
}

/** Of an agent whose own details are not known, and of what it makes: the sender fills them in for every workspace. */
export const strictDetails: SandboxDetails = {
  writable_roots: [],
  network_access: false,
  exclude_slash_tmp: true,
  exclude_tmpdir: true,
};

/** What Codex lets where its configuration says nothing. */
export const defaultDetails: SandboxDetails = {
  writable_roots: [],
  network_access: false,
  exclude_slash_tmp: false,
  exclude_tmpdir: false,
};

/** Whoever may run everything unasked may let another run anything. */
export function mayDelegateApproval(own: Permissions | null): boolean {
  return own?.sandbox === "danger-full-access" && own.approval_policy !== least.approval_policy;
}
