/**
 * Decides what of a thread goes to Codex next: for the loop, for the check whether anything is due, and for the message
 * to the user.
 */
import type { Lane, Message, Turn } from "../model/ports/rows.ts";
import { mayPass } from "../state/hold.ts";
import { writeLock } from "../state/lane.ts";

/** The state of one thread, from the registry and from the running Codex. */
export interface NextFacts {
  lane: Lane;
  hasInFlight: boolean;
  /** Held because Codex died of it twice. */
  isCulprit: boolean;
  /** Created in Codex, with its goal set up. */
  isReady: boolean;
  /** `elsewhere`: a turn of a Codex that is dead, or one that another process runs. */
  turn: Turn | "elsewhere" | null;
  /**
   * The first waiting message of each kind: a steer of the running turn, a context, and one that starts a turn. Under a
   * hold only a message that a person sent to run now starts one.
   */
  waiting: { steer: Message | null; context: Message | null; start: Message | null };
}

/** Why no turn may start now: the account has a usage limit, or a limit that the user set is reached. */
export interface StartBlock {
  by: "usage_limit" | "limits";
  message: string;
  /** For a text that was to run at once. */
  hint: string;
}

export interface NextPolicy {
  /** Messages for a thread of another app go into Codex's own queue. */
  attachedQueue: boolean;
  startBlock: StartBlock | null;
}

export type NextAction =
  | { kind: "none" }
  /** The thread has to be created, or its goal to be set. */
  | { kind: "open" }
  | { kind: "steer" | "inject" | "start" | "give"; message: Message }
  | { kind: "wait"; block: StartBlock };

const none: NextAction = { kind: "none" };

/** Pure: it depends on `facts` and `policy` only. */
export function nextAction(facts: NextFacts, policy: NextPolicy): NextAction {
  const { lane, turn, waiting } = facts;
  const start = mayPass(lane.hold_reason) ? waiting.start : null;
  if (facts.hasInFlight || facts.isCulprit) return none;
  if (lane.source === "attached") {
    const message = policy.attachedQueue ? start : null;
    return message ? { kind: "give", message } : none;
  }
  if (writeLock(lane) !== null) return none;
  if (!facts.isReady) return { kind: "open" };
  if (turn === "elsewhere") return none;
  if (turn !== null) return waiting.steer ? { kind: "steer", message: waiting.steer } : none;
  if (waiting.context) return { kind: "inject", message: waiting.context };
  if (!start) return none;
  return policy.startBlock ? { kind: "wait", block: policy.startBlock } : { kind: "start", message: start };
}
