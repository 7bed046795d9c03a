/** What a caller answers to a request. */
import type { Decision } from "../../contract/words.ts";

/** What a caller said: one word, the whole answer, or the text that answers the only question. */
export type Given = { decision: Decision } | { answer: unknown } | { reply: string };
