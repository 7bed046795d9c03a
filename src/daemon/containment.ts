/** Whether a path is inside a folder, with symbolic links followed. */
import { realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Paths } from "../base/paths.ts";

/** True if `path` is `root` or below it. A path that does not exist counts as below its nearest existing folder. */
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

/** True if the folder contains dispatch's home, configuration, registry or socket. */
export function holdsOwnFiles({ home, config, db, socket }: Paths, folder: string): boolean {
  return [home, config, db, socket].some((own) => isWithin(own, folder));
}
