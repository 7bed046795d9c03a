import * as v from "valibot";
import { block, cell, paint } from "../base/text.ts";
import type { Core } from "../core/core.ts";
import type { Ref } from "../core/model/ports/rows.ts";
import type { GoalFacts } from "../core/model/ports/thread.ts";

const goal = v.object({
  objective: v.string(),
  status: v.string(),
  token_budget: v.nullable(v.number()),
  tokens_used: v.nullable(v.number()),
  /** The command that continues it. It was interrupted: the process that worked on it ended. */
  resume: v.nullable(v.string()),
  /** What it waits for before it begins by itself. */
  waits: v.nullable(v.string()),
});

export const goalView = v.object({ ref: v.string(), goal: v.nullable(goal) });
type GoalView = v.InferOutput<typeof goalView>;

export function goalOf(core: Core, ref: Ref, facts: GoalFacts | null): GoalView {
  if (facts === null) return { ref, goal: null };
  const { interrupted: _, ...goal } = facts;
  const { resume = null, waits = null } = core.view(ref).goal ?? {};
  return { ref, goal: { ...goal, resume, waits } };
}

export function goalLines({ ref, goal }: GoalView): string {
  if (!goal) return `${ref} has no goal`;
  const { objective, status, token_budget, tokens_used, resume, waits } = goal;
  const budget = token_budget === null ? "" : ` of ${token_budget}`;
  const spent = tokens_used === null ? "" : `, ${tokens_used}${budget} tokens`;
  const next = resume ? `\ninterrupted; continue with: ${paint("bold", cell(resume))}` : "";
  const waiting = waits ? `; ${waits}` : "";
  return `${ref}: ${cell(status)}${waiting}${spent}\n${block(objective)}${next}`;
}
