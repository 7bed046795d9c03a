/** What a caller may name a thread by. */
import type { Ref } from "./ports/rows.ts";

/** A thread with a lane, or only Codex's id of one. */
export type Place = { ref: Ref } | { threadId: string };
