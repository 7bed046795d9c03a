/**
 * Threads whose work waits until a person acts: Codex refuses it and would refuse another attempt too, or opens the thread
 * without end. Kept in memory,
 * since the attempt is repeated with a back-off, with another Codex and with another daemon, and then the block is
 * found again.
 */
import { type DispatchError, errorMessage } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { clip } from "../model/clip.ts";
import type { CoreDeps } from "../model/deps.ts";
import { isOverdue } from "../model/live.ts";
import type { Ref } from "../model/ports/rows.ts";
import { isFinal, refusalOf } from "../model/refusal.ts";

/** Records a block for a refusal that no retry can get past, and for an opening that takes too long. Never throws. */
export function noteBlock(deps: CoreDeps, ref: Ref, thrown: unknown): void {
  const opening = deps.live.openings.get(ref);
  const isStuck = opening !== undefined && isOverdue(opening, deps.clock);
  if (!(isStuck || isFinal(thrown)) || !hasWork(deps, ref)) return;
  // A hold has its own reason, and ends in another way.
  if (deps.store.lanes.find(ref)?.hold_reason) return;
  const reason = clip(errorMessage(thrown), limits.thread.turnErrorCharsMax);
  const known = deps.live.blocked.get(ref);
  const named = hintOf(thrown as DispatchError, ref);
  const fork = `dispatch fork ${ref} --name NAME, with other settings`;
  const hint = named ?? `correct Codex's configuration, then: dispatch daemon retry; or ${fork}`;
  deps.live.blocked.set(ref, { reason, hint });
  if (known?.reason !== reason) appendBlockEvent(deps, ref, reason);
}

/** Null for a configuration: the hint of its refusal is for a command that can be repeated. */
function hintOf(thrown: DispatchError, ref: Ref): string | null {
  const refusal = refusalOf(thrown);
  if (refusal === "archived") return `dispatch restore ${ref}`;
  return refusal === "bad_config" ? null : thrown.hint;
}

/** False after a refused send, which stores nothing. */
function hasWork({ store }: CoreDeps, ref: Ref): boolean {
  const lane = store.lanes.find(ref);
  if (!lane) return false;
  const isSetUp = lane.setup === "ready" && lane.goal_setup === null;
  return !isSetUp || lane.pending > 0 || store.messages.inFlight(ref) !== undefined;
}

/** Its work went on, or no longer exists. Never throws. */
export function clearBlock(deps: CoreDeps, ref: Ref): void {
  if (deps.live.blocked.delete(ref)) appendBlockEvent(deps, ref, null);
}

/** The event wakes those who wait for the thread. */
function appendBlockEvent({ journal, log }: CoreDeps, ref: Ref, reason: string | null): void {
  const blocked = reason && clip(reason, limits.thread.previewCharsMax);
  try {
    journal.commit((change) =>
      change.append(
        blocked === null
          ? { kind: "thread.unblocked", lane: ref }
          : { kind: "thread.blocked", lane: ref, data: { reason: blocked } },
      ),
    );
  } catch (thrown) {
    log.warn("that a thread is blocked could not be recorded", { lane: ref, reason: errorMessage(thrown) });
  }
}
