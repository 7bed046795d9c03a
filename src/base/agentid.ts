/**
 * The thread id of an agent whose thread is not known. No thread has this id, so such a caller has created nothing and
 * may create only threads with the least rights.
 */
export const unknownAgent = "unknown";

/** The sender or creator as rows store it: an agent by its thread's id, a person by the surface. */
export function isAgent(by: string | null): boolean {
  return by !== null && !["cli", "mcp", "person"].includes(by);
}
