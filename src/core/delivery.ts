/**
 * Delivery: a message claimed under its lane's lock, in one transaction, before Codex hears of it; `sent` on Codex's
 * answer, which is not durable; `delivered` only on proof. No transaction is open across a call to Codex.
 */

import { sha256 } from "../base/digest.ts";
import { DispatchError, fail, wordsOf } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import { saysIdle, writeLock } from "./lane.ts";
import type { Mode } from "./message.ts";
import { isUnknown, markGone, type Opened, open, refusalOf } from "./open.ts";
import type { Lane, Message, Ref } from "./ports/store.ts";
import { failed, move, ours, requeued } from "./settle.ts";
import type { World } from "./world.ts";

export interface Draft {
  text: string;
  mode: Mode;
  key: string | null;
  cause_id: string | null;
  depth: number;
  caller: string | null;
}

export interface Delivery {
  /** A plain send: refuses what cannot run now, else stores, claims and sends. */
  send(lane: Lane, draft: Draft): Promise<Message>;
  /** Tries the next queued message of a lane soon; repeats never overlap. */
  kick(ref: Ref): void;
  /** One try of the next queued message of a lane. */
  step(ref: Ref): Promise<void>;
}

export function delivery(world: World): Delivery {
  const { store, journal, clock, log } = world;
  const kicked = new Set<Ref>();
  /** Lanes whose last try was refused: how often, and when the next may be. */
  const backoff = new Map<Ref, { tries: number; until: number }>();

  async function send(lane: Lane, draft: Draft): Promise<Message> {
    refuseUnwritable(lane);
    refuseUnlessFree(world, lane);
    return world.locked(lane.ref, async () => {
      const opened = await open(world, lane.ref);
      await proveIdle(world, opened);
      refuseUnlessFree(world, opened.lane);
      const message = journal.commit((change) => {
        const queued = accept(world, opened.lane, draft, "front", change.now);
        change.append({
          kind: "message.queued",
          lane: lane.ref,
          receipt: queued.id,
          data: { mode: draft.mode },
        });
        claim(world, change, queued, opened);
        return queued;
      });
      await start(world, store.messages.get(message.id)!, opened);
      return store.messages.get(message.id)!;
    });
  }

  async function step(ref: Ref): Promise<void> {
    if (!isDue(ref)) return;
    await world.locked(ref, async () => {
      const lane = store.lanes.get(ref);
      if (!lane || !mayClaim(world, lane)) return;
      try {
        const opened = await open(world, ref);
        if (!mayClaim(world, opened.lane) || !(await isIdle(world, opened))) return;
        const next = store.messages.next(ref);
        if (!next) return;
        journal.commit((change) => claim(world, change, next, opened));
        await start(world, store.messages.get(next.id)!, opened);
        backoff.delete(ref);
        if (store.messages.get(next.id)!.state === "queued") later(ref);
      } catch (thrown) {
        later(ref);
        blocked(ref, thrown);
      }
    });
  }

  function isDue(ref: Ref): boolean {
    const wait = backoff.get(ref);
    return wait === undefined || wait.until <= clock.monotonic();
  }

  function later(ref: Ref): void {
    const tries = (backoff.get(ref)?.tries ?? 0) + 1;
    const ms = Math.min(limits.agentBackoffFirstMs * 2 ** (tries - 1), limits.agentBackoffMaxMs);
    backoff.set(ref, { tries, until: clock.monotonic() + ms });
  }

  function blocked(ref: Ref, thrown: unknown): void {
    const reason = wordsOf(thrown);
    log.warn("a queued message could not be delivered yet", { lane: ref, reason });
    if (store.lanes.get(ref)?.blocked_reason !== reason)
      journal.commit(() => store.lanes.set(ref, { blocked_reason: reason }));
  }

  return {
    send,
    step,
    kick(ref) {
      if (kicked.has(ref) || !store.messages.next(ref)) return;
      kicked.add(ref);
      void step(ref)
        .catch((thrown: unknown) => log.error("a delivery failed", { lane: ref, thrown: wordsOf(thrown) }))
        .finally(() => kicked.delete(ref));
    },
  };
}

export function refuseUnwritable(lane: Lane): void {
  const reason = writeLock(lane);
  if (reason === null) return;
  if (lane.source === "attached")
    fail("authority", `thread ${lane.ref} is attached: ${reason}`, { hint: `dispatch get ${lane.ref}` });
  const hint = lane.gone_at === null ? "dispatch list --archived" : `dispatch forget ${lane.ref}`;
  fail(lane.gone_at === null ? "conflict" : "not_found", `thread ${lane.ref}: ${reason}`, { hint });
}

/** The registry's own evidence; a fresh status of the child is asked for afterwards, under the lock. */
function refuseUnlessFree({ store }: World, lane: Lane): void {
  const facts =
    store.lanes.facts(lane.ref) ??
    fail("not_found", `thread ${lane.ref} was forgotten`, { hint: "dispatch list" });
  const request = facts.requests[0];
  if (request) {
    fail("needs_answer", `thread ${lane.ref} waits for an answer: ${request.summary}`, {
      hint: `dispatch request answer ${request.id} --approve`,
      data: { request: request.id },
    });
  }
  const isWaiting = facts.pending > 0 && lane.hold_reason === null;
  if (facts.latest?.status === "in_progress") busy(lane, "runs a turn");
  if (facts.in_flight > 0) busy(lane, "has a message in flight");
  if (isWaiting) busy(lane, `has ${facts.pending} waiting`);
}

function busy(lane: Lane, why: string): never {
  fail("lane_busy", `thread ${lane.ref} ${why}`, {
    hint: `dispatch wait ${lane.ref}, then send again; or dispatch stop ${lane.ref}`,
  });
}

/** `turn/start` on a running turn silently steers it (measured), so idle is asked for, never assumed. */
async function proveIdle(world: World, opened: Opened): Promise<void> {
  if (!(await isIdle(world, opened))) busy(opened.lane, "runs a turn");
}

async function isIdle({ agent, live, clock }: World, { lane }: Opened): Promise<boolean> {
  const { status } = await agent.readThread(lane.thread_id);
  const known = live.get(lane.thread_id);
  if (status !== "not_loaded")
    live.set(lane.thread_id, { status, at: clock.now(), heard: clock.now(), floor: known?.floor ?? null });
  return saysIdle(live.get(lane.thread_id));
}

function mayClaim({ store, live }: World, lane: Lane): boolean {
  if (lane.hold_reason !== null || writeLock(lane) !== null) return false;
  const facts = store.lanes.facts(lane.ref);
  if (!facts || facts.pending === 0 || facts.in_flight > 0) return false;
  return facts.latest?.status !== "in_progress" && (live.get(lane.thread_id)?.status ?? "idle") !== "active";
}

/** Stores the message: from here on it is accepted. Inside an open transaction. */
export function accept(
  { store, mint }: World,
  lane: Lane,
  draft: Draft,
  at: "back" | "front",
  now: number,
): Message {
  const message: Message = {
    id: mint.id(),
    lane: lane.ref,
    position: store.messages.position(lane.ref, at),
    mode: draft.mode,
    text: draft.text,
    sha256: sha256(draft.text),
    state: "queued",
    outcome: null,
    epoch: null,
    attempt: 0,
    turn_id: null,
    target_turn_id: null,
    floor_turn_id: null,
    path: null,
    joined: false,
    or_queue: false,
    settings: null,
    key: draft.key,
    digest: draft.key === null ? null : digestOf(lane.ref, draft),
    cause_id: draft.cause_id,
    depth: draft.depth,
    caller: draft.caller,
    error: null,
    claimed_at: null,
    sent_at: null,
    created_at: now,
    updated_at: now,
  };
  store.messages.add(message);
  store.lanes.set(lane.ref, { updated_at: now });
  return message;
}

/** Everything the key stands for. */
export function digestOf(ref: Ref, { mode, text }: Draft): string {
  return sha256(JSON.stringify(["send", ref, mode, text]));
}

type Change = Parameters<Parameters<World["journal"]["commit"]>[0]>[0];

function claim({ store, live }: World, change: Change, message: Message, { lane, epoch }: Opened): void {
  move(store, change, message, "claimed", {
    epoch,
    attempt: message.attempt + 1,
    floor_turn_id: live.get(lane.thread_id)?.floor ?? null,
    path: lane.rollout_path,
    claimed_at: change.now,
    turn_id: null,
    error: null,
  });
}

async function start(world: World, message: Message, { lane }: Opened): Promise<void> {
  const { agent, store, journal } = world;
  try {
    const answer = await agent.startTurn({
      thread_id: lane.thread_id,
      text: message.text,
      client_id: message.id,
    });
    journal.commit((change) => {
      // The proof may have come first; then only the fact that we joined is news.
      const now = store.messages.get(message.id)!;
      if (now.state === "claimed") {
        move(store, change, now, "sent", {
          turn_id: answer.turn_id,
          joined: answer.joined,
          sent_at: change.now,
        });
      } else if (answer.joined) store.messages.set(message.id, { joined: true });
      if (!answer.joined) ours(store, lane.ref, answer.turn_id);
    });
  } catch (thrown) {
    refused(world, message, lane, thrown);
  }
}

/** Which refusals another try may get past, and which end the message. What is unknown stays claimed until it is read. */
function refused(world: World, message: Message, lane: Lane, thrown: unknown): void {
  const { store, journal, live } = world;
  if (isUnknown(thrown)) return;
  const reason = refusalOf(thrown);
  const words = wordsOf(thrown);
  if (reason === "not_loaded" && lane.thread_id !== null) live.drop(lane.thread_id);
  const mayRetry =
    reason === "not_loaded" || reason === "overloaded" || reason === "active_writer" || reason === "archived";
  const isDown = thrown instanceof DispatchError && thrown.code === "agent_down";
  journal.commit((change) => {
    const now = store.messages.get(message.id)!;
    if (now.state !== "claimed") return;
    if (mayRetry || isDown) requeued(store, change, now, words);
    else
      failed(store, change, now, {
        code: thrown instanceof DispatchError ? thrown.code : "internal",
        message: words,
      });
  });
  if (reason === "no_rollout") markGone(world, lane.ref);
}
