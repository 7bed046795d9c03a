/** The rollout file, read only: the one witness of injected items, which no history call shows (measured). */
import { limits } from "../base/limits.ts";

/** Looks at the end of the file. False when the file is not there: then nothing of the thread is. */
export async function rolloutHolds(path: string, itemId: string): Promise<boolean> {
  const file = Bun.file(path);
  if (!(await file.exists())) return false;
  const tail = file.slice(Math.max(0, file.size - limits.rolloutTailBytes));
  return Buffer.from(await tail.arrayBuffer()).includes(JSON.stringify(itemId));
}
