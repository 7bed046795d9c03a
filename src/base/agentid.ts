/**
 * In place of a thread's id: the caller is an agent, and which thread it runs in is not known. No thread has this id, so
 * the caller has created nothing, runs in nothing, and may create only what may do the least.
 */
export const unknownAgent = "unknown";

/** Of who sent or created something, as rows keep it: an agent by its thread's id, a person by the surface. */
export function isAgent(by: string | null): boolean {
  return by !== null && by !== "cli" && by !== "mcp";
}
