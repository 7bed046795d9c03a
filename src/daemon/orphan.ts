/**
 * Ends the Codex processes of a daemon that died, before a new Codex is started: two must never write one thread. They
 * are identified by group, pid, start time and boot id, never by pid alone. A zombie counts as dead.
 */
import type { Clock } from "../base/clock.ts";
import { fail } from "../base/error.ts";
import { groupMembers, isGroupAlive } from "../base/identity.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { signalGroup } from "../base/spawn.ts";
import type { EpochRow } from "../core/model/ports/rows.ts";

/** `ended` is called for each epoch when its processes have exited, or when they could not be ended (`isLeft`). */
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

/** Called before each start. Kills the remaining processes of former children. Throws `agent_down` while one lives. */
export async function refuseWhileOrphansLive(epochs: readonly EpochRow[], clock: Clock): Promise<void> {
  for (const epoch of epochs) {
    if (!isGroupAlive(epoch)) continue;
    signalGroup(epoch.group, "SIGKILL");
    if (await leaves(epoch, clock, limits.process.termGraceMs)) continue;
    const pids = groupMembers(epoch.group);
    fail("agent_down", `an earlier Codex could not be ended: its process ${pids.join(", ")} is still alive`, {
      hint: `kill -KILL ${pids.join(" ")}; afterwards the next Codex starts by itself`,
    });
  }
}

/** Its stdin was closed with its daemon, so a healthy Codex exits by itself in 20 ms to 3.5 s (facts F59). */
async function endOrphan(epoch: EpochRow, clock: Clock, log: Log): Promise<boolean> {
  if (await leaves(epoch, clock, limits.process.orphanGraceMs)) return true;
  log.warn("ending an orphaned Codex", { pid: epoch.pid, epoch: epoch.id });
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
