/** What a Codex offers that has all that dispatch uses, or all but some. */
import { features } from "../../src/codex/features.ts";
import type { Fields, Offer } from "../../src/codex/offer.ts";

/** `without`: methods, or `method field`. */
export function offerWithout(...without: string[]): Offer {
  const fieldsOf = (of: "calls" | "hears" | "asks"): Fields => {
    const all = new Map<string, Set<string>>();
    for (const feature of features)
      for (const [method, fields] of Object.entries(feature[of] ?? {})) {
        const known = fields.filter((field) => !without.includes(`${method} ${field}`));
        if (!without.includes(method)) all.set(method, new Set([...(all.get(method) ?? []), ...known]));
      }
    return all;
  };
  return { calls: fieldsOf("calls"), hears: fieldsOf("hears"), asks: fieldsOf("asks") };
}
