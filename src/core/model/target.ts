/** The thread that a caller names. */
import type { Ref } from "./ports/rows.ts";

/** A thread with a lane, or Codex's id of a thread that has none. */
export type ThreadTarget = { ref: Ref } | { threadId: string };
