/**
 * Whether a person or an agent is at the other end of a connection. Decided from the kernel, since every process of the
 * same user may say what it likes: its namespaces and seccomp state tell a sandbox, its parents tell what started it.
 *
 * A boundary towards a sandbox. Outside one it is a guard rail: a process that may do everything the user may do can
 * have another program of the user call for it.
 */
import { unknownAgent } from "../base/agentid.ts";
import { DispatchError } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import { type Confinement, type Processes, systemProcesses, variableIn } from "../base/process.ts";
import type { Caller } from "../ops/protocol.ts";
import { isUsersProgram } from "./notify.ts";

export type Origin =
  | { kind: "person" }
  /** `thread`: Codex's id of the thread that it runs in, where a parent's environment names it. */
  | { kind: "agent"; thread: string | null; why: string }
  /** Not let in. */
  | { kind: "refused"; why: string };

/** Codex sets these for each shell that it starts. */
const agentVariables = ["CODEX_THREAD_ID", "CODEX_SANDBOX", "CODEX_SANDBOX_NETWORK_DISABLED"];

/** `self` is the daemon. It adopts what a child of Codex leaves behind, so a detached process is a descendant too. */
export function originOf(
  pid: number,
  processes: Processes = systemProcesses,
  self: number = process.pid,
  isUsers: (pid: number) => boolean = isUsersProgram,
): Origin {
  const first = pid > 0 ? processes.parentOf(pid) : undefined;
  if (first === undefined)
    return {
      kind: "refused",
      why: "the calling process cannot be seen from here: it ended, or runs in another container",
    };
  const confined = confinedMore(processes.confinementOf(pid), processes.confinementOf(self));
  if (confined) {
    return {
      kind: "refused",
      why: `this shell is sandboxed (${confined}); use the dispatch MCP tools or ask to run outside the sandbox`,
    };
  }
  const line = lineOf(pid, first, processes, self);
  // A program of the user's that the daemon runs is a child of it, as Codex is. What it starts may still be a Codex.
  const known = line.some(isUsers) ? line.filter((one) => one !== self) : line;
  return agentAmong(known, processes, self) ?? { kind: "person" };
}

/** What the process lacks that the daemon has, in words; undefined where it is as free as the daemon. */
function confinedMore(peer: Confinement | undefined, own: Confinement | undefined): string | undefined {
  // Where the daemon cannot look at itself the system tells of no confinement at all.
  if (own === undefined) return undefined;
  if (peer === undefined) return "its state cannot be read";
  if (peer.user !== own.user) return "it has another user namespace than the daemon";
  if (peer.mount !== own.mount) return "it sees other files than the daemon: another mount namespace";
  if (peer.isFiltered && !own.isFiltered) return "its system calls are filtered";
  if (peer.isNoNewPrivs && !own.isNoNewPrivs) return "it may gain no privileges";
  return undefined;
}

/** The process, its parent, and so on up to the daemon or to the first process of all. */
function lineOf(pid: number, first: number, processes: Processes, self: number): number[] {
  const line = [pid];
  for (
    let parent: number | undefined = first;
    parent !== undefined && parent > 0 && line.length < limits.process.ancestorsMax;
    parent = parent === self ? undefined : processes.parentOf(parent)
  )
    line.push(parent);
  return line;
}

/** The thread is read from the outermost process that names one: Codex started it, and what it started may say anything. */
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
    // What the caller's own environment says is its own word.
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

/** Who calls, from what the kernel says and what the caller says: a claim may only make it less than a person. */
export function callerFrom(origin: Origin, claim: Caller): Caller {
  if (origin.kind !== "agent") return claim;
  return { ...claim, thread_id: origin.thread ?? claim.thread_id ?? unknownAgent };
}

/** A person who is taken for an agent learns why from the refusal. */
export function withReason(error: DispatchError, origin: Origin): DispatchError {
  if (error.code !== "denied" || origin.kind !== "agent") return error;
  const { code, message, hint, data } = error;
  const more = { ...(hint === null ? {} : { hint }), data: { ...data, agent_because: origin.why } };
  return new DispatchError(code, `${message} (an agent calls: ${origin.why})`, { ...more, cause: error });
}
