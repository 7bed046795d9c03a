/** The limits of the user in a run: which there are, that none is passed, and that every answer was counted once. */
import { localDay } from "../../src/base/moment.ts";
import type { Budgets } from "../../src/core/model/deps.ts";
import type { Ref } from "../../src/core/model/ports/rows.ts";
import type { Sim } from "./state.ts";

const none: Budgets = {
  turns: null,
  turnsPerCwd: null,
  tokensPerDay: null,
  tokensPerThread: null,
  pauseAtPercent: null,
};

/** Every fourth run has one of them. */
export function budgetsOf(seed: number): Budgets {
  if (seed % 4 !== 1) return none;
  const sets: Partial<Budgets>[] = [
    { tokensPerDay: 4000 },
    { tokensPerThread: 3000 },
    { turnsPerCwd: 1 },
    { pauseAtPercent: 90, turns: 2 },
  ];
  return { ...none, ...sets[Math.floor(seed / 4) % sets.length] };
}

export function isLimited({ budgets }: Sim): boolean {
  return Object.values(budgets).some((limit) => limit !== null);
}

/** At the moment of a claim, whose turn counts as running: the limit that was reached before it; null: none. */
export function overBudget({ budgets, store, clock, world }: Sim, ref: Ref): string | null {
  const { turns, turnsPerCwd, tokensPerDay, tokensPerThread, pauseAtPercent } = budgets;
  const epoch = world.live.epoch();
  const lane = store.lanes.get(ref);
  const isOver = (limit: number | null, used: () => number) => limit !== null && used() > limit;
  const isFull = (limit: number | null, used: () => number) => limit !== null && used() >= limit;
  if (isOver(turns, () => store.messages.countBusy(epoch))) return "the turns";
  if (isOver(turnsPerCwd, () => store.messages.countBusy(epoch, lane.cwd))) return "the turns of a directory";
  if (isFull(tokensPerDay, () => store.usage.tokensOfDay(localDay(clock.now())))) return "the day's tokens";
  if (isFull(tokensPerThread, () => store.usage.tokensOfLane(ref))) return "the thread's tokens";
  const window = () =>
    Math.max(
      0,
      ...store.usage
        .windows()
        .filter(({ resets_at }) => resets_at !== null && resets_at > clock.now())
        .map(({ used_percent }) => used_percent),
    );
  return isFull(pauseAtPercent, window) ? "the account's window" : null;
}

/** A limit that ends by itself ends: the day. One that does not is raised by a person: a thread's tokens. */
export function nextDay(sim: Sim): void {
  sim.budgets = { ...sim.budgets, tokensPerThread: null };
  if (sim.budgets.tokensPerDay !== null) sim.clock.jump(86_400_000);
}

/** Of each thread that was made here: all that Codex reported, once. What was not heard yet is missing, and no more. */
export function counted({ store, codex }: Sim): void {
  for (const [id, { spent, mark }] of codex) {
    const lane = store.lanes.findByThread(id);
    if (!lane || mark !== null) continue;
    const used = store.usage.tokensOfLane(lane.ref);
    const heard = store.usage.total(id)?.total ?? 0;
    const truth = spent?.total.total ?? 0;
    if (used !== heard || used > truth)
      throw new Error(`${lane.ref} used ${truth} tokens, of which ${heard} were heard and ${used} counted`);
    const isHeard = lane.pending === 0 && store.turns.latest(lane.ref)?.status === "completed";
    if (isHeard && spent !== null && store.turns.latest(lane.ref)!.turn_id >= spent.turn_id && used < truth)
      throw new Error(`${lane.ref} used ${truth} tokens, and ${used} were counted before a later turn ended`);
  }
}
