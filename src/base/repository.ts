/** Where a repository begins. */
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

/** The nearest directory at or above that holds `.git`: a folder, or the file of a worktree or submodule. */
export function repositoryOf(directory: string): string | null {
  for (let at = directory; ; at = dirname(at)) {
    if (isRepository(join(at, ".git"))) return at;
    if (dirname(at) === at) return null;
  }
}

/**
 * Codex's sandbox on Linux leaves an empty `.git` in each folder that a command may write, such as /tmp (facts F68). In a
 * folder that may not be entered nothing can be looked at.
 */
function isRepository(git: string): boolean {
  try {
    return statSync(git).isFile() || existsSync(join(git, "HEAD"));
  } catch {
    return false;
  }
}
