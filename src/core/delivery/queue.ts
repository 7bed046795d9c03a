/** The queue of a lane, and what a person may do with it. */

import { pageOf } from "../../base/cursor.ts";
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { Receipt } from "../../contract/receipt.ts";
import type { QueueView } from "../../contract/thread.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import type { Message, Ref } from "../model/ports/rows.ts";
import { clearBlock } from "../state/blocked.ts";
import { hold, queueView, releaseUnsure } from "../state/hold.ts";
import { limitFor } from "../state/lane.ts";
import { receiptOf } from "../state/receipt.ts";
import { failed, move, requeued } from "../state/settle.ts";

export interface QueuePage {
  thread: string;
  queue: QueueView;
  messages: (Receipt & { preview: string })[];
  total: number;
  next_cursor: string | null;
}

export function queuePage({ store }: CoreDeps, ref: Ref, cursor: string | null, limit: number): QueuePage {
  const lane = store.lanes.get(ref);
  const { rows, next_cursor } = pageOf(
    `queue ${ref}`,
    { cursor, limit },
    (after, most) => store.messages.listQueued(ref, { after, limit: most }),
    ({ position, id }) => [position, id],
  );
  const usageLimits = store.usageLimits.list();
  return {
    thread: ref,
    queue: queueView(lane, limitFor(lane, usageLimits)),
    messages: rows.map((row) => ({
      ...receiptOf(row, lane, usageLimits),
      preview: row.text.slice(0, limits.thread.previewCharsMax).toWellFormed(),
    })),
    total: lane.pending,
    next_cursor,
  };
}

function getQueued({ store }: CoreDeps, id: string, what: string): Message {
  const message = store.messages.get(id);
  if (message.state !== "queued")
    fail("conflict", `receipt ${id} is ${message.state}: only what waits can be ${what}`, {
      hint: `dispatch receipt get ${id}`,
    });
  return message;
}

/** In one transaction: either this or the loop's claim comes first, and the other sees it. */
export function cancel(deps: CoreDeps, id: string): void {
  const { store, journal } = deps;
  const ref = journal.commit((change) => {
    const message = getQueued(deps, id, "cancelled");
    move(store, change, message, "cancelled");
    return message.lane;
  });
  if (store.lanes.find(ref)?.pending === 0) clearBlock(deps, ref);
}

/** Returns the new place; 1 is next. */
export function moveTo(deps: CoreDeps, id: string, place: number): number {
  const { store, journal } = deps;
  return journal.commit((change) => {
    const message = getQueued(deps, id, "moved");
    const total = store.lanes.find(message.lane)?.pending ?? 0;
    const to = Math.min(place, total);
    const others = store.messages
      .listQueued(message.lane, { after: null, limit: to + 1 })
      .filter((other) => other.id !== id);
    const behind = others[to - 1];
    store.messages.set(message.id, {
      position: behind
        ? store.messages.positionBefore(message.lane, behind.position)
        : store.messages.position(message.lane, "back"),
      updated_at: change.now,
    });
    change.append({ kind: "queue.moved", lane: message.lane, receipt: id, data: { to } });
    return to;
  });
}

export function holdByHand({ store, journal }: CoreDeps, ref: Ref): void {
  journal.commit((change) => hold(store, change, ref, "by_hand"));
}

export type Resolution = "delivered" | "not-delivered" | "resend";

/** Decided by a person who looked. The audit has the call, and the receipt has the decision. */
export function resolveUnsure(deps: CoreDeps, id: string, as: Resolution, by: string): Ref {
  const { store, journal } = deps;
  return journal.commit((change) => {
    const message = store.messages.get(id);
    if (message.state !== "unsure")
      fail("conflict", `receipt ${id} is ${message.state}, not unsure: nothing is left to settle`, {
        hint: `dispatch receipt get ${id}`,
      });
    settleAs(deps, change, message, as, by);
    releaseUnsure(store, change, message.lane);
    return message.lane;
  });
}

function settleAs({ store }: CoreDeps, change: Change, message: Message, as: Resolution, by: string): void {
  // A person may order an attempt beyond the limit.
  if (as === "resend") requeued(store, change, { ...message, attempt: 0 }, null);
  else if (as === "not-delivered")
    failed(store, change, message, { code: "unsure", message: `settled by ${by}: not delivered` });
  else {
    move(store, change, message, "delivered", { error: null });
    move(store, change, { ...message, state: "delivered" }, "done");
  }
}
