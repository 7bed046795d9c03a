/**
 * Takes messages of other machines. One is stored under its own id before the server may forget it, and an id is taken
 * once. What is refused is a row too, so that it stays refused when it comes again.
 */
import { DispatchError, errorMessage, isStorage } from "../../base/error.ts";
import { joinHost } from "../../base/hostref.ts";
import { limits } from "../../base/limits.ts";
import type { Mail } from "../../contract/relay.ts";
import { plain } from "../delivery/accept.ts";
import type { Delivery } from "../delivery/modes.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Arriving, Verdict } from "../model/ports/relay.ts";
import type { MessageId } from "../model/ports/rows.ts";
import { agentPolicyOf } from "../threads/agents.ts";
import { resolve } from "../threads/selector.ts";
import { readMail } from "./letter.ts";

/** Whether a message with this id came before, or was made here. */
export function isKnown({ store }: CoreDeps, id: string): boolean {
  return store.relay.findArrived(id) !== undefined || store.messages.find(id) !== undefined;
}

/** A message for a thread here. */
export function takeMail(deps: CoreDeps, delivery: Pick<Delivery, "store">, arriving: Arriving): Verdict {
  const { store, journal } = deps;
  return attempt(deps, arriving, null, ({ id, to, text, by, settings, depth }) => {
    if (isKnown(deps, id)) return "done";
    refuseUnlessWelcome(deps);
    const lane = resolve(store, to, null);
    journal.commit((change) => {
      delivery.store(change, lane.ref, {
        ...plain,
        mode: "queue",
        text,
        overrides: (settings as typeof plain.overrides) ?? null,
        depth,
        caller: writer(arriving.origin, by),
        id: id as MessageId,
      });
      store.relay.addArrived({
        id: id as MessageId,
        origin: arriving.origin,
        pool: null,
        state: "taken",
        body: null,
        lane: lane.ref,
        error: null,
        created_at: change.now,
      });
    });
    return "done";
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

/** Reads and takes it; what it cannot take is refused, and what the disk did not take comes again. */
export function attempt<T extends Verdict | Promise<Verdict>>(
  deps: CoreDeps,
  arriving: Arriving,
  pool: string | null,
  take: (mail: Mail) => T,
): T | Verdict {
  const { log } = deps;
  const read = readMail(arriving.body);
  const id = "mail" in read ? read.mail.id : read.id;
  if (id === null) {
    log.warn("a message of another machine cannot be read and is dropped", { box: arriving.origin });
    return "done";
  }
  if (!("mail" in read)) {
    const error = new DispatchError("stale", "the message has a form that the other machine does not know", {
      hint: "install the same dispatch on both machines",
    });
    return orAgain(deps, arriving, () => isKnown(deps, id) || refuse(deps, arriving, pool, id, error));
  }
  try {
    return take(read.mail);
  } catch (thrown) {
    return orAgain(deps, arriving, () => settle(deps, arriving, pool, id, thrown));
  }
}

/** `again` by what this throws. */
function orAgain({ log }: CoreDeps, { origin }: Arriving, act: () => unknown): Verdict {
  try {
    act();
    return "done";
  } catch (thrown) {
    log.warn("a message of another machine waits", { box: origin, reason: errorMessage(thrown) });
    return { againMs: limits.relay.againMs };
  }
}

/** Refuses what can never be taken. Throws what may pass: a full disk, a broken configuration, and at first a bug. */
function settle(deps: CoreDeps, arriving: Arriving, pool: string | null, id: string, thrown: unknown): void {
  const isOurs = thrown instanceof DispatchError && thrown.code !== "internal";
  if (isStorage(thrown) || (!isOurs && arriving.tries < limits.relay.triesMax)) throw thrown;
  if (!isOurs) deps.log.error("a message of another machine could not be taken", { thrown });
  const error = isOurs ? thrown : new DispatchError("internal", errorMessage(thrown));
  refuse(deps, arriving, pool, id, error);
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
