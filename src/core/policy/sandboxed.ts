/** Whether it is certain that an approval allows nothing that the sandbox of the thread would stop. */

import type { RequestKind } from "../../contract/words.ts";
import type { RequestFacts } from "../model/ports/request.ts";
import type { Lane } from "../model/ports/rows.ts";
import type { IsInside } from "../model/ruling.ts";

/** What an approval lets happen. The answer to a question, or a filled form, runs nothing. */
const effectOf: Record<RequestKind, "nothing" | "files" | "more"> = {
  command_approval: "more",
  file_change_approval: "files",
  permissions_approval: "more",
  mcp_tool_approval: "more",
  user_input: "nothing",
  elicitation: "nothing",
  tool_call: "more",
  current_time: "more",
  other: "more",
};

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
  if (effectOf[kind] === "nothing") return true;
  if (effectOf[kind] !== "files" || changes === null || asks.grant_root !== null) return false;
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
