import { limits } from "./limits.ts";
import { machineName } from "./machine.ts";

/**
 * The thread id of an agent whose thread is not known. No thread has this id, so such a caller has created nothing and
 * may create only threads with the least rights.
 */
export const unknownAgent = "unknown";

/**
 * What another machine is told of who calls: an agent of this one, or null, a person. No thread of Codex has an id with a
 * slash, so an agent of another machine is never one of the threads there. What it creates there is its own.
 */
export function callerElsewhere(agent: string | null, machine = machineName()): string | null {
  if (agent === null) return null;
  return `${machine.replace(/[^A-Za-z0-9._-]/g, "-").slice(0, limits.host.nameCharsMax)}/${agent}`;
}

export function isElsewhere(agent: string): boolean {
  return agent.includes("/");
}

export function isUnknownAgent(agent: string): boolean {
  return agent === unknownAgent || agent.endsWith(`/${unknownAgent}`);
}

/** The sender or creator as rows store it: an agent by its thread's id, a person by the surface. */
export function isAgent(by: string | null): boolean {
  return by !== null && !["cli", "mcp", "person"].includes(by);
}
