/** Where a repository begins. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The nearest directory at or above that holds `.git`: a folder, or the file of a worktree or submodule. */
export function repositoryOf(directory: string): string | null {
  for (let at = directory; ; at = dirname(at)) {
    if (existsSync(join(at, ".git"))) return at;
    if (dirname(at) === at) return null;
  }
}
