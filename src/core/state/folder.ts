/** The folder that a thread works in. Without it every command of a turn fails. */
import { fail } from "../../base/error.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Block } from "../model/live.ts";
import type { Lane } from "../model/ports/rows.ts";
import { writeLock } from "./lane.ts";

/** Throws `conflict`. */
export function refuseWithoutFolder(deps: CoreDeps, lane: Lane): void {
  const missing = missingFolder(deps, lane);
  if (missing) fail("conflict", missing.reason, { hint: missing.hint, data: { cwd: lane.cwd } });
}

/** Why no turn of the thread can work; null when one can, or when dispatch does not write the thread. */
export function missingFolder({ files }: CoreDeps, lane: Lane): Block | null {
  const { ref, cwd } = lane;
  const fault = writeLock(lane) === null ? files.folderFault(cwd) : null;
  if (fault === null) return null;
  const elsewhere = `dispatch fork ${ref} --name NAME --cwd DIR`;
  return fault === "missing"
    ? {
        reason: `the folder of thread ${ref} is gone: ${cwd}`,
        hint: `${elsewhere}, or make the folder again`,
      }
    : {
        reason: `the folder of thread ${ref} may not be entered: ${cwd}`,
        hint: `${elsewhere}, or let this user enter it`,
      };
}

/** The same of a folder that the user names. Throws `usage`. */
export function refuseFolder({ files }: CoreDeps, cwd: string, hint = "--cwd DIR"): void {
  const fault = files.folderFault(cwd);
  if (fault === "missing") fail("usage", `there is no directory ${cwd}`, { hint });
  if (fault === "closed") fail("usage", `the directory ${cwd} may not be entered`, { hint });
}
