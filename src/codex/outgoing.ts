import { fail } from "../base/error.ts";
import type { Json } from "./read.ts";

/**
 * One message as one line. Ill-formed text is refused here: a request with a lone surrogate was measured to get no
 * answer at all, and invalid UTF-8 to end the app-server.
 */
export function wireLine(message: Json): string {
  const line = JSON.stringify(message);
  // JSON.stringify writes a lone surrogate as \udXXX; the same six characters may also stand in honest text.
  if (line.includes("\\ud") && !isWellFormed(message))
    fail("usage", "the text is not well-formed Unicode: it holds half of a surrogate pair", {
      hint: "send UTF-8 text",
      data: { outcome: "not_sent" },
    });
  return `${line}\n`;
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([key, inner]) => key.isWellFormed() && isWellFormed(inner));
}
