/** Delivery: what each mode of sending does, and the loop that brings what waits to Codex, one in flight a lane. */
import { fail, wordsOf } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import { accept, busy, type Draft, refuseUnlessFree, refuseUnwritable } from "./accept.ts";
import { claim, inject, start, steer } from "./attempt.ts";
import { activateGoal } from "./goal.ts";
import { isRunning, saysIdle, writeLock } from "./lane.ts";
import { type Opened, open } from "./open.ts";
import type { Lane, Message, Ref } from "./ports/store.ts";
import { mayPass } from "./settle.ts";
import type { World } from "./world.ts";

export interface Delivery {
  /** Stores the text and does what its mode says; refuses what cannot be, with nothing stored. */
  send(lane: Lane, draft: Draft): Promise<Message>;
  /** Tries what waits on a lane soon; repeats never overlap. */
  kick(ref: Ref): void;
  /** Everything of a lane that can go now. */
  step(ref: Ref): Promise<void>;
}

export function delivery(world: World): Delivery {
  const { store, journal, clock, log, agent, live } = world;
  const kicked = new Set<Ref>();
  const again = new Set<Ref>();
  /** Lanes whose last try was refused: how often, and when the next may be. */
  const backoff = new Map<Ref, { tries: number; until: number }>();

  const modes: Record<Draft["mode"], (lane: Lane, draft: Draft) => Promise<Message> | Message> = {
    queue: (lane, draft) => stored(lane, draft, "back", null),

    async send(lane, draft) {
      await agent.ready(limits.agentReadyWaitMs);
      refuseUnlessFree(world, store.lanes.get(lane.ref) ?? lane);
      return world.locked(lane.ref, async () => {
        const opened = await open(world, lane.ref);
        if (!(await isIdle(world, opened))) busy(opened.lane, "runs a turn");
        refuseUnlessFree(world, opened.lane);
        const { id } = journal.commit((change) => {
          const message = accept(world, opened.lane, draft, { at: "front", now: change.now });
          change.append({
            kind: "message.queued",
            lane: lane.ref,
            receipt: message.id,
            data: { mode: draft.mode },
          });
          claim(world, change, message, opened);
          return message;
        });
        await start(world, store.messages.get(id)!, opened);
        return store.messages.get(id)!;
      });
    },

    steer(lane, draft) {
      const turn = running(lane.ref);
      if (turn) return stored(lane, draft, "back", turn.turn_id);
      if (!draft.or_queue)
        fail("conflict", `thread ${lane.ref} runs no turn to steer`, {
          hint: "send it without --steer, or with --queue too",
        });
      return stored(lane, draft, "back", null);
    },

    async context(lane, draft) {
      await agent.ready(limits.agentReadyWaitMs);
      return stored(lane, draft, "front", null);
    },

    async interject(lane, draft) {
      await agent.ready(limits.agentReadyWaitMs);
      const turn = running(lane.ref);
      const message = stored(lane, draft, "front", turn?.turn_id ?? null);
      if (turn && lane.thread_id !== null) await cut(lane.thread_id, turn.turn_id);
      return message;
    },
  };

  function stored(lane: Lane, draft: Draft, at: "back" | "front", target: string | null): Message {
    return journal.commit((change) => {
      const message = accept(world, lane, draft, { at, now: change.now, target });
      change.append({
        kind: "message.queued",
        lane: lane.ref,
        receipt: message.id,
        data: { mode: draft.mode },
      });
      change.after(() => kick(lane.ref));
      return message;
    });
  }

  /** Only that one turn. Whatever becomes of the call, the message waits for the turn's end and then goes. */
  async function cut(threadId: string, turnId: string): Promise<void> {
    try {
      await agent.interruptTurn(threadId, turnId);
      await agent.cleanBackground(threadId);
    } catch (thrown) {
      log.warn("an interjection found its turn over, or Codex gone", {
        turn: turnId,
        reason: wordsOf(thrown),
      });
    }
  }

  const running = (ref: Ref) => store.turns.running(ref).findLast((turn) => isRunning(turn, live));

  async function step(ref: Ref): Promise<void> {
    if (!isDue(ref)) return;
    await world.locked(ref, async () => {
      try {
        while (await one(ref));
        backoff.delete(ref);
      } catch (thrown) {
        later(ref);
        blocked(ref, thrown);
      }
    });
  }

  /** One attempt of the first thing that can go; answers whether there may be more. */
  async function one(ref: Ref): Promise<boolean> {
    const lane = store.lanes.get(ref);
    if (!lane || writeLock(lane) !== null || !hasWork(lane) || store.messages.inFlight(ref)) return false;
    const opened = await open(world, ref);
    await activateGoal(world, opened);
    const context = store.messages.nextContext(ref);
    if (context) return attempt(context, opened, inject);
    const turn = running(ref);
    const steering =
      turn && store.messages.steers(ref, turn.turn_id).find((message) => message.state === "queued");
    if (steering) return attempt(steering, opened, steer);
    if (turn || !nextStart(opened.lane) || !(await isIdle(world, opened))) return false;
    // Read again: the question above let others in.
    const now = store.lanes.get(ref);
    const next = now && nextStart(now);
    return next ? attempt(next, opened, start) : false;
  }

  async function attempt(message: Message, opened: Opened, deliver: typeof start): Promise<boolean> {
    journal.commit((change) => claim(world, change, message, opened));
    await deliver(world, store.messages.get(message.id)!, opened);
    if (store.messages.get(message.id)!.state !== "queued") return true;
    later(message.lane);
    return false;
  }

  function hasWork(lane: Lane): boolean {
    return lane.pending > 0 || lane.setup !== "ready" || lane.goal_setup !== null;
  }

  /** What a hold lets pass, a person asked to run now; what is not held goes in the order of the queue. */
  function nextStart(lane: Lane): Message | undefined {
    if (store.turns.running(lane.ref).length > 0 || !mayPass(lane.hold_reason)) return undefined;
    return store.messages.next(lane.ref, lane.hold_reason !== null);
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
    log.warn("what waits could not be delivered yet", { lane: ref, reason });
    if (store.lanes.get(ref)?.blocked_reason !== reason)
      journal.commit(() => store.lanes.set(ref, { blocked_reason: reason }));
  }

  function kick(ref: Ref): void {
    const lane = store.lanes.get(ref);
    if (!lane || !hasWork(lane)) return;
    if (kicked.has(ref)) {
      again.add(ref);
      return;
    }
    kicked.add(ref);
    void step(ref)
      .catch((thrown: unknown) => log.error("a delivery failed", { lane: ref, thrown: wordsOf(thrown) }))
      .finally(() => {
        kicked.delete(ref);
        if (again.delete(ref)) kick(ref);
      });
  }

  return {
    step,
    kick,
    async send(lane, draft) {
      refuseUnwritable(lane);
      return modes[draft.mode](lane, draft);
    },
  };
}

/**
 * `turn/start` on a running turn silently steers it (measured), so idle is proven, never assumed: by what this child
 * said of the thread a moment ago, else by asking it.
 */
async function isIdle({ agent, live, clock }: World, { lane }: Opened): Promise<boolean> {
  const known = live.get(lane.thread_id);
  const now = clock.now();
  if (known && saysIdle(known) && now - known.at <= limits.statusFreshMs) return true;
  const { status } = await agent.readThread(lane.thread_id);
  if (status !== "not_loaded")
    live.set(lane.thread_id, { status, at: clock.now(), heard: clock.now(), floor: known?.floor ?? null });
  return saysIdle(live.get(lane.thread_id));
}
