/**
 * Takes messages of other machines. One is stored under its own id before the server may forget it, and an id is taken
 * once. What is refused is a row too, so that it stays refused when it comes again.
 */
import { DispatchError, errorMessage, fail } from "../../base/error.ts";
import { joinHost } from "../../base/hostref.ts";
import { limits } from "../../base/limits.ts";
import type { Mail } from "../../contract/relay.ts";
import { plain } from "../delivery/accept.ts";
import type { Delivery } from "../delivery/modes.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import type { Arriving, Verdict } from "../model/ports/relay.ts";
import type { MessageId } from "../model/ports/rows.ts";
import { agentPolicyOf } from "../threads/agents.ts";
import { resolve } from "../threads/selector.ts";
import { isBug, refuseFinal, takeInOrder } from "./inorder.ts";
import { readMail } from "./letter.ts";

/** Whether a message with this id came before, or was made here. */
export function isKnown({ store }: CoreDeps, id: string): boolean {
  return store.relay.findArrived(id) !== undefined || store.messages.find(id) !== undefined;
}

/** Messages for threads here, in the order of the stream: how many of the first ones are stored or refused. */
export function takeMail(
  deps: CoreDeps,
  delivery: Pick<Delivery, "store">,
  arriving: readonly Arriving[],
): number {
  return takeInOrder(deps, arriving, {
    take(change, one) {
      const mail = mailIn(deps, one);
      if (mail && !isKnown(deps, mail.id)) takeOne(deps, delivery, change, one, mail);
    },
    refuse: (one, thrown) => refuseArriving(deps, one, null, thrown),
  });
}

/** Null where not even its id can be read: it is dropped. Throws `stale` for one of an unknown form. */
function mailIn(deps: CoreDeps, { origin, body }: Arriving): Mail | null {
  const read = readMail(body);
  if ("mail" in read) return read.mail;
  if (read.id === null)
    deps.log.warn("a message of another machine cannot be read and is dropped", { box: origin });
  else if (!isKnown(deps, read.id))
    fail("stale", "the message has a form that the other machine does not know", {
      hint: "install the same dispatch on both machines",
    });
  return null;
}

function takeOne(
  deps: CoreDeps,
  delivery: Pick<Delivery, "store">,
  change: Change,
  { origin }: Arriving,
  { id, to, text, by, settings, depth }: Mail,
): void {
  refuseUnlessWelcome(deps);
  const lane = resolve(deps.store, to, null);
  delivery.store(change, lane.ref, {
    ...plain,
    mode: "queue",
    text,
    overrides: (settings as typeof plain.overrides) ?? null,
    depth,
    caller: writer(origin, by),
    id: id as MessageId,
  });
  deps.store.relay.addArrived({
    id: id as MessageId,
    origin,
    pool: null,
    state: "taken",
    body: null,
    lane: lane.ref,
    error: null,
    created_at: change.now,
  });
}

/** As `by` of a receipt shows it. */
export function writer(origin: string, by: string | null): string {
  return joinHost(origin, by ?? "unknown");
}

/** Another machine has the rights of an agent here. Throws `denied`. */
export function refuseUnlessWelcome(deps: CoreDeps): void {
  if (agentPolicyOf(deps, null) !== "read") return;
  throw new DispatchError("denied", "agents may only read there, and so may other machines", {
    hint: 'on that machine: [policy] agents = "guarded"',
  });
}

/** A message of a pool: taken, refused, or given again later. */
export async function attempt(
  deps: CoreDeps,
  arriving: Arriving,
  pool: string,
  take: (mail: Mail) => Promise<Verdict>,
): Promise<Verdict> {
  try {
    try {
      const mail = mailIn(deps, arriving);
      return mail ? await take(mail) : "done";
    } catch (thrown) {
      refuseFinal(arriving, thrown, (one) => refuseArriving(deps, one, pool, thrown));
      return "done";
    }
  } catch (thrown) {
    deps.log.warn("a message of a pool waits", { box: arriving.origin, reason: errorMessage(thrown) });
    return { againMs: limits.relay.againMs };
  }
}

function refuseArriving(deps: CoreDeps, one: Arriving, pool: string | null, thrown: unknown): void {
  if (isBug(thrown)) deps.log.error("a message of another machine could not be taken", { thrown });
  const error =
    thrown instanceof DispatchError ? thrown : new DispatchError("internal", errorMessage(thrown));
  const read = readMail(one.body);
  const id = "mail" in read ? read.mail.id : read.id;
  if (id !== null) refuse(deps, one, pool, id, error);
}

/** It stays refused, and the sender is told. */
export function refuse(
  { store, journal }: CoreDeps,
  { origin }: Pick<Arriving, "origin">,
  pool: string | null,
  id: string,
  { code, message }: { code: string; message: string },
): void {
  journal.commit((change) => {
    const row = {
      origin,
      pool,
      state: "refused",
      body: null,
      lane: null,
      error: { code, message: message.slice(0, limits.event.textCharsMax) },
    } as const;
    if (store.relay.findArrived(id)) store.relay.setArrived(id, row);
    else store.relay.addArrived({ ...row, id: id as MessageId, created_at: change.now });
    const reason = message.slice(0, limits.event.textCharsMax);
    change.append({ kind: "relay.refused", receipt: id, data: { box: origin, code, reason } });
  });
}
