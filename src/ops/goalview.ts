import * as v from "valibot";
import { block, cell } from "../base/text.ts";

const goal = v.object({
  objective: v.string(),
  status: v.string(),
  token_budget: v.nullable(v.number()),
  tokens_used: v.nullable(v.number()),
});

export const goalView = v.object({ ref: v.string(), goal: v.nullable(goal) });

export function goalWords({ ref, goal: one }: v.InferOutput<typeof goalView>): string {
  if (!one) return `${ref} has no goal`;
  const spent =
    one.tokens_used === null
      ? ""
      : `, ${one.tokens_used}${one.token_budget === null ? "" : ` of ${one.token_budget}`} tokens`;
  return `${ref}: ${cell(one.status)}${spent}\n${block(one.objective)}`;
}
