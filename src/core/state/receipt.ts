/** The receipt of a message, which all outputs about it use. Its id is the message's id and the id on Codex's wire. */

import { iso } from "../../base/clock.ts";
import type { Receipt } from "../../contract/receipt.ts";
import type { Lane, Message, UsageLimit } from "../model/ports/rows.ts";
import { releaseCommand } from "./hold.ts";
import { limitFor } from "./lane.ts";

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
