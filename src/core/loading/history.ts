/** Reads Codex's history of a thread from its newest turn on. The history is the evidence that outlives any child. */
import { limits } from "../../base/limits.ts";
import type { Agent } from "../model/ports/agent.ts";
import type { TurnFacts } from "../model/ports/thread.ts";

export interface ReadBack {
  /** Newest first, down to the floor (which is not included) or to the beginning. */
  turns: TurnFacts[];
  /** The floor was found; without a floor: the beginning was reached. */
  reachedFloor: boolean;
}

/** Stops at the turn `floor`, never at a time: only the turns above it can hold our message. */
export async function readBack(agent: Agent, threadId: string, floor: string | null): Promise<ReadBack> {
  const turns: TurnFacts[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < limits.wire.historyPagesMax; page++) {
    const { turns: found, next_cursor } = await agent.listTurns(threadId, {
      cursor,
      limit: limits.wire.historyPageTurns,
    });
    const at = found.findIndex((turn) => turn.id === floor);
    if (at >= 0) return { turns: [...turns, ...found.slice(0, at)], reachedFloor: true };
    turns.push(...found);
    if (next_cursor === null) return { turns, reachedFloor: floor === null };
    cursor = next_cursor;
  }
  return { turns, reachedFloor: false };
}

/** The turn with the user message that we sent with this id. */
export function turnHolding(turns: readonly TurnFacts[], clientId: string): TurnFacts | undefined {
  return turns.find((turn) =>
    turn.items.some((item) => item.type === "user_message" && item.client_id === clientId),
  );
}
