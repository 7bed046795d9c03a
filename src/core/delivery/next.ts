/**
 * Decides what of a thread goes to Codex next: for the loop, for the check whether anything is due, and for the message
 * to the user.
 */
import type { Lane, Message, Turn } from "../model/ports/rows.ts";
import type { StartBlock } from "../state/capacity.ts";
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
  waiting: {
    steer(turn: Turn): Message | null;
    context(): Message | null;
    start(): Message | null;
  };
}

export interface NextPolicy {
  /** Messages for a thread of another app go into Codex's own queue. */
  attachedQueue: boolean;
  startBlock(): StartBlock | null;
}

export type NextAction =
  | { kind: "none" }
  /** The thread has to be created, or its goal to be set. */
  | { kind: "open" }
  | { kind: "steer" | "inject" | "start" | "give"; message: Message }
  | { kind: "wait"; block: StartBlock };

const none: NextAction = { kind: "none" };

/** Depends on `facts` and `policy` only. What is cheap to know, and true of most threads, is asked first. */
export function nextAction(facts: NextFacts, policy: NextPolicy): NextAction {
  const { lane, waiting } = facts;
  // Asked always: it is also where a thread that is no culprit any more is acquitted.
  if (facts.isCulprit) return none;
  if (lane.pending === 0 && facts.isReady) return none;
  if (facts.hasInFlight) return none;
  const next = () => (mayPass(lane.hold_reason) ? waiting.start() : null);
  if (lane.source === "attached") {
    const message = policy.attachedQueue ? next() : null;
    return message ? { kind: "give", message } : none;
  }
  if (writeLock(lane) !== null) return none;
  if (!facts.isReady) return { kind: "open" };
  const { turn } = facts;
  if (turn === "elsewhere") return none;
  if (turn !== null) {
    const message = waiting.steer(turn);
    return message ? { kind: "steer", message } : none;
  }
  const context = waiting.context();
  if (context) return { kind: "inject", message: context };
  const message = next();
  if (!message) return none;
  const block = policy.startBlock();
  return block ? { kind: "wait", block } : { kind: "start", message };
}
