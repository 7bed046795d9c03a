/**
 * Children of a daemon that died: ended before a new one is started, so that two never write one thread. Told by
 * group, pid, start time and boot, never by pid alone; a zombie is dead.
 */
import type { Clock } from "../base/clock.ts";
import { fail } from "../base/error.ts";
import { groupMembers, isGroupAlive } from "../base/identity.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { signalGroup } from "../base/spawn.ts";
import type { EpochRow } from "../core/model/ports/rows.ts";

/** `ended` is told of each epoch once its processes are gone, or once they could not be ended (`isLeft`). */
export async function endOrphans(
  epochs: readonly EpochRow[],
  ended: (id: EpochRow["id"], reason: string, isLeft: boolean) => void,
  clock: Clock,
  log: Log,
): Promise<void> {
  for (const epoch of epochs) {
    const isGone = await endOrphan(epoch, clock, log);
    ended(epoch.id, "its daemon died", !isGone);
  }
}

/** Before each start. Kills what is left of former children; throws `agent_down` while any of it lives. */
export async function refuseBesideLeft(epochs: readonly EpochRow[], clock: Clock): Promise<void> {
  for (const epoch of epochs) {
    if (!isGroupAlive(epoch)) continue;
    signalGroup(epoch.group, "SIGKILL");
    if (await leaves(epoch, clock, limits.process.termGraceMs)) continue;
    const pids = groupMembers(epoch.group);
    fail("agent_down", `an earlier Codex could not be ended: process ${pids.join(", ")} of it lives`, {
      hint: `end it: kill -KILL ${pids.join(" ")}; the next Codex is started once it is gone`,
    });
  }
}

/** Its stdin ended with its daemon, so a healthy one leaves by itself: measured, 20 ms to 3.5 s. */
async function endOrphan(epoch: EpochRow, clock: Clock, log: Log): Promise<boolean> {
  if (await leaves(epoch, clock, limits.process.orphanGraceMs)) return true;
  log.warn("an orphaned Codex is told to end", { pid: epoch.pid, epoch: epoch.id });
  signalGroup(epoch.group, "SIGTERM");
  if (await leaves(epoch, clock, limits.process.termGraceMs)) return true;
  signalGroup(epoch.group, "SIGKILL");
  if (await leaves(epoch, clock, limits.process.termGraceMs)) return true;
  log.error("an orphaned Codex could not be ended", { pid: epoch.pid, epoch: epoch.id });
  return false;
}

async function leaves(epoch: EpochRow, clock: Clock, graceMs: number): Promise<boolean> {
  const until = clock.monotonic() + graceMs;
  while (isGroupAlive(epoch)) {
    if (clock.monotonic() >= until) return false;
    await clock.sleep(limits.process.orphanLookEveryMs);
  }
  return true;
}
