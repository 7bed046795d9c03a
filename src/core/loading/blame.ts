/**
 * Whose fault a death of Codex is. What was being opened, or was in flight, when it died is remembered; a thread that
 * was so twice with no success in between is held, and the others go on. In memory: another daemon finds it again.
 */

import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { Blame, Cause, CoreDeps, Trial } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import { isInFlight } from "../model/message.ts";
import type { Epoch } from "../model/ports/agent.ts";
import type { Ref } from "../model/ports/rows.ts";
import { hold } from "../state/hold.ts";

export function blame(): Blame {
  return { opening: new Set(), suspects: new Map(), culprits: new Map(), trial: null };
}

/** Runs what may end Codex for the sake of one thread. Throws `conflict` for one whose opening did so twice. */
export async function watched<T>({ blame, live }: CoreDeps, ref: Ref, open: () => Promise<T>): Promise<T> {
  if (blame.culprits.get(ref) === null) refuse(ref, null);
  blame.opening.add(ref);
  try {
    return await open();
  } finally {
    // A death is told before the calls that it cut are rejected. One that Codex still works on may be what ends it.
    if (live.openings.get(ref)?.isOver !== false) blame.opening.delete(ref);
  }
}

/** Its thread was opened, and Codex lives. */
export function noteOpened({ blame }: CoreDeps, ref: Ref): void {
  if (blame.suspects.get(ref) === null) blame.suspects.delete(ref);
}

/** Inside the transaction that ends the epoch. Answers whether the death is explained. */
export function blameFor(world: CoreDeps, change: Change, epoch: Epoch): boolean {
  const { store, blame, log } = world;
  const involved = new Map<Ref, Cause>();
  for (const { id, lane, via, epoch: last } of store.messages.list({
    states: ["claimed", "sent"],
    limit: 1000,
  }))
    if (via === "turn" && last === epoch) involved.set(lane, id);
  for (const ref of blame.opening) involved.set(ref, null);
  blame.opening.clear();
  blame.trial = null;
  let isExplained = false;
  for (const [ref, cause] of involved) {
    if (!isSuspect(world, ref)) {
      blame.suspects.set(ref, cause);
      continue;
    }
    blame.suspects.delete(ref);
    blame.culprits.set(ref, cause);
    hold(store, change, ref, "crashed");
    isExplained = true;
    log.warn("a thread is held", { lane: ref, reason: crashWords(ref, cause) });
  }
  return isExplained;
}

/** A message that was delivered, or ended, since then is no suspect any more. */
function isSuspect({ store, blame }: CoreDeps, ref: Ref): boolean {
  const cause = blame.suspects.get(ref);
  if (cause === undefined) return false;
  const state = cause === null ? undefined : store.messages.find(cause)?.state;
  if (cause === null || state === "queued" || (state !== undefined && isInFlight(state))) return true;
  blame.suspects.delete(ref);
  return false;
}

/** Suspects go one at a time, so that the next death is the fault of one. */
export function mayTry(world: CoreDeps, ref: Ref): boolean {
  const { blame, clock } = world;
  if (blame.culprits.has(ref)) return false;
  if (!isSuspect(world, ref)) return true;
  const { trial } = blame;
  if (trial && trial.ref !== ref && isOnTrial(world, trial)) return false;
  blame.trial = { ref, since: clock.monotonic() };
  return true;
}

/** Its call may still be about to begin. */
function isOnTrial(world: CoreDeps, { ref, since }: Trial): boolean {
  const { store, live, blame, clock } = world;
  if (!isSuspect(world, ref)) return false;
  // Codex lives on, and may take minutes to open it.
  const opening = live.openings.get(ref);
  if (opening && clock.monotonic() - opening.begun > limits.reconcileEveryMs) return false;
  const isUnderWay = blame.opening.has(ref) || store.messages.inFlight(ref)?.epoch === live.epoch();
  return isUnderWay || clock.monotonic() - since < limits.reconcileEveryMs;
}

/** The same for what is read and opened only to be settled: a message that ends Codex may be settled. */
export function mayOpen(world: CoreDeps, ref: Ref): boolean {
  const { culprits } = world.blame;
  return culprits.has(ref) ? culprits.get(ref) !== null : mayTry(world, ref);
}

/** Throws `conflict`: what a person sends is not to end the turns of all others. */
export function refuseCulprit({ blame }: CoreDeps, ref: Ref): void {
  const cause = blame.culprits.get(ref);
  if (cause !== undefined) refuse(ref, cause);
}

function refuse(ref: Ref, cause: Cause): never {
  fail("conflict", crashWords(ref, cause), { hint: `dispatch queue release ${ref}, to try it again` });
}

/** By a person: it may have two more. */
export function acquit({ blame }: CoreDeps, ref: Ref): void {
  blame.suspects.delete(ref);
  blame.culprits.delete(ref);
}

export interface Crasher {
  ref: Ref;
  message: string;
}

export function crashers({ blame }: CoreDeps): Crasher[] {
  return [...blame.culprits].map(([ref, cause]) => ({ ref, message: crashWords(ref, cause) }));
}

function crashWords(ref: Ref, cause: Cause): string {
  const what = cause === null ? `opened thread ${ref}` : `took message ${cause} of thread ${ref}`;
  return `Codex died twice while it ${what}, so the thread is held`;
}
