/** The receipt of a message, which all outputs about it use. Its id is the message's id and the id on Codex's wire. */

import { iso } from "../../base/clock.ts";
import type { RowKey } from "../../base/cursor.ts";
import { fail } from "../../base/error.ts";
import { joinHost } from "../../base/hostref.ts";
import type { Receipt } from "../../contract/receipt.ts";
import type { MessageState } from "../../contract/words.ts";
import type { Relayed } from "../model/ports/relay.ts";
import type { Lane, Message, Ref, UsageLimit } from "../model/ports/rows.ts";
import type { Store } from "../model/ports/store.ts";
import { releaseCommand } from "./hold.ts";
import { limitFor } from "./lane.ts";

export interface ReceiptFilter {
  ref: Ref | null;
  states: readonly MessageState[] | null;
  after?: RowKey | null;
  limit: number;
}

/** For a message that goes through Codex's own queue. */
const caveat =
  "another app writes this thread, so Codex's own queue takes the text: it runs after that app's turn, or when the thread is next opened; from there it cannot be cancelled, and should Codex lose it this receipt becomes unsure";

export function receiptOf(
  message: Message,
  lane: Lane | undefined,
  usageLimits: readonly UsageLimit[],
): Receipt {
  const held = message.state === "queued" ? (lane?.hold_reason ?? null) : null;
  return {
    receipt: message.id,
    thread: message.lane,
    mode: message.mode,
    state: message.state,
    outcome: message.outcome,
    turn_id: message.turn_id,
    joined: message.joined,
    held,
    release: releaseCommand(message.lane, held),
    waits:
      message.state === "queued" && lane && held === null
        ? (limitFor(lane, usageLimits)?.message ?? lane.blocked_reason)
        : null,
    attempt: message.attempt,
    key: message.key,
    cause: message.cause_id,
    created_at: iso(message.created_at),
    updated_at: iso(message.updated_at),
    error: message.error,
    caveat: message.via === "codex_queue" ? caveat : null,
  };
}

/** Throws `not_found`. A message that this machine has itself comes before its report of another machine. */
export function receiptById(store: Store, id: string): Receipt {
  const relayed = store.messages.find(id) ? undefined : store.relay.findRelayed(id);
  if (relayed) return receiptOfRelayed(relayed);
  const message = store.messages.get(id);
  return receiptOf(message, store.lanes.find(message.lane), store.usageLimits.list());
}

/** As the other machine last reported it. */
function receiptOfRelayed(row: Relayed): Receipt {
  const asks = row.asks.map(({ id, summary }) => `it asks on ${row.box}: ${summary} (${id})`);
  return {
    receipt: row.id,
    thread: row.box !== null && row.thread !== null ? joinHost(row.box, row.thread) : row.target,
    mode: "queue",
    state: row.state,
    outcome: row.outcome,
    turn_id: row.turn_id,
    joined: row.joined,
    held: null,
    release: null,
    waits: asks[0] ?? row.waits,
    attempt: row.attempt,
    key: row.key,
    cause: null,
    created_at: iso(row.created_at),
    updated_at: iso(row.updated_at),
    error: row.error,
    caveat: null,
  };
}

/** The newest of both kinds, newest first. */
export function receiptsOf(store: Store, { ref, states, after = null, limit }: ReceiptFilter): Receipt[] {
  const filter = { ...(states === null ? {} : { states }), after, limit };
  const own = store.messages.list({ ...filter, ...(ref === null ? {} : { lane: ref }) });
  const away = ref === null ? store.relay.listRelayed(filter) : [];
  const isOwn = new Set<string>(own.map(({ id }) => id));
  return [...own, ...away.filter(({ id }) => !isOwn.has(id))]
    .sort((a, b) => b.created_at - a.created_at || (a.id < b.id ? 1 : -1))
    .slice(0, limit)
    .map(({ id }) => receiptById(store, id));
}

/** True for a message that is on another machine. Only that machine may change what becomes of it: throws `conflict`. */
export function refuseRelayed(store: Store, id: string, purpose: "reading" | "writing"): boolean {
  const row = store.messages.find(id) ? undefined : store.relay.findRelayed(id);
  if (row && purpose === "writing")
    fail("conflict", `receipt ${id} is a message to ${row.target}, which is on another machine`, {
      hint: row.box === null ? `dispatch receipt get ${id}` : `on ${row.box}: dispatch receipt get ${id}`,
    });
  return row !== undefined;
}
