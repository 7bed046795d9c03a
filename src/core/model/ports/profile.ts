/** The permission profiles that Codex offers in a directory. */

export interface PermissionProfile {
  id: string;
  description: string | null;
  /** The requirements of this machine allow a thread to use it. */
  allowed: boolean;
}

export interface ProfileStore {
  /** As last seen in this directory; `at` is epoch ms. */
  find(cwd: string): { profiles: PermissionProfile[]; at: number } | undefined;
  put(cwd: string, profiles: readonly PermissionProfile[], at: number): void;
  /** Deletes up to `limit` directories that were not looked at since `before`. Returns how many. */
  prune(before: number, limit: number): number;
}
