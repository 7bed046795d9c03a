/** Stores a caller's text as an accepted message, or refuses it. */

import { sha256 } from "../../base/digest.ts";
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { Mode } from "../../contract/words.ts";
import type { CoreDeps, Mint } from "../model/deps.ts";
import type { Lane, Message, MessageId, Ref } from "../model/ports/rows.ts";
import type { Store } from "../model/ports/store.ts";
import type { TurnOverrides } from "../model/ports/thread.ts";
import { budgetBlock } from "../state/budget.ts";
import { refuseLimited } from "../state/usagelimit.ts";

export interface Draft {
  text: string;
  mode: Mode;
  /** For a steer: into the queue when nothing runs, or when the turn ends without taking it. */
  or_queue: boolean;
  /** For this one turn. */
  overrides: TurnOverrides | null;
  key: string | null;
  cause_id: string | null;
  depth: number;
  caller: string | null;
  /** Of a message that another machine accepted; else one is made. */
  id?: MessageId;
}

export const plain = {
  mode: "send",
  or_queue: false,
  overrides: null,
  key: null,
  cause_id: null,
  depth: 0,
  caller: null,
} as const;

/** Covers everything that the key identifies. */
function digestOf(ref: Ref, { mode, or_queue, text, overrides }: Draft): string {
  return sha256(JSON.stringify(["send", ref, mode, or_queue, text, overrides]));
}

/** The message that this key already identifies. Throws `conflict` when the key was used with other content. */
export function knownByKey(store: Store, ref: Ref, draft: Draft): Message | undefined {
  if (draft.key === null) return undefined;
  const known = store.messages.findByKey(draft.key);
  const isOther = known
    ? known.digest !== digestOf(ref, draft)
    : store.lanes.findByCreateKey(draft.key) !== undefined ||
      store.relay.findRelayedByKey(draft.key) !== undefined;
  if (isOther) refuseUsedKey();
  return known;
}

export function refuseUsedKey(): never {
  fail("conflict", "this idempotency key was used with other content", {
    hint: "use another --idempotency-key",
  });
}

/**
 * For a plain send: throws when the registry shows that the thread is not free. A fresh status is read from the child
 * afterwards.
 */
export function refuseUnlessFree(deps: CoreDeps, lane: Lane): void {
  const { store, live } = deps;
  const facts = store.lanes.getFacts(lane.ref);
  const request = facts.requests[0];
  if (request) {
    fail("needs_answer", `thread ${lane.ref} waits for an answer: ${request.summary}`, {
      hint: `dispatch request get ${request.id}`,
      data: { request: request.id },
    });
  }
  if (facts.latest?.status === "in_progress") busy(lane, "runs a turn");
  if (facts.in_flight > 0) busy(lane, "has a message in flight");
  refuseLimited(deps, facts.lane);
  const used = budgetBlock(deps, facts.lane);
  if (used) fail("thread_busy", used.message, { hint: used.hint });
  const { pending, hold_reason } = facts.lane;
  if (pending === 0 || hold_reason !== null) return;
  const block = live.blocked.get(lane.ref);
  if (block)
    fail("thread_busy", `thread ${lane.ref} has ${pending} waiting and is blocked: ${block.reason}`, {
      hint: block.hint,
    });
  fail("thread_busy", `thread ${lane.ref} has ${pending} waiting`, {
    hint: "send it with --queue to wait its turn",
  });
}

export function busy(lane: Lane, why: string): never {
  fail("thread_busy", `thread ${lane.ref} ${why}`, {
    hint: "send it with --queue to wait its turn, or with --steer into the running one",
  });
}

/** Stores the message: from here on it is accepted. Inside an open transaction. */
export function accept(
  { store, mint }: CoreDeps,
  lane: Lane,
  draft: Draft,
  more: { at: "back" | "front" | "urgent"; now: number; target?: string | null },
): Message {
  if (lane.pending >= limits.message.queuedPerThreadMax) {
    fail("too_large", `thread ${lane.ref} has ${lane.pending} messages waiting, the most it may`, {
      hint: `dispatch queue list ${lane.ref}`,
    });
  }
  refuseText(draft.text);
  const message: Message = {
    id: draft.id ?? freshId(store, mint),
    lane: lane.ref,
    position: store.messages.position(lane.ref, more.at),
    mode: draft.mode,
    via: lane.source === "attached" ? "codex_queue" : "turn",
    text: draft.text,
    sha256: sha256(draft.text),
    state: "queued",
    outcome: null,
    epoch: null,
    attempt: 0,
    turn_id: null,
    target_turn_id: more.target ?? null,
    floor_turn_id: null,
    path: null,
    joined: false,
    or_queue: draft.or_queue,
    settings: draft.overrides,
    key: draft.key,
    digest: draft.key === null ? null : digestOf(lane.ref, draft),
    cause_id: draft.cause_id,
    depth: draft.depth,
    caller: draft.caller,
    error: null,
    claimed_at: null,
    sent_at: null,
    created_at: more.now,
    updated_at: more.now,
  };
  store.messages.add(message);
  store.lanes.set(lane.ref, { updated_at: more.now });
  return message;
}

/** Throws `usage`, `too_large`. */
export function refuseText(text: string): void {
  if (text === "") fail("usage", "the text is empty", { hint: "dispatch send THREAD TEXT" });
  if (Buffer.byteLength(text) > limits.input.textBytesMax) {
    fail("too_large", `the text is over ${limits.input.textBytesMax / 1024 / 1024} MiB`, {
      hint: "put it in a file and send its path",
    });
  }
}

/** An id that no message ever had: in Codex's history two messages with one id would look like one message. */
function freshId(store: Store, mint: Mint): MessageId {
  let id = mint.id();
  while (store.messages.find(id)) id = mint.id();
  return id;
}
