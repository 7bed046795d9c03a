import { fail } from "./error.ts";
import { limits } from "./limits.ts";

/** A JSON object from text; undefined when it is not one. Throws `usage` for one that Codex would never answer. */
export function jsonObject(text: string): Record<string, unknown> | undefined {
  const value = jsonValue(text);
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

/** Any JSON from text; undefined when it is none. Throws `usage`: nested too deep, or ill-formed text in an escape. */
export function jsonValue(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  refuseUnsendable(value);
  return value;
}

const notSent = { outcome: "not_sent" };

/** Throws `usage` for a value that Codex would never answer. Not recursive: what is nested deep enough would overflow the stack. */
export function refuseUnsendable(root: unknown, depthMax: number = limits.input.jsonDepthMax): void {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > depthMax)
      fail("usage", `a value is nested more than ${depthMax} deep`, { hint: "nest it less", data: notSent });
    const below: unknown[] = [];
    for (const value of level) {
      if (typeof value === "string" && !value.isWellFormed())
        fail("usage", "the text is not well-formed Unicode: it holds half of a surrogate pair", {
          hint: "send UTF-8 text",
          data: notSent,
        });
      if (typeof value !== "object" || value === null) continue;
      // Keys are text as well.
      for (const [key, inner] of Object.entries(value)) below.push(key, inner);
    }
    level = below;
  }
}
