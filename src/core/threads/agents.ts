/**
 * What an agent may do. An agent is a caller that runs in a Codex thread, as the kernel or the caller itself shows.
 * Outside a sandbox this is a guard rail only: a process with all rights of the user can let another program call for
 * it.
 */

import { isElsewhere, isUnknownAgent } from "../../base/agentid.ts";
import { errorMessage, fail } from "../../base/error.ts";
import type { AgentPolicy } from "../../contract/words.ts";
import type { Answer } from "../model/answer.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Lane, Request } from "../model/ports/rows.ts";
import type { EffectiveSettings, ThreadSettings } from "../model/ports/thread.ts";
import type { Permissions } from "../model/ruling.ts";
import { authorizeHost, type HostPolicy } from "../policy/hosts.ts";
import { isRanked, least, mayDelegateApproval, strictDetails, widerThan } from "../policy/permissions.ts";
import type { NewThread } from "./create.ts";
import { targetOf } from "./selector.ts";

/** The threads on which an agent may call an op: any, those that it created and its own, or none. */
export type Reach = "any" | "created" | "never";

export interface AccessRequest {
  /** The command as a user types it. */
  cli: string;
  isRead: boolean;
  reach: Reach;
  /** The selector of the thread that it is about, and the receipt; null: it names none. */
  thread: string | null;
  receipt: string | null;
  /** The thread that the caller runs in; null: a person. Asked only where it matters. */
  agent(): string | null;
}

/**
 * With a configuration that cannot be read, agents are guarded and use no other machine. An agent of another machine is
 * never free: what it may not do there it may not do here.
 */
function policyOf(deps: CoreDeps, agent: string | null): HostPolicy {
  try {
    const { agents, hosts } = deps.policy();
    const isFree = agents === "free" && !(agent !== null && isElsewhere(agent));
    return { agents: agents === "read" || isFree ? agents : "guarded", hosts };
  } catch (thrown) {
    deps.log.warn("the configuration is broken, so agents are guarded", { reason: errorMessage(thrown) });
    return { agents: "guarded", hosts: [] };
  }
}

/** `agent` null: another machine. */
export function agentPolicyOf(deps: CoreDeps, agent: string | null): AgentPolicy {
  return policyOf(deps, agent).agents;
}

/** Throws `denied`. */
export function authorizeHostUse(
  deps: CoreDeps,
  request: { host: string; isRead: boolean; agent: string | null },
): void {
  authorizeHost(policyOf(deps, request.agent), request);
}

/** Throws `denied`, and the errors of a selector. */
export function authorizeAgentCall(
  deps: CoreDeps,
  { cli, isRead, reach, thread, receipt, agent: who }: AccessRequest,
): void {
  if (isRead) return;
  const agent = who();
  if (agent === null) return;
  const policy = agentPolicyOf(deps, agent);
  if (policy === "free") return;
  const hint = forPerson(`dispatch ${cli}`);
  if (policy === "read")
    fail("denied", `agents may only read here, and "${cli}" is more than that`, { hint });
  if (reach === "any") return;
  if (reach === "created" && mayManage(deps, { thread, receipt, agent })) return;
  const what = thread === null && receipt === null ? "" : " what it did not create";
  fail("denied", `an agent may not "${cli}"${reach === "never" ? "" : what}`, { hint });
}

/** False for a thread that another app created or writes now, even if the agent attached it. */
function isMadeBy(agent: string, lane: Lane | undefined): boolean {
  return lane?.source === "own" && lane.created_by === agent && !isUnknownAgent(agent);
}

function mayManage(
  { store }: CoreDeps,
  { thread, receipt, agent }: Pick<AccessRequest, "thread" | "receipt"> & { agent: string },
) {
  const isOwn = (lane: Lane | undefined) => isMadeBy(agent, lane) || lane?.thread_id === agent;
  if (receipt !== null) {
    const message = store.messages.find(receipt);
    // The op itself reports that there is no such receipt.
    const isSender = message?.caller === agent && !isUnknownAgent(agent);
    return !message || isSender || isOwn(store.lanes.find(message.lane));
  }
  const place = thread === null ? undefined : targetOf(store, thread, agent);
  return place !== undefined && "ref" in place && isOwn(store.lanes.find(place.ref));
}

/**
 * Limits a new thread to the permissions of the agent that creates it; missing settings are filled with these. Throws
 * `denied`.
 */
export async function limitToAgent<T extends Pick<NewThread, "settings" | "requests" | "agent">>(
  deps: CoreDeps,
  draft: T,
): Promise<T> {
  if (!draft.agent || agentPolicyOf(deps, draft.agent) === "free") return draft;
  const own = await permissionsOf(deps, draft.agent);
  const { settings } = draft;
  refuseUnranked(settings);
  if (draft.requests === "approve" && !mayDelegateApproval(own)) {
    fail("denied", "a thread that approves its own questions may do more than this one", {
      hint: "--requests ask",
    });
  }
  if (settings.tools && !hasTools(deps, draft.agent) && !mayDelegateApproval(own)) {
    fail("denied", "a thread with tools calls dispatch without a question, and this one may not", {
      hint: "new --no-tools; a fork keeps the tools of its source",
    });
  }
  const most: Permissions = own ?? { ...least, cwd: settings.cwd };
  const isComplete = settings.sandbox !== undefined && settings.approval_policy !== undefined;
  const kinds = { sandbox: most.sandbox, approval_policy: most.approval_policy, ...settings };
  // Otherwise Codex's configuration would decide the rest of the sandbox, and may allow more than the agent has.
  const isBound = kinds.sandbox === "workspace-write" && most.sandbox === "workspace-write";
  const filled = isBound ? { sandbox_details: most.details ?? strictDetails, ...kinds } : kinds;
  const wider = widerThan({ ...filled, details: filled.sandbox_details ?? null }, most, deps.files.isInside);
  if (wider === undefined && (own !== null || isComplete)) return { ...draft, settings: filled };
  const why = own
    ? `an agent creates no thread that may do more than itself: ${wider}`
    : "how much the calling thread may do is not known, so what it creates may do the least there is";
  const where = wider?.startsWith("it would write") ? ` --cwd ${most.cwd}` : "";
  fail("denied", why, {
    hint: `--sandbox ${most.sandbox} --approval-policy ${most.approval_policy}${where}; or ${forPerson("dispatch new")}`,
  });
}

function hasTools({ store }: CoreDeps, threadId: string): boolean {
  return (store.lanes.findByThread(threadId)?.effective?.tools ?? []).length > 0;
}

/** The configuration keys of Codex that cannot widen permissions; any other key might. */
const harmless = /^model_(verbosity|reasoning_\w+)$/;

/** Refuses settings that may widen permissions and cannot be compared. */
function refuseUnranked(settings: ThreadSettings): void {
  const { permission_profile, approvals_reviewer, may_write_home, config = {} } = settings;
  const named = [
    ...(may_write_home ? ["dispatch's own files to write"] : []),
    ...(permission_profile === undefined ? [] : ["a permission profile"]),
    ...(approvals_reviewer === undefined || approvals_reviewer === "user" ? [] : ["another reviewer"]),
    ...Object.keys(config).filter((key) => !harmless.test(key)),
  ];
  if (named.length === 0) return;
  fail("denied", `an agent creates no thread with ${named.join(", ")}: it might do more than the agent`, {
    hint: forPerson("dispatch new"),
  });
}

/**
 * An agent may answer the requests of the threads that it created, never its own. It may not approve what it may not
 * run itself. Throws `denied`.
 */
export async function refuseAnswer(
  deps: CoreDeps,
  request: Request,
  given: Answer,
  agent: string,
): Promise<void> {
  const lane = deps.store.lanes.find(request.lane);
  const hint = forPerson(`dispatch request answer ${request.id}`);
  if (lane?.thread_id === agent || request.asks?.sub_agent === agent)
    fail("denied", "an agent does not answer its own questions", { hint });
  // It may be the thread that asks.
  if (isUnknownAgent(agent))
    fail("denied", "an agent whose thread is not known answers no questions", { hint });
  if (agentPolicyOf(deps, agent) === "free") return;
  if (!isMadeBy(agent, lane))
    fail("denied", "an agent answers only what threads ask that it created", { hint });
  const isApproval = "decision" in given && given.decision.startsWith("approve");
  if (isApproval && !mayDelegateApproval(await permissionsOf(deps, agent)))
    fail("denied", "approving would let it do what the calling thread may not do itself", { hint });
}

function forPerson(command: string): string {
  return `a person may: ${command} (or set [policy] agents = "free")`;
}

/** For a thread of ours, from Codex's answer; for another thread, from its newest turn. Null: not known. */
async function permissionsOf(deps: CoreDeps, threadId: string): Promise<Permissions | null> {
  if (isUnknownAgent(threadId) || isElsewhere(threadId)) return null;
  const lane = deps.store.lanes.findByThread(threadId);
  const permissions =
    lane?.source === "own" && lane.effective
      ? permissionsFrom(lane.effective)
      : await readPermissions(deps, threadId);
  return permissions && isRanked(permissions) ? permissions : null;
}

function permissionsFrom(effective: EffectiveSettings): Permissions | null {
  const { sandbox, approval_policy, permission_profile, cwd } = effective;
  const isSure = sandbox !== null && approval_policy !== null && permission_profile === null;
  return isSure ? { sandbox, approval_policy, cwd, details: effective.sandbox_details ?? null } : null;
}

async function readPermissions({ agent, log }: CoreDeps, threadId: string): Promise<Permissions | null> {
  try {
    const { path } = await agent.readThread(threadId);
    return path === null ? null : await agent.lastPermissions(path);
  } catch (thrown) {
    log.warn("what a calling thread may do could not be read", {
      thread: threadId,
      reason: errorMessage(thrown),
    });
    return null;
  }
}
