/** The permission profiles of a directory: live when Codex runs, else as they were last seen there. */
import { iso } from "../../base/clock.ts";
import { limits } from "../../base/limits.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { PermissionProfile } from "../model/ports/profile.ts";
import { refuseFolder } from "../state/folder.ts";

export interface Profiles {
  cwd: string;
  profiles: PermissionProfile[];
  as_of: string | null;
  source: "live" | "registry";
}

export async function profiles(deps: CoreDeps, cwd: string, refresh: boolean): Promise<Profiles> {
  const { agent, store, journal, clock } = deps;
  if (!refresh) {
    const known = store.profiles.find(cwd);
    return { cwd, profiles: known?.profiles ?? [], as_of: known ? iso(known.at) : null, source: "registry" };
  }
  refuseFolder(deps, cwd);
  await agent.ready(limits.codex.readyWaitMs);
  const found = await agent.listProfiles(cwd);
  const at = clock.now();
  journal.note(() => store.profiles.put(cwd, found, at));
  return { cwd, profiles: found, as_of: iso(at), source: "live" };
}
