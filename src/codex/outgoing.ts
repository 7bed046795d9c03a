import { refuseUnsendable } from "../base/jsonobject.ts";
import { limits } from "../base/limits.ts";
import type { Json } from "./read.ts";

/**
 * One message as one line. Throws `usage` for what Codex would not answer: a request with a lone surrogate or nested too
 * deep was measured to get no answer at all, and invalid UTF-8 to end the app-server.
 */
export function wireLine(message: Json): string {
  refuseUnsendable(message, limits.wire.depthMax);
  return `${JSON.stringify(message)}\n`;
}
