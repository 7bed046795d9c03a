/** What a caller answers to a request. */
import type { decisions } from "../../base/decisions.ts";

export type Decision = (typeof decisions)[number];

/** What a caller said: one word, the whole answer, or the text that answers the only question. */
export type Given = { decision: Decision } | { answer: unknown } | { reply: string };
