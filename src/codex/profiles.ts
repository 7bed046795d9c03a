/** The permission profiles that Codex offers in a directory: its own, and those of the configuration there. */
import { limits } from "../base/limits.ts";
import type { PermissionProfile } from "../core/model/ports/profile.ts";
import { type Json, list, object, text } from "./read.ts";

export async function permissionProfiles(
  read: (method: string, params: Json) => Promise<Json>,
  cwd: string,
): Promise<PermissionProfile[]> {
  const found: PermissionProfile[] = [];
  let cursor: string | null = null;
  do {
    const page = { cwd, cursor, limit: limits.wire.pageMax };
    const answer: Json = await read("permissionProfile/list", page);
    found.push(...list(answer["data"]).flatMap((profile) => profileFacts(object(profile)) ?? []));
    cursor = text(answer["nextCursor"]);
  } while (cursor !== null && found.length < limits.wire.profilesMax);
  return found;
}

function profileFacts(profile: Json | undefined): PermissionProfile | undefined {
  const id = text(profile?.["id"]);
  if (profile === undefined || id === null) return undefined;
  return { id, description: text(profile["description"]), allowed: profile["allowed"] === true };
}
