import type { Database } from "bun:sqlite";
import type { PermissionProfile, ProfileStore } from "../core/model/ports/profile.ts";
import { table } from "./table.ts";

export function profileStore(db: Database): ProfileStore {
  const rows = table<{ profiles: PermissionProfile[]; at: number }>(db, "permission_profiles", {
    json: ["profiles"],
  });
  return {
    find: (cwd) => rows.find("SELECT profiles, at FROM permission_profiles WHERE cwd = ?", cwd),
    put(cwd, profiles, at) {
      db.query(
        "INSERT INTO permission_profiles (cwd, profiles, at) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET profiles = ?2, at = ?3",
      ).run(cwd, JSON.stringify(profiles), at);
    },
    prune: (before, limit) =>
      db
        .query(
          "DELETE FROM permission_profiles WHERE cwd IN (SELECT cwd FROM permission_profiles WHERE at < +? LIMIT +?)",
        )
        .run(before, limit).changes,
  };
}
