/** The rollout file, read only: the one witness of injected items and of what a turn runs with (measured). */
import { limits } from "../base/limits.ts";
import type { Permissions } from "../core/model/ruling.ts";
import { type Json, object, row, text, word } from "./read.ts";
import { sandboxDetails } from "./wire.ts";

/** Looks at the end of the file. False when the file is not there: then nothing of the thread is. */
export async function rolloutHolds(path: string, itemId: string): Promise<boolean> {
  return (await tailOf(path)).includes(JSON.stringify(itemId));
}

/** What the newest turn runs with, as its `turn_context` line says. Null: there is none that can be read. */
export async function rolloutPower(path: string): Promise<Permissions | null> {
  const lines = (await tailOf(path)).toString("utf8").split("\n").reverse();
  for (const line of lines) {
    const power = line.includes('"turn_context"') ? powerIn(line) : undefined;
    if (power !== undefined) return power;
  }
  return null;
}

const sandboxes = {
  "read-only": "read-only",
  "workspace-write": "workspace-write",
  "danger-full-access": "danger-full-access",
} as const;

/** Undefined: no such line. Null: one that says nothing sure, as under a profile of the user's own. */
function powerIn(line: string): Permissions | null | undefined {
  let said: Json | undefined;
  try {
    said = object(JSON.parse(line));
  } catch {
    // Torn, or the words stood in a text.
    return undefined;
  }
  if (said?.["type"] !== "turn_context") return undefined;
  const context = object(said["payload"]) ?? {};
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
