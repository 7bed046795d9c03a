/**
 * Sends a message to another machine. It is accepted when the stream of the relay has stored it; only then it has a
 * receipt here. Its id follows from its key and its content: a repeated call that lost its answer sends the same id, and
 * the other machine takes an id once.
 */
import { sha256 } from "../../base/digest.ts";
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { Mail } from "../../contract/relay.ts";
import { type Draft, refuseText, refuseUsedKey } from "../delivery/accept.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Relayed, RelayLink } from "../model/ports/relay.ts";
import type { MessageId } from "../model/ports/rows.ts";
import { authorizeHost } from "../policy/hosts.ts";
import type { Away } from "./address.ts";

export interface AwayDraft {
  to: Away;
  /** As the caller wrote it. */
  target: string;
  draft: Draft;
  /** The thread that the caller runs in; null: a person. */
  agent: string | null;
}

/** Throws `usage`, `conflict`, `denied`, `thread_busy` (an agent that sends too much), and what the link throws. */
export async function sendAway(
  deps: CoreDeps,
  link: () => Promise<RelayLink>,
  { to, target, draft, agent }: AwayDraft,
): Promise<MessageId> {
  const { store, journal } = deps;
  refuseMode(draft, to);
  refuseText(draft.text);
  const digest = sha256(JSON.stringify(["relay", target, draft.text, draft.overrides]));
  const known = knownByKey(deps, draft.key, digest);
  if (known) return known.id;
  if (agent !== null) refuseAgent(deps, to, target, agent);
  const id = (draft.key === null ? deps.mint.id() : idOf(store.log.id(), draft.key, digest)) as MessageId;
  const mail: Mail = {
    v: 1,
    id,
    to: "ref" in to ? to.ref : "",
    text: draft.text,
    by: writerOf(deps, draft.caller),
    settings: (draft.overrides ?? null) as Mail["settings"],
    depth: draft.depth,
  };
  const open = await link();
  await open.send("pool" in to ? to : { box: to.box }, id, JSON.stringify(mail));
  // The stream has it on its disk. Should a power cut take this row, the same key sends the same id, and its reports come.
  await journal.noteShared((change) => {
    // The other machine may have reported it by now.
    const row = store.relay.findRelayed(id);
    const said = { target, key: draft.key, digest: draft.key === null ? null : digest, caller: draft.caller };
    if (row) return store.relay.setRelayed(id, said);
    const box = "box" in to ? to.box : null;
    store.relay.addRelayed({ ...newRow(id, change.now), ...said, box });
    change.append({
      kind: "message.relayed",
      receipt: id,
      data: { mode: "queue", ...(box === null ? {} : { box }) },
    });
  });
  return id;
}

export function newRow(id: string, now: number): Relayed {
  return {
    id: id as MessageId,
    target: "",
    box: null,
    thread: null,
    state: "relayed",
    outcome: null,
    turn_id: null,
    joined: false,
    attempt: 0,
    waits: null,
    error: null,
    asks: [],
    answer: null,
    seen: 0,
    key: null,
    digest: null,
    caller: null,
    created_at: now,
    updated_at: now,
  };
}

/** The message that this key already identifies. Throws `conflict` when the key was used with other content. */
function knownByKey({ store }: CoreDeps, key: string | null, digest: string): Relayed | undefined {
  if (key === null) return undefined;
  const known = store.relay.findRelayedByKey(key);
  const isOther = known
    ? known.digest !== digest
    : store.messages.findByKey(key) !== undefined || store.lanes.findByCreateKey(key) !== undefined;
  if (isOther) refuseUsedKey();
  return known;
}

/** A UUID of version 8: its bits follow from what it names. */
function idOf(logId: string, key: string, digest: string): string {
  const hex = sha256(JSON.stringify([logId, key, digest]));
  const [a, b, c, d, e] = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(13, 16),
    hex.slice(17, 20),
    hex.slice(20, 32),
  ];
  return `${a}-${b}-8${c}-8${d}-${e}`;
}

/** What happens at once cannot be said of a machine that may sleep. */
function refuseMode({ mode, or_queue, overrides }: Draft, to: Away): void {
  if (or_queue || mode === "steer" || mode === "interject" || mode === "context")
    fail("usage", `a message to another machine is queued there: --${mode} needs the thread to run now`, {
      hint: "dispatch send BOX/THREAD TEXT",
    });
  if ("pool" in to && overrides !== null)
    fail("usage", "each machine of a pool has its own settings: this message takes none", {
      hint: "the machine sets them in [relay.pools.NAME]",
    });
}

/** An agent reaches only what the user's configuration lists, and not too often. */
function refuseAgent(deps: CoreDeps, to: Away, target: string, agent: string): void {
  authorizeHost(deps.policy(), { host: "pool" in to ? `queue@${to.pool}` : to.box, isRead: false, agent });
  const { rateMax, rateWindowMs } = limits.automation;
  if (deps.store.relay.countRelayed(target, agent, deps.clock.now() - rateWindowMs) >= rateMax)
    fail("thread_busy", `this thread sent ${rateMax} messages to ${target} within ${rateWindowMs / 1000} s`, {
      hint: "wait a minute, and send fewer and longer messages",
    });
}

/** A thread by its ref, which its own machine understands. */
function writerOf({ store }: CoreDeps, caller: string | null): string | null {
  return (caller === null ? undefined : store.lanes.findByThread(caller)?.ref) ?? caller;
}
