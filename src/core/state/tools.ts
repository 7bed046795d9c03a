/** Whether a thread has dispatch's own tools, from what Codex's record of it shows. */
import { limits } from "../../base/limits.ts";
import { toolNamespace } from "../../contract/tools.ts";
import type { Change } from "../model/journal.ts";
import type { Lane } from "../model/ports/rows.ts";
import type { EffectiveSettings } from "../model/ports/thread.ts";

type ToolFields = Pick<Lane, "settings" | "effective">;

/** The namespace of its tools, before it is made the requested one; null: it has none. */
export function toolsOf({ settings, effective }: ToolFields): string | null {
  if (effective?.tools) return effective.tools.at(-1) ?? null;
  return settings.tools ? toolNamespace : null;
}

const lostWords =
  "Codex does not offer dispatch's tools in this thread any more; `dispatch new --tools` makes one that has them";

/** A warning about a thread that should have tools and has none. */
export function toolWarnings({ settings, effective }: ToolFields): string[] {
  return settings.tools && effective?.tools?.length === 0 ? [lostWords] : [];
}

/** What the log says when a resume shows that they are gone. Inside a transaction. */
export function noteTools(change: Change, lane: Lane, now: EffectiveSettings): void {
  const isNew = toolWarnings(lane).length === 0 && toolWarnings({ ...lane, effective: now }).length > 0;
  if (!isNew || lane.thread_id === null) return;
  const warning = lostWords.slice(0, limits.thread.previewCharsMax);
  const data = { warning, server: null, thread_id: lane.thread_id };
  change.append({ kind: "thread.warned", lane: lane.ref, data });
}
