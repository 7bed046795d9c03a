/** What the log says to those who look at it: read by a cursor, so that nothing is missed while the daemon is down. */
import { limits } from "../../base/limits.ts";
import { macrotask } from "../../base/macrotask.ts";
import { isConfirmed } from "../events/wait.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { EventRow } from "../model/events.ts";
import type { Automation, Watched } from "../model/ports/automation.ts";
import type { Ref } from "../model/ports/rows.ts";
import type { Actions } from "./effect.ts";
import { fire, pause } from "./fire.ts";
import type { Notifications } from "./notify.ts";
import { wakeText } from "./wake.ts";
import { isOfIdle, meaningOf } from "./watch.ts";

/** After these nothing can be sent to the thread any more. */
const ends: Record<string, string> = {
  "thread.archived": "is archived",
  "thread.gone": "is gone from Codex",
  "thread.given": "was given to another app",
  "thread.forgotten": "is not managed any more",
};

/** `failed` is called with what one automation throws: the others go on. Reads until the end of the log, or the abort. */
export function logReader(
  deps: CoreDeps,
  actions: Actions,
  outgoing: Notifications,
  failed: (automation: Automation, thrown: unknown) => void,
): (stop: AbortSignal) => Promise<void> {
  const { store, journal } = deps;
  let cursor = store.automations.cursor();

  async function readLog(stop: AbortSignal): Promise<void> {
    if (!store.automations.hasActive()) {
      cursor = store.log.last();
      return;
    }
    for (;;) {
      const events = store.events.list({ after: cursor, limit: limits.automation.eventsMax });
      for (const event of events) {
        await onEvent(event);
        cursor = event.seq;
      }
      if (events.length > 0) journal.note(() => store.automations.setCursor(cursor));
      if (events.length < limits.automation.eventsMax || stop.aborted) return;
      await macrotask();
    }
  }

  async function onEvent(event: EventRow): Promise<void> {
    if (event.kind === "op.called" || event.lane === null) return;
    const lane = event.lane as Ref;
    const end = ends[event.kind];
    if (end !== undefined) pauseAll(lane, end);
    noteIdle(event, lane);
    for (const { automation, watched } of store.automations.watching(lane)) {
      try {
        await onWatched(automation, watched, event, lane);
      } catch (thrown) {
        failed(automation, thrown);
      }
    }
  }

  async function onWatched(
    automation: Automation,
    watched: Watched,
    event: EventRow,
    lane: Ref,
  ): Promise<void> {
    if (event.seq <= automation.since) return;
    // What it did itself, or what it is told of by another of its kind, is no reason to act.
    if (event.kind.startsWith("trigger.") && automation.when.kind !== "event") return;
    if (event.kind === "trigger.fired" && event.data["trigger"] === automation.id) return;
    const meaning = meaningOf(deps, automation, watched, event);
    const set = (holds: boolean) =>
      journal.note(() => store.automations.setWatched(automation.id, lane, { holds, seq: event.seq }));
    if (meaning === "none") return;
    if (meaning === "arm") return set(false);
    if (isOfIdle(automation) && !(await isConfirmed(deps, { ref: lane }))) return;
    if (automation.face === "notification") {
      if (automation.when.kind === "condition") set(true);
      outgoing.add(automation, event);
      return;
    }
    if (automation.when.kind !== "event") set(true);
    const all = store.automations.watched(automation.id);
    if (meaning === "hold" && all.some(({ holds }) => !holds)) return;
    const about = meaning === "hold" ? all.map((one) => one.lane as Ref) : [lane];
    await fire(deps, actions, automation, {
      slot: `event ${event.seq}`,
      event,
      about: lane,
      missed: 0,
      next: null,
      ...(automation.action.kind === "wake" ? { text: wakeText(deps, automation, about) } : {}),
    });
    if (meaning === "hold") journal.note(() => store.automations.clearWatched(automation.id));
  }

  /** What runs is not idle; what ended is, from then on. */
  function noteIdle(event: EventRow, lane: Ref): void {
    if (!event.kind.startsWith("turn.")) return;
    for (const { automation } of store.automations.watching(lane)) {
      if (automation.when.kind !== "idle_for") continue;
      const isOver = ["turn.completed", "turn.failed", "turn.interrupted"].includes(event.kind);
      const at = isOver ? event.at + automation.when.seconds * 1000 : null;
      journal.note(() => store.automations.set(automation.id, { slot_at: at, due_at: at }));
    }
  }

  function pauseAll(lane: Ref, why: string): void {
    journal.commit((change) => {
      for (const one of store.automations.concerning(lane))
        if (one.face !== "notification") pause(deps, change, one, `thread ${lane} ${why}`);
    });
  }

  return readLog;
}
