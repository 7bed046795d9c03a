/**
 * Decides whether a connection comes from a person or an agent. It uses what the kernel knows, because a process can
 * claim anything: namespaces and seccomp state show a sandbox, the parents show what started the process.
 *
 * Against a sandboxed process this is a boundary. Outside a sandbox it is a guard rail: a process with the user's rights
 * can make another program of the user call.
 */
import { isElsewhere, unknownAgent } from "../base/agentid.ts";
import { readEnv } from "../base/env.ts";
import { DispatchError, fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import { type Confinement, type Processes, systemProcesses, variableIn } from "../base/process.ts";
import type { Caller } from "../ops/protocol.ts";
import { isUsersProgram } from "./notify.ts";

export type Origin =
  | { kind: "person" }
  /** `thread`: the id of its Codex thread, if a parent's environment names it. */
  | { kind: "agent"; thread: string | null; why: string }
  /** The connection is refused. */
  | { kind: "refused"; why: string };

/** Codex sets these for each shell that it starts. */
const agentVariables = ["CODEX_THREAD_ID", "CODEX_SANDBOX", "CODEX_SANDBOX_NETWORK_DISABLED"];

/** Why a connection of the process `pid` is refused at once; undefined: it is not. `self`: the pid of the daemon. */
export function refusalOf(
  pid: number,
  processes: Processes = systemProcesses,
  self: number = process.pid,
): string | undefined {
  if (pid <= 0 || processes.parentOf(pid) === undefined)
    return "the daemon cannot see the calling process: it ended, or it runs in another container";
  const confined = confinedMore(processes.confinementOf(pid), processes.confinementOf(self));
  return confined === undefined
    ? undefined
    : `this shell is sandboxed (${confined}); use the dispatch MCP tools or ask to run outside the sandbox`;
}

/**
 * The origin of the process `pid`. `self` is the pid of the daemon, which is the subreaper of Codex's processes: so a
 * detached process of Codex is a descendant of the daemon too.
 */
export function originOf(
  pid: number,
  processes: Processes = systemProcesses,
  self: number = process.pid,
  isUsers: (pid: number) => boolean = isUsersProgram,
): Origin {
  const why = refusalOf(pid, processes, self);
  if (why !== undefined) return { kind: "refused", why };
  const line = lineOf(pid, processes, self);
  // A program of the user's that the daemon runs is a child of it, as Codex is. What it starts may still be a Codex.
  const known = line.some(isUsers) ? line.filter((one) => one !== self) : line;
  return agentAmong(known, processes, self) ?? { kind: "person" };
}

/** How the process is more confined than the daemon, for the message. Undefined when it is not. */
function confinedMore(peer: Confinement | undefined, own: Confinement | undefined): string | undefined {
  // If the daemon cannot read its own state, the system reports no confinement at all.
  if (own === undefined) return undefined;
  if (peer === undefined) return "its state cannot be read";
  if (peer.user !== own.user) return "it has another user namespace than the daemon";
  if (peer.mount !== own.mount) return "it has another mount namespace than the daemon";
  if (peer.isFiltered && !own.isFiltered) return "its system calls are filtered";
  if (peer.isNoNewPrivs && !own.isNoNewPrivs) return "it has the flag no_new_privs";
  return undefined;
}

/** The process, its parent, and so on up to the daemon or to the first process. */
function lineOf(pid: number, processes: Processes, self: number): number[] {
  const line = [pid];
  for (
    let parent = processes.parentOf(pid);
    parent !== undefined && parent > 0 && line.length < limits.process.ancestorsMax;
    parent = parent === self ? undefined : processes.parentOf(parent)
  )
    line.push(parent);
  return line;
}

/**
 * The agent among the process and its parents. The thread comes from the outermost process that names one: Codex started
 * that one, and the environment of its descendants can be changed by them.
 */
function agentAmong(line: readonly number[], processes: Processes, self: number): Origin | undefined {
  const isOurs = line.at(-1) === self;
  let found: { pid: number; thread: string | null } | undefined;
  for (const pid of line) {
    if (pid === self) continue;
    const environment = processes.environmentOf(pid);
    if (
      environment === undefined ||
      !agentVariables.some((name) => variableIn(environment, name) !== undefined)
    )
      continue;
    found = { pid, thread: variableIn(environment, "CODEX_THREAD_ID") || found?.thread || null };
  }
  if (isOurs) {
    const why = "the calling process was started by Codex";
    // The caller's own environment proves nothing.
    return { kind: "agent", thread: found && found.pid !== line[0] ? found.thread : null, why };
  }
  if (found === undefined) return undefined;
  const where = found.pid === line[0] ? "it" : `process ${found.pid}, which started it,`;
  return {
    kind: "agent",
    thread: found.thread,
    why: `${where} has CODEX_THREAD_ID or CODEX_SANDBOX in its environment`,
  };
}

/**
 * The caller, from its origin and its claim. A claim can only reduce rights: a person can claim to be an agent. An answer
 * of the person at an MCP host names the thread that made the host ask; it counts only where Codex started the server.
 *
 * The origin is asked for when an op asks who calls: most reads do not, and to look at each parent of a process takes
 * longer than they do (measured). Then `thread_id` throws `denied` for a process that is refused by now.
 */
export function callerFrom(originOf: () => Origin, { cwd, ...claimed }: Caller): Caller {
  // A client on another machine has no directory here.
  const claim: Caller = { ...claimed, cwd: cwd || (readEnv().HOME ?? "/") };
  return {
    kind: claim.kind,
    cwd: claim.cwd,
    get thread_id() {
      return threadFrom(originOf(), claim);
    },
  };
}

function threadFrom(origin: Origin, claim: Caller): string | null {
  if (origin.kind === "refused") return fail("denied", origin.why);
  if (origin.kind === "agent") return origin.thread ?? claim.thread_id ?? unknownAgent;
  const isAgentElsewhere = claim.thread_id !== null && isElsewhere(claim.thread_id);
  return claim.kind === "person" && !isAgentElsewhere ? null : claim.thread_id;
}

/** Adds to a refusal why the caller counts as an agent. */
export function withReason(error: DispatchError, originOf: () => Origin): DispatchError {
  if (error.code !== "denied") return error;
  const origin = originOf();
  if (origin.kind !== "agent") return error;
  const { code, message, hint, data } = error;
  const more = { ...(hint === null ? {} : { hint }), data: { ...data, agent_because: origin.why } };
  return new DispatchError(code, `${message} (an agent calls: ${origin.why})`, { ...more, cause: error });
}
