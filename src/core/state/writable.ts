/** Refuses a write to a thread that dispatch does not write. */
import { fail } from "../../base/error.ts";
import type { Lane } from "../model/ports/rows.ts";
import { writeLock } from "./lane.ts";

/** Throws `authority` (another app or a sub-agent), `conflict` (archived) or `not_found` (gone). */
export function refuseUnwritable(lane: Lane): void {
  const reason = writeLock(lane);
  if (reason === null) return;
  if (lane.parent_id !== null)
    fail("authority", `thread ${lane.ref}: ${reason}`, { hint: `dispatch tail ${lane.ref}` });
  if (lane.source === "attached" && lane.archived_at === null && lane.gone_at === null)
    fail("authority", `thread ${lane.ref} is attached: ${reason}`, {
      hint: `dispatch take ${lane.ref}, or dispatch fork ${lane.ref} --name NAME, or let --queue do it: [policy] attached_queue = true`,
    });
  const hint = `dispatch ${lane.gone_at === null ? "restore" : "forget"} ${lane.ref}`;
  fail(lane.gone_at === null ? "conflict" : "not_found", `thread ${lane.ref}: ${reason}`, { hint });
}
