/** Whether it is certain that an approval allows nothing that the sandbox of the thread would stop. */

import type { RequestFacts } from "../model/ports/request.ts";
import type { Lane } from "../model/ports/rows.ts";
import type { IsInside } from "../model/ruling.ts";

/**
 * True for a patch inside the thread's writable folder only. An approved command may leave the sandbox under every
 * approval policy (facts F42). Under `on-request` and `granular` it runs outside at once. Under `untrusted` it does so
 * when it requests it; and when the sandbox stops it, or seems to, Codex runs it again outside without a question. An
 * MCP tool never runs in the sandbox, and permissions widen it. What a sub-agent may write is not known here.
 */
export function staysInside(
  { kind, changes, asks }: Pick<RequestFacts, "kind" | "changes" | "asks">,
  { effective, cwd }: Pick<Lane, "effective" | "cwd">,
  isInside: IsInside,
): boolean {
  // The answer to a question, or a filled form, runs nothing.
  if (kind === "user_input" || kind === "elicitation") return true;
  if (kind !== "file_change_approval" || changes === null || asks.grant_root !== null) return false;
  if (effective?.sandbox !== "workspace-write" || effective.permission_profile !== null) return false;
  if (asks.sub_agent !== null) return false;
  return changes.every(({ path, to }) => [path, to ?? path].every((file) => isWritable(file, cwd, isInside)));
}

/** Folders that stay read-only inside a writable one. */
const guarded: ReadonlySet<string> = new Set([".git", ".codex", ".agents"]);

function isWritable(path: string, root: string, isInside: IsInside): boolean {
  const parts = path.split("/");
  if (!path.startsWith("/") || parts.includes("..")) return false;
  return !parts.some((part) => guarded.has(part.toLowerCase())) && isInside(path, root);
}
