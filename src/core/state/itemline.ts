/** An item in one line: its command, its files, or its text. */
import { limits } from "../../base/limits.ts";
import { summaryOf } from "../model/changes.ts";
import { clip } from "../model/clip.ts";
import type { ItemFacts } from "../model/ports/thread.ts";

export function lineOf({ command, changes, path, text }: ItemFacts, cwd: string): string {
  if (changes) return summaryOf(changes, cwd, limits.thread.previewCharsMax);
  return clip(command ?? path ?? text, limits.thread.previewCharsMax);
}
