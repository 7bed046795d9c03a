/** An item of a turn is whole: a message, command, change or tool call. All functions run inside an open transaction. */
import { limits } from "../../base/limits.ts";
import { clip } from "../model/clip.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import type { Lane } from "../model/ports/rows.ts";
import type { ItemFacts } from "../model/ports/thread.ts";
import { indexedBytesMax, indexedItem } from "../search/indexed.ts";
import { lineOf } from "../state/itemline.ts";
import { lastMessage } from "../state/lastmessage.ts";
import { delivered } from "../state/settle.ts";

export function itemCompleted(
  deps: CoreDeps,
  change: Change,
  lane: Lane,
  turnId: string,
  item: ItemFacts,
  onDelivered: (lane: Lane) => void,
): void {
  const { store } = deps;
  endRetrying(deps, change, lane, turnId);
  const turn = store.turns.find(lane.ref, turnId);
  if (item.type === "user_message" && item.client_id !== null) {
    const message = store.messages.find(item.client_id);
    if (message?.lane === lane.ref) {
      delivered(store, change, message, turnId);
      change.after(() => onDelivered(lane));
    } else if (turn?.origin === "other") store.turns.put({ ...turn, origin: "queue" });
  }
  if (item.type === "agent_message") {
    store.lanes.set(lane.ref, { last_message: lastMessage(item, turnId, change.now) });
  }
  const indexed = indexedItem(lane.ref, turnId, item, change.now, indexedBytesMax(deps));
  if (indexed) store.items.put(indexed);
  change.append({
    kind: "item.completed",
    lane: lane.ref,
    turn_id: turnId,
    receipt: item.type === "user_message" ? item.client_id : null,
    data: {
      item_id: item.id,
      type: item.type,
      preview: lineOf(item, lane.cwd),
      status: item.status,
      exit_code: item.exit_code,
    },
  });
}

/** Any activity of a turn ends its retrying. */
export function endRetrying({ store, live }: CoreDeps, change: Change, lane: Lane, turnId: string): void {
  if (lane.thread_id !== null) live.retrying.delete(lane.thread_id);
  const turn = store.turns.find(lane.ref, turnId);
  if (!turn || turn.retrying_since === null || turn.status !== "in_progress") return;
  store.turns.put({ ...turn, retrying_since: null, error: null });
  change.append({ kind: "turn.recovered", lane: lane.ref, turn_id: turnId });
}

export function preview(text: string): string {
  return clip(text, limits.thread.previewCharsMax);
}
