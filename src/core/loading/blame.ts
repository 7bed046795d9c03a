/**
 * Whose fault a death of Codex is. What was being opened, or was in flight, when it died is remembered; a thread that
 * was so twice for the same cause, with no success in between, is held, and the others go on; three times where another
 * one may be the cause. In memory: another daemon finds it again.
 */

import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { Blame, Cause, CoreDeps, Suspect, Trial } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import { isInFlight } from "../model/message.ts";
import type { Epoch } from "../model/ports/agent.ts";
import type { Ref } from "../model/ports/rows.ts";
import { hold } from "../state/hold.ts";

export function blame(): Blame {
  return {
    opening: new Set(),
    suspects: new Map(),
    culprits: new Map(),
    trial: null,
    trials: 0,
    ended: null,
  };
}

/** Runs what may end Codex for the sake of one thread. Throws `conflict` for one whose opening did so twice. */
export async function watched<T>(deps: CoreDeps, ref: Ref, open: () => Promise<T>): Promise<T> {
  const { blame, live } = deps;
  if (isCulprit(deps, ref) && blame.culprits.get(ref) === null) refuse(ref, null);
  blame.opening.add(ref);
  try {
    return await open();
  } finally {
    // A death is told before the calls that it cut are rejected. One that Codex still works on may be what ends it.
    if (live.openings.get(ref)?.isOver !== false) blame.opening.delete(ref);
  }
}

/** Its thread was opened, or only read where nothing more was to be done, and Codex lives. */
export function noteOpened({ blame }: CoreDeps, ref: Ref): void {
  blame.suspects.get(ref)?.causes.delete(null);
}

/** Inside the transaction that ends the epoch. Answers whether the death is explained. */
export function blameFor(deps: CoreDeps, change: Change, epoch: Epoch): boolean {
  const { store, blame, log } = deps;
  const involved = epoch === blame.ended ? [] : involvedIn(deps, epoch);
  const onTrial = blame.trial && isOnTrial(deps, blame.trial) ? blame.trial.ref : null;
  blame.opening.clear();
  for (const [ref, cause] of involved) {
    const suspect = suspectOf(deps, ref) ?? { causes: new Map(), tried: 0, refusedAt: null };
    suspect.causes.set(cause, (suspect.causes.get(cause) ?? 0) + 1);
    blame.suspects.set(ref, suspect);
  }
  const isAlone = new Set(involved.map(([ref]) => ref)).size === 1;
  const again = involved.filter(
    ([ref, cause]) =>
      blame.suspects.get(ref)!.causes.get(cause)! >= (isAlone ? 2 : limits.loop.crashesInCompanyMax),
  );
  // With one on trial the other suspects waited, or do what a person asked for.
  const tried = again.filter(([ref]) => ref === onTrial);
  const found = tried.length > 0 ? tried : again;
  for (const [ref, cause] of found) {
    blame.suspects.delete(ref);
    blame.culprits.set(ref, cause);
    hold(store, change, ref, "crashed");
    log.warn("a thread is held", { lane: ref, reason: crashWords(ref, cause) });
  }
  return found.length > 0;
}

/** Something may be under way in the running child that its end would cut. */
export function isOpening({ blame, live }: CoreDeps): boolean {
  return blame.opening.size > 0 || [...live.openings.values()].some(({ isOver }) => !isOver);
}

/** What was under way in that child. */
function involvedIn({ store, blame }: CoreDeps, epoch: Epoch): [ref: Ref, cause: Cause][] {
  const inFlight = store.messages
    .list({ states: ["claimed", "sent"], limit: 1000 })
    .filter((message) => message.via === "turn" && message.epoch === epoch);
  const opening = [...blame.opening].map((ref): [Ref, Cause] => [ref, null]);
  return [...inFlight.map(({ lane, id }): [Ref, Cause] => [lane, id]), ...opening];
}

/** Only while its thread is held, and ours to open: whatever ends that acquits it. */
export function isCulprit(deps: CoreDeps, ref: Ref): boolean {
  if (!deps.blame.culprits.has(ref)) return false;
  const lane = deps.store.lanes.find(ref);
  if (lane?.source === "own" && lane.hold_reason !== null) return true;
  acquit(deps, ref);
  return false;
}

/** A message that was delivered, or ended, since then is no cause any more. */
function suspectOf({ store, blame }: CoreDeps, ref: Ref): Suspect | undefined {
  const suspect = blame.suspects.get(ref);
  // Nearly all are none, and this is asked at every step of every thread.
  if (!suspect) return undefined;
  for (const cause of suspect.causes.keys()) {
    const state = cause === null ? "queued" : store.messages.find(cause)?.state;
    if (state !== "queued" && (state === undefined || !isInFlight(state))) suspect.causes.delete(cause);
  }
  if (suspect.causes.size > 0 && store.lanes.isOwn(ref)) return suspect;
  blame.suspects.delete(ref);
  return undefined;
}

/**
 * Runs what may end Codex. Suspects go one at a time, so that the next death is the fault of one; undefined: another
 * one goes first, or it is a culprit.
 */
export async function tried<T>(deps: CoreDeps, ref: Ref, work: () => Promise<T>): Promise<T | undefined> {
  if (isCulprit(deps, ref)) return undefined;
  const suspect = suspectOf(deps, ref);
  if (!suspect) return work();
  const trial = trialFor(deps, ref, suspect);
  if (!trial) return undefined;
  try {
    return await work();
  } finally {
    trial.isUnderWay = false;
  }
}

/** The same for what is read and opened only to be settled: a message that ends Codex may be settled. */
export async function triedToSettle<T>(
  deps: CoreDeps,
  ref: Ref,
  work: () => Promise<T>,
): Promise<T | undefined> {
  const mayBeSettled = isCulprit(deps, ref) && deps.blame.culprits.get(ref) !== null;
  return mayBeSettled ? work() : tried(deps, ref, work);
}

/** Who was tried longest ago goes first, so that one that gets nowhere does not keep the others waiting. */
function trialFor(deps: CoreDeps, ref: Ref, suspect: Suspect): Trial | undefined {
  const { blame, clock } = deps;
  const now = clock.monotonic();
  if ((blame.trial && blame.trial.ref !== ref && isOnTrial(deps, blame.trial)) || goesFirst(deps, suspect)) {
    suspect.refusedAt = now;
    return undefined;
  }
  const trial = { ref, since: now, isUnderWay: true };
  Object.assign(suspect, { refusedAt: null, tried: ++blame.trials });
  blame.trial = trial;
  return trial;
}

/** Another one waits, and was tried longer ago. */
function goesFirst(deps: CoreDeps, { tried }: Suspect): boolean {
  return inLine(deps).some((ref) => deps.blame.suspects.get(ref)!.tried < tried);
}

/** Suspects that were refused a trial a moment ago. */
export function inLine(deps: CoreDeps): Ref[] {
  const since = deps.clock.monotonic() - limits.loop.suspectAsksMs;
  return [...deps.blame.suspects].flatMap(([ref, { refusedAt }]) =>
    (refusedAt ?? -1) >= since && suspectOf(deps, ref) ? [ref] : [],
  );
}

function isOnTrial(deps: CoreDeps, { ref, since, isUnderWay }: Trial): boolean {
  const { store, live, clock } = deps;
  if (!suspectOf(deps, ref)) return false;
  // Codex lives on, and may take minutes to open it.
  const opening = live.openings.get(ref);
  if (opening && clock.monotonic() - opening.begun > limits.loop.everyMs) return false;
  if (isUnderWay) return true;
  const message = store.messages.inFlight(ref);
  // A slow hook may look at its text for as long as it likes.
  const isFresh = clock.monotonic() - since < limits.message.proofTimeoutMs;
  return isFresh && message?.via === "turn" && message.epoch === live.epoch();
}

/** Throws `conflict`: what a person sends is not to end the turns of all others. */
export function refuseCulprit(deps: CoreDeps, ref: Ref): void {
  if (isCulprit(deps, ref)) refuse(ref, deps.blame.culprits.get(ref) ?? null);
}

function refuse(ref: Ref, cause: Cause): never {
  fail("conflict", crashWords(ref, cause), { hint: `dispatch queue release ${ref}, to try it again` });
}

/** It may have two more. */
export function acquit({ blame }: CoreDeps, ref: Ref): void {
  blame.suspects.delete(ref);
  blame.culprits.delete(ref);
}

export interface Crasher {
  ref: Ref;
  message: string;
}

export function crashers(deps: CoreDeps): Crasher[] {
  return [...deps.blame.culprits]
    .filter(([ref]) => isCulprit(deps, ref))
    .map(([ref, cause]) => ({ ref, message: crashWords(ref, cause) }));
}

function crashWords(ref: Ref, cause: Cause): string {
  const what = cause === null ? `opened thread ${ref}` : `took message ${cause} of thread ${ref}`;
  return `Codex died twice while it ${what}, so the thread is held`;
}
