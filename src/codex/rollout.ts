/** Reads the rollout file, the only evidence of injected items (facts F8) and of the rights of a turn. */
import { limits } from "../base/limits.ts";
import { isToolNamespace } from "../contract/tools.ts";
import type { Permissions } from "../core/model/ruling.ts";
import { type Json, list, object, row, text, word } from "./read.ts";
import { sandboxDetails } from "./wire.ts";

/** True if the end of the file contains the item id. False when the file does not exist. */
export async function rolloutHolds(path: string, itemId: string): Promise<boolean> {
  return (await tailOf(path)).includes(JSON.stringify(itemId));
}

/** The rights of the newest turn, from its `turn_context` line. Null when there is no readable one. */
export async function rolloutPermissions(path: string): Promise<Permissions | null> {
  const lines = (await tailOf(path)).toString("utf8").split("\n").reverse();
  for (const line of lines) {
    const permissions = line.includes('"turn_context"') ? permissionsIn(line) : undefined;
    if (permissions !== undefined) return permissions;
  }
  return null;
}

/**
 * The namespaces of dispatch's tools that the thread was made with, from the first line of its file; a fork and a revert
 * copy them (facts F71). Null: the line could not be read.
 */
export async function rolloutTools(path: string | null): Promise<string[] | null> {
  if (path === null) return null;
  try {
    const meta = object(JSON.parse(await firstLine(path)));
    if (meta?.["type"] !== "session_meta") return null;
    return list(object(meta["payload"])?.["dynamic_tools"])
      .map((tool) => text(object(tool)?.["name"]) ?? "")
      .filter(isToolNamespace);
  } catch {
    // No file yet, or a first line that is longer than this or not whole.
    return null;
  }
}

async function firstLine(path: string): Promise<string> {
  const file = Bun.file(path);
  const { rolloutHeadBytes, rolloutHeadBytesMax } = limits.wire;
  const head = await file.slice(0, rolloutHeadBytes).text();
  const whole = head.includes("\n") ? head : await file.slice(0, rolloutHeadBytesMax).text();
  return whole.split("\n", 1)[0]!;
}

const sandboxes = {
  "read-only": "read-only",
  "workspace-write": "workspace-write",
  "danger-full-access": "danger-full-access",
} as const;

/** Undefined when it is not such a line. Null when the rights are not certain, as under a permission profile. */
function permissionsIn(line: string): Permissions | null | undefined {
  let entry: Json | undefined;
  try {
    entry = object(JSON.parse(line));
  } catch {
    // The line is cut, or the words are part of a text.
    return undefined;
  }
  if (entry?.["type"] !== "turn_context") return undefined;
  const context = object(entry["payload"]) ?? {};
  const policy = object(context["sandbox_policy"]);
  const sandbox = row(sandboxes, policy?.["type"]);
  const approval_policy = word(context["approval_policy"]);
  const granular = object(object(context["approval_policy"])?.["granular"]);
  const cwd = text(context["cwd"]);
  const hasProfile = object(context["active_permission_profile"]) !== undefined;
  return sandbox && approval_policy !== null && cwd !== null && !hasProfile
    ? {
        sandbox,
        approval_policy,
        cwd,
        details: sandboxDetails(policy),
        ...(granular ? { approval_details: granular } : {}),
      }
    : null;
}

async function tailOf(path: string): Promise<Buffer> {
  const file = Bun.file(path);
  if (!(await file.exists())) return Buffer.alloc(0);
  const tail = file.slice(Math.max(0, file.size - limits.wire.rolloutTailBytes));
  return Buffer.from(await tail.arrayBuffer());
}
