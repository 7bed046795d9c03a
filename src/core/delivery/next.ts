/** What of a thread goes to Codex next. The loop, the question whether anything is due and what a user is told all ask here. */
import type { Lane, Message, Turn } from "../model/ports/rows.ts";
import { mayPass } from "../state/hold.ts";
import { writeLock } from "../state/lane.ts";

/** One thread, by the registry and by what the running Codex says. */
export interface NextFacts {
  lane: Lane;
  hasInFlight: boolean;
  /** Held because Codex died of it twice. */
  isCulprit: boolean;
  /** Created in Codex, with nothing of its goal left to do. */
  isReady: boolean;
  /** `elsewhere`: a turn of a Codex that is dead, or one that another process runs. */
  turn: Turn | "elsewhere" | null;
  /**
   * The first of each kind that waits: a steer of the running turn, a context, and what starts a turn. Under a hold
   * only what a person asked to run now starts one.
   */
  waiting: { steer: Message | null; context: Message | null; start: Message | null };
}

/** Why no turn may start now: the account's usage limit, or as many turns run as the user allows. */
export interface StartBlock {
  by: "usage_limit" | "capacity";
  message: string;
}

export interface NextPolicy {
  /** What waits for a thread of another app goes into Codex's own queue. */
  attachedQueue: boolean;
  startBlock: StartBlock | null;
}

export type NextAction =
  | { kind: "none" }
  /** The thread is created, or its goal is set. */
  | { kind: "open" }
  | { kind: "steer" | "inject" | "start" | "give"; message: Message }
  | { kind: "wait"; block: StartBlock };

const none: NextAction = { kind: "none" };

/** Pure: whatever it depends on is in `facts` and `policy`. */
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
