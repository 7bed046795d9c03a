/**
 * Counts the tokens that models used, once each. Codex reports a total for the thread after every answer of a model, and
 * repeats the last report in turns without an answer, at a resume and at a fork (facts C1.2). So only what the total has
 * gained is counted. All functions run inside an open transaction.
 */
import { localDay } from "../../base/moment.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import type { TokensEvent } from "../model/ports/agentevent.ts";
import type { Lane, Ref } from "../model/ports/rows.ts";
import type { Store } from "../model/ports/store.ts";
import type { Spent, UsageRow } from "../model/ports/usage.ts";
import { noteCrossing, tokenMarks } from "./budget.ts";
import { providerOf } from "./lane.ts";

/** A sub-agent is charged to the managed thread at its top. */
export function countTokens(deps: CoreDeps, change: Change, event: TokensEvent): void {
  const { store, live } = deps;
  const { thread_id, root_id, turn_id, total, last } = event;
  const own = store.lanes.findByThread(thread_id);
  const known = store.usage.total(thread_id);
  const charged = store.lanes.findByThread(root_id) ?? own ?? (known && store.lanes.find(known.lane));
  if (!charged) return;
  live.setReporter(providerOf(charged));
  const isRunning = own === undefined || store.turns.find(own.ref, turn_id)?.status === "in_progress";
  const { spent, incomplete } = gained(known ?? (own ? null : nothing), { total, last, isRunning });
  store.usage.setTotal({ ...total, thread_id, lane: charged.ref, at: change.now });
  if (spent === null && !incomplete) return;
  const { input, cached, output, reasoning } = spent ?? nothing;
  const row: UsageRow = {
    lane: charged.ref,
    day: localDay(change.now),
    model: event.model ?? modelOf(deps, own ?? charged, turn_id),
    ...{ input, cached, output, reasoning, incomplete },
  };
  const marks = tokenMarks(deps, row);
  store.usage.add(row);
  for (const mark of marks) noteCrossing(change, mark, mark.used + input + output);
}

/** A thread that was made here has used nothing yet, so its first report is new, whenever it comes. */
export function startCount(store: Store, change: Change, lane: Ref, threadId: string): void {
  store.usage.setTotal({ ...nothing, thread_id: threadId, lane, at: change.now });
}

const nothing: Spent = { total: 0, input: 0, cached: 0, output: 0, reasoning: 0 };

export interface Gain {
  spent: Spent | null;
  /** More was used, and the totals do not tell how much. */
  incomplete: boolean;
}

/**
 * What is new in a report. `known`: the total of the report before; null: there was none. `isRunning`: it is about a
 * turn that runs, so it does not repeat an older one.
 */
export function gained(
  known: Spent | null,
  { total, last, isRunning }: { total: Spent; last: Spent; isRunning: boolean },
): Gain {
  // Estimates of Codex, after an overflow and after a compaction, have a total only.
  const answer = last.input > 0 ? last : null;
  // What the thread used before dispatch managed it is not counted.
  if (known === null) return { spent: isRunning ? answer : null, incomplete: false };
  if (total.total === known.total) return { spent: null, incomplete: false };
  const since = minus(total, known);
  // A revert takes the total back.
  const isMore = since.total >= last.total || (!isRunning && since.total > 0);
  if (isMore && isWhole(since)) return { spent: since, incomplete: false };
  // The total jumped past the last report, through an overflow that was not heard: its parts are lost.
  const incomplete = since.total > (isRunning ? last.total : 0);
  return { spent: isRunning ? answer : null, incomplete };
}

function minus(total: Spent, known: Spent): Spent {
  return {
    total: total.total - known.total,
    input: total.input - known.input,
    cached: total.cached - known.cached,
    output: total.output - known.output,
    reasoning: total.reasoning - known.reasoning,
  };
}

/** False for a difference across an overflow, after which a total no longer is the sum of its parts. */
function isWhole({ total, input, cached, output, reasoning }: Spent): boolean {
  return input + output === total && Math.min(input, cached, output, reasoning) >= 0;
}

/** The model of a turn: that of the message that started it, if it named one, else the thread's. */
function modelOf({ store }: CoreDeps, { ref, effective, settings }: Lane, turnId: string): string {
  const named = store.messages.ofTurn(ref, turnId).findLast((message) => message.settings?.model);
  return named?.settings?.model ?? effective?.model ?? settings.model ?? "unknown";
}
