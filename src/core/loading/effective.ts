/**
 * The complete settings of a thread, as Codex once reported them. Every resume sends them, and compares them with
 * Codex's answer. A resume that names only the kinds lets a thread gain the writable folders and the network that are
 * in the configuration file by then (facts F25).
 */
import { isAgent } from "../../base/agentid.ts";
import { errorMessage, fail } from "../../base/error.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Lane } from "../model/ports/rows.ts";
import type { EffectiveSettings, SandboxDetails, ThreadSettings } from "../model/ports/thread.ts";
import type { Permissions } from "../model/ruling.ts";

/**
 * The requested settings, with all that Codex reported: a resume without them can raise the rights of a thread (facts
 * F24).
 */
export function resumeSettings(lane: Pick<Lane, "settings" | "effective">): ThreadSettings {
  const { settings, effective } = lane;
  if (!effective) return settings;
  const kept: ThreadSettings = { ...settings, cwd: effective.cwd };
  if (effective.approval_policy !== null) kept.approval_policy = effective.approval_policy;
  if (effective.approval_details) kept.approval_details = effective.approval_details;
  if (effective.approvals_reviewer !== null) kept.approvals_reviewer = effective.approvals_reviewer;
  // A permission profile decides the sandbox; Codex refuses both at once (facts F26).
  if (effective.permission_profile !== null) kept.permission_profile = effective.permission_profile;
  else if (effective.sandbox !== null) kept.sandbox = effective.sandbox;
  if (kept.permission_profile !== undefined) delete kept.sandbox;
  if (kept.sandbox !== undefined && effective.sandbox_details)
    kept.sandbox_details = effective.sandbox_details;
  if (effective.model !== null) kept.model = effective.model;
  if (effective.model_provider !== null) kept.model_provider = effective.model_provider;
  if (effective.effort !== null) kept.effort = effective.effort;
  if (effective.service_tier !== null) kept.service_tier = effective.service_tier;
  // A fork has them too, whatever is sent (facts F71).
  if (effective.tools && effective.tools.length > 0) kept.tools = true;
  return kept;
}

/**
 * The stored settings. Details that an older dispatch did not store come from the newest turn. When no turn shows them
 * they stay unknown, and the next answer of Codex decides.
 */
export async function withDetails(deps: CoreDeps, lane: Lane): Promise<EffectiveSettings | null> {
  const { effective } = lane;
  if (!effective || effective.sandbox_details !== undefined) return effective;
  const ran = await lastTurnPermissions(deps, lane);
  if (ran?.sandbox !== effective.sandbox || ran.cwd !== effective.cwd) return effective;
  const { details, approval_details } = ran;
  return {
    ...effective,
    ...(details ? { sandbox_details: details } : {}),
    ...(approval_details ? { approval_details } : {}),
  };
}

/** What the newest turn of a thread ran with, from its rollout file; null when the file does not show it. */
export async function lastTurnPermissions(
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

/**
 * The stored settings, with what they lack from Codex's answer: details that an older dispatch did not store, and the
 * tools, which are a fact about the thread and no setting.
 */
export function keptEffective(known: EffectiveSettings | null, now: EffectiveSettings): EffectiveSettings {
  return { ...now, ...known, tools: now.tools ?? known?.tools ?? null };
}

const comparedFields = [
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
 * For a thread that was just created. Throws `conflict` when Codex's answer differs from its earlier answer (the thread
 * is created again), or from what an agent requested (an agent creates it).
 */
export function refuseUnexpected(
  { settings, created_by, effective }: Pick<Lane, "settings" | "created_by" | "effective">,
  now: EffectiveSettings,
): void {
  const expected = effective ?? (isAgent(created_by) ? requestedOf(settings) : {});
  const differing = differences(expected, now);
  if (differing.length === 0) return;
  fail("conflict", `Codex made the thread with other settings (${differing.join(", ")}); nothing was sent`, {
    hint: "dispatch doctor",
    data: { asked: expected, effective: now },
  });
}

/** The requested settings that Codex's answer reports too. */
export function requestedOf(settings: ThreadSettings): Partial<EffectiveSettings> {
  const { sandbox, approval_policy, sandbox_details, approval_details } = settings;
  const isWriter = sandbox === "workspace-write";
  return {
    ...(sandbox === undefined ? {} : { sandbox }),
    ...(approval_policy === undefined ? {} : { approval_policy }),
    // They are not sent for another sandbox.
    ...(sandbox_details && isWriter ? { sandbox_details } : {}),
    ...(approval_details ? { approval_details } : {}),
  };
}

/** One message for each difference, with the stored value and Codex's present one; empty: none. */
export function differences(stored: Partial<EffectiveSettings>, now: EffectiveSettings): string[] {
  return [
    ...comparedFields
      .filter((name) => stored[name] !== undefined && stored[name] !== now[name])
      .map((name) => `${name}: ${stored[name]} -> ${now[name]}`),
    ...(stored.sandbox_details ? detailDifferences(stored.sandbox_details, now.sandbox_details ?? null) : []),
    ...(stored.approval_details && !isEqual(stored.approval_details, now.approval_details)
      ? [`approvals: ${JSON.stringify(stored.approval_details)} -> ${JSON.stringify(now.approval_details)}`]
      : []),
  ];
}

function detailDifferences(stored: SandboxDetails, now: SandboxDetails | null): string[] {
  if (now === null) return ["Codex did not report the details of the sandbox"];
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

/** Compares JSON; the order of keys does not matter. */
function isEqual(left: unknown, right: unknown): boolean {
  return canonical(left) === canonical(right);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
