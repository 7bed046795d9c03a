import { limits } from "./limits.ts";

/**
 * The thread id of an agent whose thread is not known. No thread has this id, so such a caller has created nothing and
 * may create only threads with the least rights.
 */
export const unknownAgent = "unknown";

/**
 * An agent of another machine: no thread of Codex has an id with a slash, so it is never one of the threads here. What it
 * creates here is its own.
 */
export function agentElsewhere(machine: string, thread: string): string {
  return `${machine.replace(/[^A-Za-z0-9._-]/g, "-").slice(0, limits.host.nameCharsMax)}/${thread}`;
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
