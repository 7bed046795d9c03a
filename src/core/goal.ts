/**
 * The goal of `new --goal`. An active goal starts turns by itself and would swallow the first text, so it is set
 * paused, and made active only once that text is delivered.
 */

import { isTerminal } from "./message.ts";
import type { Opened } from "./open.ts";
import type { World } from "./world.ts";

/** Under the lane's lock, with its thread open. */
export async function activateGoal({ store, agent, journal }: World, { lane }: Opened): Promise<void> {
  if (lane.goal_setup === null || lane.goal === null) return;
  const { objective } = lane.goal;
  if (lane.goal_setup === "wanted") {
    await agent.setGoal(lane.thread_id, { objective, status: "paused" });
    journal.commit(() => store.lanes.set(lane.ref, { goal_setup: "paused" }));
  }
  const [first] = store.messages.list({ lane: lane.ref, limit: 1 });
  const isTaken = first === undefined || first.state === "delivered" || isTerminal(first.state);
  if (!isTaken) return;
  await agent.setGoal(lane.thread_id, { status: "active" });
  journal.commit((change) => {
    store.lanes.set(lane.ref, { goal: { ...lane.goal!, status: "active" }, goal_setup: null });
    change.append({ kind: "goal.changed", lane: lane.ref, data: { status: "active", by: "dispatch" } });
  });
}
