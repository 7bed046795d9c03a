/**
 * What an agent may do: a caller that the kernel, or its own word, shows to run in a Codex thread. A guard rail outside
 * a sandbox: a process that may do everything the user may do can have another program of the user call for it.
 */

import { unknownAgent } from "../../base/agentid.ts";
import { errorMessage, fail } from "../../base/error.ts";
import type { AgentPolicy } from "../../contract/words.ts";
import type { Answer } from "../model/answer.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Lane, Request } from "../model/ports/rows.ts";
import type { EffectiveSettings, ThreadSettings } from "../model/ports/thread.ts";
import type { Permissions } from "../model/ruling.ts";
import { isRanked, least, mayDelegateApproval, strictDetails, widerThan } from "../policy/permissions.ts";
import type { NewThread } from "./create.ts";
import { placeOf } from "./selector.ts";

/** Whose threads an op may be pointed at by an agent: any, those it created and its own, none. */
export type Reach = "any" | "created" | "never";

export interface AccessRequest {
  /** The command, as it is spelled. */
  cli: string;
  isRead: boolean;
  reach: Reach;
  /** The thread it is about, as a selector, and the receipt; null where it names none. */
  thread: string | null;
  receipt: string | null;
  /** The thread that the caller runs in. */
  agent: string;
}

/** A configuration that cannot be read frees nobody. */
function agentPolicyOf(deps: CoreDeps): AgentPolicy {
  try {
    return deps.policy().agents;
  } catch (thrown) {
    deps.log.warn("the configuration is broken, so agents are guarded", { reason: errorMessage(thrown) });
    return "guarded";
  }
}

/** Throws `denied`; and what a selector may throw. */
export function authorizeAgentCall(
  deps: CoreDeps,
  { cli, isRead, reach, thread, receipt, agent }: AccessRequest,
): void {
  if (isRead) return;
  const leash = agentPolicyOf(deps);
  if (leash === "free") return;
  const hint = persons(`dispatch ${cli}`);
  if (leash === "read") fail("denied", `agents may only read here, and "${cli}" is more than that`, { hint });
  if (reach === "any") return;
  if (reach === "created" && mayManage(deps, { thread, receipt, agent })) return;
  const what = thread === null && receipt === null ? "" : " what it did not create";
  fail("denied", `an agent may not "${cli}"${reach === "never" ? "" : what}`, { hint });
}

/** Not what another app made or writes by now, whoever attached it. */
function isMadeBy(agent: string, lane: Lane | undefined): boolean {
  return lane?.source === "own" && lane.created_by === agent && agent !== unknownAgent;
}

function mayManage(
  { store }: CoreDeps,
  { thread, receipt, agent }: Pick<AccessRequest, "thread" | "receipt" | "agent">,
) {
  const isOwn = (lane: Lane | undefined) => isMadeBy(agent, lane) || lane?.thread_id === agent;
  if (receipt !== null) {
    const message = store.messages.find(receipt);
    // That there is none is for the op itself to say.
    const isSender = message?.caller === agent && agent !== unknownAgent;
    return !message || isSender || isOwn(store.lanes.find(message.lane));
  }
  const place = thread === null ? undefined : placeOf(store, thread, agent);
  return place !== undefined && "ref" in place && isOwn(store.lanes.find(place.ref));
}

/** What an agent's new thread is to be: no more than the agent itself, and as much where it does not say. Throws `denied`. */
export async function leashed<T extends Pick<NewThread, "settings" | "requests" | "agent">>(
  deps: CoreDeps,
  draft: T,
): Promise<T> {
  if (!draft.agent || agentPolicyOf(deps) === "free") return draft;
  const own = await powerOf(deps, draft.agent);
  const { settings } = draft;
  refuseUnranked(settings);
  if (draft.requests === "approve" && !mayDelegateApproval(own)) {
    fail("denied", "a thread that approves its own questions may do more than this one", {
      hint: "--requests ask",
    });
  }
  const most: Permissions = own ?? { ...least, cwd: settings.cwd };
  const isSaid = settings.sandbox !== undefined && settings.approval_policy !== undefined;
  const kinds = { sandbox: most.sandbox, approval_policy: most.approval_policy, ...settings };
  // Else Codex's configuration would decide the rest of the sandbox, which may be more than the agent has.
  const isBound = kinds.sandbox === "workspace-write" && most.sandbox === "workspace-write";
  const filled = isBound ? { sandbox_details: most.details ?? strictDetails, ...kinds } : kinds;
  const wider = widerThan({ ...filled, details: filled.sandbox_details ?? null }, most, deps.files.isInside);
  if (wider === undefined && (own !== null || isSaid)) return { ...draft, settings: filled };
  const why = own
    ? `an agent creates no thread that may do more than itself: ${wider}`
    : "how much the calling thread may do is not known, so what it creates may do the least there is";
  const where = wider?.startsWith("it would write") ? ` --cwd ${most.cwd}` : "";
  fail("denied", why, {
    hint: `--sandbox ${most.sandbox} --approval-policy ${most.approval_policy}${where}; or ${persons("dispatch new")}`,
  });
}

/** What says nothing of power; everything else of Codex's own configuration might. */
const harmless = /^model_(verbosity|reasoning_\w+)$/;

/** What may widen a thread in ways that have no order. */
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
    hint: persons("dispatch new"),
  });
}

/**
 * An agent answers for the threads it created, never for itself; and what it may not run itself it does not let
 * another run. Throws `denied`.
 */
export async function refuseAnswer(
  deps: CoreDeps,
  request: Request,
  given: Answer,
  agent: string,
): Promise<void> {
  const lane = deps.store.lanes.find(request.lane);
  const hint = persons(`dispatch request answer ${request.id}`);
  if (lane?.thread_id === agent || request.asks?.sub_agent === agent)
    fail("denied", "an agent does not answer its own questions", { hint });
  // It may be the one that asks.
  if (agent === unknownAgent)
    fail("denied", "an agent whose thread is not known answers no questions", { hint });
  if (agentPolicyOf(deps) === "free") return;
  if (!isMadeBy(agent, lane))
    fail("denied", "an agent answers only what threads ask that it created", { hint });
  const isApproval = "decision" in given && given.decision.startsWith("approve");
  if (isApproval && !mayDelegateApproval(await powerOf(deps, agent)))
    fail("denied", "approving would let it do what the calling thread may not do itself", { hint });
}

function persons(command: string): string {
  return `a person may: ${command} (or set [policy] agents = "free")`;
}

/** Of a thread of ours what Codex answered; of another's what its newest turn runs with. Null: not known. */
async function powerOf(deps: CoreDeps, threadId: string): Promise<Permissions | null> {
  if (threadId === unknownAgent) return null;
  const lane = deps.store.lanes.findByThread(threadId);
  const power = lane?.source === "own" && lane.effective ? told(lane.effective) : await read(deps, threadId);
  return power && isRanked(power) ? power : null;
}

function told(effective: EffectiveSettings): Permissions | null {
  const { sandbox, approval_policy, permission_profile, cwd } = effective;
  const isSure = sandbox !== null && approval_policy !== null && permission_profile === null;
  return isSure ? { sandbox, approval_policy, cwd, details: effective.sandbox_details ?? null } : null;
}

async function read({ agent, log }: CoreDeps, threadId: string): Promise<Permissions | null> {
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
