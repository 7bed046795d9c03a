import { refuseUnsendable } from "../base/jsonobject.ts";
import { limits } from "../base/limits.ts";
import type { Json } from "./read.ts";

/**
 * Writes one message as one line. Throws `usage` for a message that Codex would never answer: with a lone surrogate
 * (facts F10), or nested too deep (facts F11).
 */
export function wireLine(message: Json): string {
  refuseUnsendable(message, limits.wire.depthMax);
  return `${JSON.stringify(message)}\n`;
}
