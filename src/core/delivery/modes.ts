/** What each mode of sending does. A refusal stores nothing. */
import { DispatchError, errorMessage, fail, unsureOf } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { refuseCulprit } from "../loading/blame.ts";
import { open } from "../loading/open.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import type { Lane, Message, Ref } from "../model/ports/rows.ts";
import { startBlock } from "../state/capacity.ts";
import { refuseUnwritable } from "../state/writable.ts";
import { accept, busy, type Draft, knownByKey, refuseUnlessFree } from "./accept.ts";
import { claim, start } from "./attempt.ts";
import { mayQueueNatively } from "./codexqueue.ts";
import { type Drain, drain } from "./drain.ts";
import { isIdle, runningTurn } from "./idle.ts";

export interface Delivery extends Drain {
  /** Stores the text and does what its mode defines. The same key again returns the same message. */
  send(ref: Ref, draft: Draft): Promise<Message>;
  /**
   * The same inside a transaction, from the registry alone, without a call to Codex. So a send is refused when the
   * registry shows that something runs, and waits while Codex is down.
   */
  store(change: Change, ref: Ref, draft: Draft): Message;
}

export function delivery(deps: CoreDeps): Delivery {
  const { store, journal, log, agent } = deps;
  const loop = drain(deps);

  const modes: Record<Draft["mode"], (ref: Ref, draft: Draft) => Promise<Message> | Message> = {
    queue: (ref, draft) => stored(ref, draft, "back", null),

    async send(ref, draft) {
      refuseCulprit(deps, ref);
      await agent.ready(limits.codex.readyWaitMs);
      // Checked at once, and again under the lock, which may take a while.
      refuseUnlessFree(deps, writable(ref));
      return deps.locked(ref, async () => {
        // During the wait for the lock the same key may have been used, or the thread may have gone.
        const known = knownByKey(store, ref, draft);
        if (known) return known;
        writable(ref);
        const opened = await open(deps, ref);
        if (!(await isIdle(deps, opened))) busy(opened.lane, "runs a turn");
        refuseUnlessFree(deps, writable(ref));
        const { id } = journal.commit((change) => {
          const block = startBlock(deps, opened.lane);
          if (block) fail("thread_busy", block.message, { hint: block.hint });
          const message = accepted(change, opened.lane, draft, "front", null);
          claim(deps, change, message, opened);
          return message;
        });
        await start(deps, store.messages.get(id), opened);
        return store.messages.get(id);
      });
    },

    steer(ref, draft) {
      const turn = runningTurn(deps, ref);
      if (turn) return stored(ref, draft, "back", turn.turn_id);
      if (!draft.or_queue)
        fail("conflict", `thread ${ref} runs no turn to steer`, {
          hint: "send it without --steer, or with --queue too",
        });
      return stored(ref, draft, "back", null);
    },

    async context(ref, draft) {
      await agent.ready(limits.codex.readyWaitMs);
      return stored(ref, draft, "back", null);
    },

    async interject(ref, draft) {
      await agent.ready(limits.codex.readyWaitMs);
      const turn = runningTurn(deps, ref);
      let isStored = true;
      try {
        return await stored(ref, draft, "urgent", turn?.turn_id ?? null);
      } catch (thrown) {
        isStored = thrown instanceof DispatchError && thrown.code === "unsure";
        throw thrown;
      } finally {
        const threadId = store.lanes.find(ref)?.thread_id;
        if (isStored && turn && threadId) await cut(threadId, turn.turn_id);
      }
    },
  };

  function writable(ref: Ref, draft?: Draft): Lane {
    const lane = store.lanes.get(ref);
    if (draft?.mode !== "queue" || !mayQueueNatively(deps, lane)) refuseUnwritable(lane);
    else if (draft.overrides !== null)
      fail("usage", `thread ${ref} is attached: Codex's own queue takes a text and no settings`, {
        hint: `dispatch take ${ref}`,
      });
    return lane;
  }

  /** Checks again what other callers may have changed during the wait, and stores at once. */
  async function stored(
    ref: Ref,
    draft: Draft,
    at: "back" | "urgent",
    target: string | null,
  ): Promise<Message> {
    const known = knownByKey(store, ref, draft);
    if (known) return onDisk(ref, known);
    const lane = writable(ref, draft);
    const message = journal.note((change) => {
      change.after(() => loop.kick(ref));
      return accepted(change, lane, draft, at, target);
    });
    return onDisk(ref, message);
  }

  /** The message once a power cut cannot lose it. A claim, which comes before Codex has it, is a commit of its own. */
  async function onDisk(ref: Ref, message: Message): Promise<Message> {
    try {
      await journal.synced();
    } catch (thrown) {
      throw unsureOf({ message: errorMessage(thrown) }, { thread: ref, idempotency_key: message.key });
    }
    return message;
  }

  function accepted(
    change: Change,
    lane: Lane,
    draft: Draft,
    at: "back" | "front" | "urgent",
    target: string | null,
  ): Message {
    const message = accept(deps, lane, draft, { at, now: change.now, target });
    change.append({
      kind: "message.queued",
      lane: lane.ref,
      receipt: message.id,
      data: { mode: draft.mode, ...(draft.id ? { by: draft.caller ?? "another machine" } : {}) },
    });
    return message;
  }

  /** Interrupts only that turn. Whatever the call returns, the message waits for the end of the turn and then goes. */
  async function cut(threadId: string, turnId: string): Promise<void> {
    try {
      await agent.interruptTurn(threadId, turnId);
      await agent.cleanBackground(threadId);
    } catch (thrown) {
      log.warn("an interjection found its turn over, or Codex gone", {
        turn: turnId,
        reason: errorMessage(thrown),
      });
    }
  }

  return {
    ...loop,
    store(change, ref, draft) {
      const lane = writable(ref, draft);
      const turn = runningTurn(deps, ref);
      if (draft.mode === "send") refuseUnlessFree(deps, lane);
      if (draft.mode === "steer" && !turn && !draft.or_queue)
        fail("conflict", `thread ${ref} runs no turn to steer`, {
          hint: "use the action queue, or send with --idle-only",
        });
      change.after(() => loop.kick(ref));
      const at = draft.mode === "interject" ? "urgent" : draft.mode === "send" ? "front" : "back";
      const isAimed = draft.mode === "steer" || draft.mode === "interject";
      const message = accepted(change, lane, draft, at, (isAimed && turn?.turn_id) || null);
      if (draft.mode === "interject" && turn && lane.thread_id) {
        const threadId = lane.thread_id;
        change.after(() => cut(threadId, turn.turn_id));
      }
      return message;
    },
    async send(ref, draft) {
      const known = knownByKey(store, ref, draft);
      if (known) return onDisk(ref, known);
      writable(ref, draft);
      return modes[draft.mode](ref, draft);
    },
  };
}
