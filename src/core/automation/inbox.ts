/** Messages for a thread, or for the person, that wake nobody: they are kept until somebody has read them. */
import { iso, isoOrNull } from "../../base/clock.ts";
import type { RowKey } from "../../base/cursor.ts";
import { fail } from "../../base/error.ts";
import { isBlank } from "../../base/text.ts";
import type { InboxView } from "../../contract/automation.ts";
import type { InboxState } from "../../contract/words.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import type { InboxMessage } from "../model/ports/automation.ts";
import type { Ref } from "../model/ports/rows.ts";

/** Inside a transaction. Answers its id. */
export function post(
  { store, mint }: CoreDeps,
  change: Change,
  { lane, sender, text }: Pick<InboxMessage, "lane" | "sender" | "text">,
): string {
  const id = mint.id();
  store.inbox.add({ id, lane, sender, text, state: "pending", created_at: change.now, acked_at: null });
  change.append({ kind: "inbox.posted", lane, data: { message: id, from: sender } });
  return id;
}

/** `lane`: null is the person, undefined all. Oldest first. */
export function listInbox(
  { store }: CoreDeps,
  filter: { lane?: Ref | null; states: readonly InboxState[]; after?: RowKey | null; limit: number },
): InboxView[] {
  return store.inbox.list(filter).map(viewOf);
}

/** Throws `not_found`. */
export function readInbox({ store }: CoreDeps, id: string): InboxView {
  return viewOf(found(store.inbox.find(id), id));
}

/** Throws `not_found`; one that is acked already stays as it is. */
export function ackInbox({ store, journal }: CoreDeps, ids: readonly string[]): InboxView[] {
  for (const id of ids) found(store.inbox.find(id), id);
  journal.commit((change) => {
    for (const id of ids) if (store.inbox.find(id)?.state === "pending") store.inbox.ack(id, change.now);
  });
  return ids.map((id) => viewOf(store.inbox.find(id)!));
}

export function postInbox(
  deps: CoreDeps,
  message: Pick<InboxMessage, "lane" | "sender" | "text">,
): InboxView {
  if (isBlank(message.text)) fail("usage", "the text is empty", { hint: "dispatch inbox post TEXT" });
  const id = deps.journal.commit((change) => post(deps, change, message));
  return viewOf(deps.store.inbox.find(id)!);
}

function found(message: InboxMessage | undefined, id: string): InboxMessage {
  return message ?? fail("not_found", `no message ${id} in an inbox`, { hint: "dispatch inbox list" });
}

function viewOf({ id, lane, sender, text, state, created_at, acked_at }: InboxMessage): InboxView {
  return {
    id,
    thread: lane,
    from: sender,
    text,
    state,
    created_at: iso(created_at),
    acked_at: isoOrNull(acked_at),
  };
}
