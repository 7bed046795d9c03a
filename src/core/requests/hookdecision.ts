/** Records the approvals that a hook of Codex decided, since neither a person nor a rule of dispatch did. */
import { errorMessage } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { clip } from "../model/clip.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import type { HookDecision } from "../model/ports/agentevent.ts";
import type { Lane } from "../model/ports/rows.ts";
import { lineOf } from "../state/itemline.ts";
import { parentLane } from "./request.ts";

/** Inside the batch's transaction; for a sub-agent after it, on the thread that it works for. */
export function hookDecided(deps: CoreDeps, change: Change, decided: HookDecision): void {
  const lane = deps.store.lanes.findByThread(decided.thread_id);
  if (lane) append(change, lane, decided);
  else change.after(() => void recordAbove(deps, decided));
}

async function recordAbove(deps: CoreDeps, decided: HookDecision): Promise<void> {
  const lane = await parentLane(deps, decided.thread_id);
  if (!lane) return;
  try {
    deps.journal.commit((change) => append(change, lane, decided));
  } catch (thrown) {
    deps.log.warn("what a hook of Codex decided was not recorded", {
      thread: decided.thread_id,
      decision: decided.decision,
      reason: errorMessage(thrown),
    });
  }
}

function append(change: Change, lane: Lane, decided: HookDecision): void {
  const { thread_id, turn_id, item_id, decision, hooks, words, item } = decided;
  const summary = item ? lineOf(item, lane.cwd) : (words ?? "it gave no reason");
  change.append({
    kind: "request.answered",
    lane: lane.ref,
    turn_id,
    data: {
      decision,
      by: "a hook of Codex",
      summary: clip(summary, limits.thread.previewCharsMax),
      item_id,
      ...(thread_id === lane.thread_id ? {} : { sub_agent: thread_id }),
      hooks: hooks
        .slice(0, limits.request.hooksShownMax)
        .map(({ source, path }) => ({ source, path: path && clip(path, limits.request.hookPathCharsMax) })),
    },
  });
}
