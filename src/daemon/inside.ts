/** Where a path really is, symbolic links followed. */
import { realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Paths } from "../base/paths.ts";

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

/** Whether dispatch's home, configuration, registry or socket is at or below it, symbolic links followed. */
export function holdsOwnFiles({ home, config, db, socket }: Paths, folder: string): boolean {
  return [home, config, db, socket].some((own) => isWithin(own, folder));
}
