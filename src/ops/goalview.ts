import * as v from "valibot";
import { block, cell } from "../base/text.ts";

const goal = v.object({
  objective: v.string(),
  status: v.string(),
  token_budget: v.nullable(v.number()),
  tokens_used: v.nullable(v.number()),
});

export const goalView = v.object({ ref: v.string(), goal: v.nullable(goal) });

export function goalLines({ ref, goal }: v.InferOutput<typeof goalView>): string {
  if (!goal) return `${ref} has no goal`;
  const { objective, status, token_budget, tokens_used } = goal;
  const budget = token_budget === null ? "" : ` of ${token_budget}`;
  const spent = tokens_used === null ? "" : `, ${tokens_used}${budget} tokens`;
  return `${ref}: ${cell(status)}${spent}\n${block(objective)}`;
}
