/** The folder that a thread works in. Without it every command of a turn fails. */
import { fail } from "../../base/error.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Block } from "../model/live.ts";
import type { Lane } from "../model/ports/rows.ts";
import { writeLock } from "./lane.ts";

/** Throws `conflict` when the folder is gone. */
export function refuseWithoutFolder(deps: CoreDeps, lane: Lane): void {
  const missing = missingFolder(deps, lane);
  if (missing) fail("conflict", missing.reason, { hint: missing.hint, data: { cwd: lane.cwd } });
}

/** Why no turn of the thread can work; null when its folder exists, or when dispatch does not write the thread. */
export function missingFolder({ files }: CoreDeps, lane: Lane): Block | null {
  const { ref, cwd } = lane;
  if (writeLock(lane) !== null || files.isDirectory(cwd)) return null;
  return {
    reason: `the folder of thread ${ref} is gone: ${cwd}`,
    hint: `dispatch fork ${ref} --name NAME --cwd DIR, or make the folder again`,
  };
}
