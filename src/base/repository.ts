/** Where a repository begins. */
import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import { isThere } from "./directory.ts";

/** The nearest directory at or above that holds `.git`: a folder, or the file of a worktree or submodule. */
export function repositoryOf(directory: string): string | null {
  for (let at = directory; ; at = dirname(at)) {
    if (isRepository(join(at, ".git"))) return at;
    if (dirname(at) === at) return null;
  }
}

/**
 * Codex's sandbox on Linux leaves an empty `.git` in each folder that a command may write, such as /tmp (facts F68). One
 * that may not be looked into counts as a repository, whose configuration may limit what threads may do.
 */
function isRepository(git: string): boolean {
  try {
    return statSync(git).isFile() || isThere(join(git, "HEAD"));
  } catch {
    return false;
  }
}
