/**
 * The whole of what a thread may do, as Codex once answered it: sent back with every resume, and compared with what Codex
 * then answers. A resume that named only the kinds let threads gain writable folders and network that came into the
 * configuration file later (measured).
 */
import { isAgent } from "../../base/agentid.ts";
import { errorMessage, fail } from "../../base/error.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Lane } from "../model/ports/rows.ts";
import type { EffectiveSettings, SandboxDetails, ThreadSettings } from "../model/ports/thread.ts";
import type { Permissions } from "../model/ruling.ts";

/** What was asked for, with all that Codex then said it really uses: a bare resume was measured to raise power. */
export function pinned(lane: Pick<Lane, "settings" | "effective">): ThreadSettings {
  const { settings, effective } = lane;
  if (!effective) return settings;
  const kept: ThreadSettings = { ...settings, cwd: effective.cwd };
  if (effective.approval_policy !== null) kept.approval_policy = effective.approval_policy;
  if (effective.approval_details) kept.approval_details = effective.approval_details;
  if (effective.approvals_reviewer !== null) kept.approvals_reviewer = effective.approvals_reviewer;
  // A permission profile decides the sandbox; Codex refuses the two together (measured).
  if (effective.permission_profile !== null) kept.permission_profile = effective.permission_profile;
  else if (effective.sandbox !== null) kept.sandbox = effective.sandbox;
  if (kept.permission_profile !== undefined) delete kept.sandbox;
  if (kept.sandbox !== undefined && effective.sandbox_details)
    kept.sandbox_details = effective.sandbox_details;
  if (effective.model !== null) kept.model = effective.model;
  if (effective.model_provider !== null) kept.model_provider = effective.model_provider;
  if (effective.effort !== null) kept.effort = effective.effort;
  if (effective.service_tier !== null) kept.service_tier = effective.service_tier;
  return kept;
}

/**
 * The stored settings, with the details that an older dispatch did not keep, as the newest turn ran with them. Where no
 * turn tells them they stay unknown, and the next answer of Codex decides.
 */
export async function completed(deps: CoreDeps, lane: Lane): Promise<EffectiveSettings | null> {
  const { effective } = lane;
  if (!effective || effective.sandbox_details !== undefined) return effective;
  const ran = await lastRan(deps, lane);
  if (ran?.sandbox !== effective.sandbox || ran.cwd !== effective.cwd) return effective;
  const { details, approval_details } = ran;
  return {
    ...effective,
    ...(details ? { sandbox_details: details } : {}),
    ...(approval_details ? { approval_details } : {}),
  };
}

/** What the newest turn of a thread ran with, from its rollout file; null where that does not tell it. */
export async function lastRan(
  { agent, log }: CoreDeps,
  { ref, rollout_path }: Pick<Lane, "ref" | "rollout_path">,
): Promise<Permissions | null> {
  if (rollout_path === null) return null;
  try {
    return await agent.lastPermissions(rollout_path);
  } catch (thrown) {
    log.warn("what a thread's last turn ran with could not be read", {
      lane: ref,
      reason: errorMessage(thrown),
    });
    return null;
  }
}

const plain = [
  "cwd",
  "sandbox",
  "approval_policy",
  "approvals_reviewer",
  "permission_profile",
  "profile_extends",
  "model",
  "model_provider",
] as const satisfies readonly (keyof EffectiveSettings)[];

/**
 * Of a thread that was just made: Codex answered what it was made with before, where it is made again, and no more than
 * an agent asked for, where an agent makes it. Throws `conflict`.
 */
export function refuseOtherThanAsked(
  { settings, created_by, effective }: Pick<Lane, "settings" | "created_by" | "effective">,
  now: EffectiveSettings,
): void {
  const wanted = effective ?? (isAgent(created_by) ? askedOf(settings) : {});
  const differing = differences(wanted, now);
  if (differing.length === 0) return;
  fail("conflict", `Codex made the thread with other settings (${differing.join(", ")}); nothing was sent`, {
    hint: "dispatch doctor",
    data: { asked: wanted, effective: now },
  });
}

/** Of what was asked for, what Codex's answer tells of. */
export function askedOf(settings: ThreadSettings): Partial<EffectiveSettings> {
  const { sandbox, approval_policy, sandbox_details, approval_details } = settings;
  const isWriter = sandbox === "workspace-write";
  return {
    ...(sandbox === undefined ? {} : { sandbox }),
    ...(approval_policy === undefined ? {} : { approval_policy }),
    // Of another sandbox they are not sent.
    ...(sandbox_details && isWriter ? { sandbox_details } : {}),
    ...(approval_details ? { approval_details } : {}),
  };
}

/** In words, each naming what is stored and what Codex answered now; none: they are the same. */
export function differences(stored: Partial<EffectiveSettings>, now: EffectiveSettings): string[] {
  return [
    ...plain
      .filter((name) => stored[name] !== undefined && stored[name] !== now[name])
      .map((name) => `${name}: ${stored[name]} -> ${now[name]}`),
    ...(stored.sandbox_details ? detailDifferences(stored.sandbox_details, now.sandbox_details ?? null) : []),
    ...(stored.approval_details && !isEqual(stored.approval_details, now.approval_details)
      ? [`approvals: ${JSON.stringify(stored.approval_details)} -> ${JSON.stringify(now.approval_details)}`]
      : []),
  ];
}

function detailDifferences(stored: SandboxDetails, now: SandboxDetails | null): string[] {
  if (now === null) return ["the sandbox's details are not told"];
  const gained = now.writable_roots.filter((root) => !stored.writable_roots.includes(root));
  const lost = stored.writable_roots.filter((root) => !now.writable_roots.includes(root));
  const { writable_roots: _stored, ...own } = stored;
  const { writable_roots: _now, ...other } = now;
  return [
    ...gained.map((root) => `may now write ${root}`),
    ...lost.map((root) => `may no longer write ${root}`),
    ...Object.entries({ ...own, ...other })
      .map(([name]) => name as keyof typeof own)
      .filter((name) => !isEqual(own[name], other[name]))
      .map((name) => `${name}: ${JSON.stringify(own[name])} -> ${JSON.stringify(other[name])}`),
  ];
}

/** Of JSON, whatever the order of its keys. */
function isEqual(one: unknown, other: unknown): boolean {
  return canonical(one) === canonical(other);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
