/** The answer of a caller to a request of Codex. */
import type { Decision } from "../../contract/words.ts";

/** A decision word, the whole answer as JSON, or the text for the only question. */
export type Answer = { decision: Decision } | { answer: unknown } | { reply: string };
