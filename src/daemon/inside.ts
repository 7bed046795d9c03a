/** Where a path really is, symbolic links followed. */
import { realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** At or below it. What does not exist is where its nearest existing folder is. */
export function isWithin(path: string, root: string): boolean {
  const [real, top] = [realOf(path), realOf(root)];
  return real === top || real.startsWith(top === "/" ? "/" : `${top}/`);
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return dirname(path) === path ? path : join(realOf(dirname(path)), basename(path));
  }
}
