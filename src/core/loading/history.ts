/** Codex's own history of a thread, read back from its newest turn: the witness that outlives any child. */
import { limits } from "../../base/limits.ts";
import type { Agent } from "../model/ports/agent.ts";
import type { TurnFacts } from "../model/ports/thread.ts";

export interface ReadBack {
  /** Newest first, down to the floor (not with it) or to the beginning. */
  turns: TurnFacts[];
  /** The floor was met; true without a floor once the beginning was. */
  reachedFloor: boolean;
}

/** By turn id, never by time or page budget: what is above the floor is all that can hold our message. */
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

/** The turn that holds the user message we sent with this id. */
export function turnHolding(turns: readonly TurnFacts[], clientId: string): TurnFacts | undefined {
  return turns.find((turn) =>
    turn.items.some((item) => item.type === "user_message" && item.client_id === clientId),
  );
}
