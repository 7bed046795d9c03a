/**
 * Texts that a hook of Codex refused. Such a turn ends as `completed`, without the text (facts F52). Another attempt
 * would be refused again. The hook's reason is stored as the error of the turn until the message fails.
 */
import { limits } from "../../base/limits.ts";
import { clip } from "../model/clip.ts";
import { isSteering } from "../model/message.ts";
import type { Message, MessageError, Ref } from "../model/ports/rows.ts";
import type { Store } from "../model/ports/store.ts";

const kind = "hook_refused";

/** Inside an open transaction. Codex reports the refusal after the start of the turn and just before its end. */
export function notePromptRefusal(store: Store, ref: Ref, turnId: string, words: string | null): void {
  const turn = store.turns.find(ref, turnId);
  if (turn?.status !== "in_progress") return;
  const reason = clip(words?.trim() || "it gave no reason", limits.thread.turnErrorCharsMax);
  const message = `a hook of Codex refused its text: ${reason}`;
  store.turns.put({ ...turn, error: { message, kind } });
}

/**
 * Why a claimed or sent message that is not in history will never be taken; undefined when that is not certain.
 * Its turn must have ended `completed`: a turn that failed or was interrupted shows nothing about the text.
 * `hasHistory`: Codex keeps a history of the thread.
 */
export function promptRefusal(store: Store, message: Message, hasHistory: boolean): MessageError | undefined {
  if (message.mode === "context") return undefined;
  const turn = store.turns.find(message.lane, message.turn_id ?? message.target_turn_id ?? "");
  if (turn?.status !== "completed") return undefined;
  const isByHook = turn.error?.kind === kind;
  // The event of its item may be missing.
  if (!isByHook && !hasHistory) return undefined;
  if (isSteering(message)) {
    if (!isByHook) return undefined;
    return { code: "agent", message: `not taken, and the running turn was ended: ${turn.error!.message}` };
  }
  const why = isByHook ? turn.error!.message : "Codex completed its turn without the text";
  return { code: "agent", message: `not taken: ${why}` };
}
