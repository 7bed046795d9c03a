/** What the log says to those who look at it: read by a cursor, so that nothing is missed while the daemon is down. */

import { limits } from "../../base/limits.ts";
import { macrotask } from "../../base/macrotask.ts";
import { turnEnds } from "../../contract/events.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { EventRow } from "../model/events.ts";
import type { Automation, When } from "../model/ports/automation.ts";
import type { LaneFacts, Ref } from "../model/ports/rows.ts";
import type { Actions } from "./effect.ts";
import { fire, pause } from "./fire.ts";
import type { Notifications } from "./notify.ts";
import { wakeText } from "./wake.ts";
import { isStillSo, kindsFor, meaningOf } from "./watch.ts";

/** After these nothing can be sent to the thread any more. */
const ends: Record<string, string> = {
  "thread.archived": "is archived",
  "thread.gone": "is gone from Codex",
  "thread.given": "was given to another app",
  "thread.forgotten": "is not managed any more",
};

function kindsOfAll(whens: readonly When[]): string[] {
  const wanted = new Set<string>(Object.keys(ends));
  for (const when of whens) for (const kind of kindsFor(when)) wanted.add(kind);
  return [...wanted].sort();
}

/** `failed` is called with what one automation throws, and may throw it to end the look: the event is read again. Reads until the end of the log, or the abort. */
export function logReader(
  deps: CoreDeps,
  actions: Actions,
  outgoing: Notifications,
  failed: (automation: Automation, thrown: unknown) => void,
): (stop: AbortSignal) => Promise<void> {
  const { store, journal } = deps;
  let cursor = store.automations.cursor();

  /** Most events are what agents do, and concern nobody here: those are not even read. */
  let known = { version: -1, kinds: [] as readonly string[] };
  function kindsNow(): readonly string[] {
    const version = store.automations.version();
    if (known.version !== version) known = { version, kinds: kindsOfAll(store.automations.whens()) };
    return known.kinds;
  }

  async function readLog(stop: AbortSignal): Promise<void> {
    if (!store.automations.hasActive()) {
      cursor = store.log.last();
      return;
    }
    for (;;) {
      const seen = store.log.last();
      if (seen <= cursor) return;
      // Others may have been added while the page before was read.
      const kinds = kindsNow();
      const events = store.events.list({ after: cursor, limit: limits.automation.eventsMax, kinds });
      for (const event of events) {
        await onEvent(event);
        cursor = event.seq;
      }
      const isEnd = events.length < limits.automation.eventsMax;
      if (isEnd) cursor = Math.max(cursor, seen);
      if (events.length > 0) journal.note(() => store.automations.setCursor(cursor));
      if (isEnd || stop.aborted) return;
      await macrotask();
    }
  }

  async function onEvent(event: EventRow): Promise<void> {
    const lane = event.lane as Ref | null;
    const end = ends[event.kind];
    if (end !== undefined && lane !== null) pauseAll(lane, end, event.seq);
    const watching = store.automations.watching(lane);
    // Read once, however many look at this thread.
    let read: { facts: LaneFacts | undefined } | undefined;
    const facts = () => {
      read ??= { facts: lane === null ? undefined : store.lanes.findFacts(lane) };
      return read.facts;
    };
    const over: Automation[] = [];
    for (const { automation, watched } of watching) {
      try {
        if (event.seq <= automation.since || isItsOwn(automation, event)) continue;
        if (automation.when.kind === "idle_for") noteIdle(automation, automation.when.seconds, event);
        const meaning = meaningOf(deps, automation, watched, event, facts);
        if (meaning === "arm") over.push(automation);
        else if (meaning !== "none") await onHit(automation, event, lane, meaning === "hold");
      } catch (thrown) {
        failed(automation, thrown);
      }
    }
    if (over.length === 0 || lane === null) return;
    journal.note(() => {
      for (const { id } of over) store.automations.setWatched(id, lane, { holds: false, seq: event.seq });
    });
  }

  /** What it did itself, or what another of its kind did, is no reason to act, unless that was asked for. */
  function isItsOwn(automation: Automation, event: EventRow): boolean {
    if (!event.kind.startsWith("trigger.")) return false;
    return automation.when.kind !== "event" || event.data["trigger"] === automation.id;
  }

  async function onHit(
    automation: Automation,
    event: EventRow,
    lane: Ref | null,
    isOfAll: boolean,
  ): Promise<void> {
    if (lane !== null && !(await isStillSo(deps, automation, lane))) return;
    if (automation.when.kind === "condition" && lane !== null)
      journal.note(() => store.automations.setWatched(automation.id, lane, { holds: true, seq: event.seq }));
    if (automation.face === "notification") {
      outgoing.add(automation, event);
      return;
    }
    const all = isOfAll ? store.automations.watched(automation.id) : [];
    if (all.some(({ holds, seq }) => !holds || seq === null)) return;
    const about = isOfAll ? all.map((one) => one.lane as Ref) : lane === null ? [] : [lane];
    fire(deps, actions, automation, {
      slot: `event ${event.seq}`,
      moment: event.at,
      event,
      about: lane,
      missed: 0,
      next: null,
      ...(automation.action.kind === "wake" ? { text: wakeText(deps, automation, about) } : {}),
    });
    if (isOfAll) journal.note(() => store.automations.spendWatched(automation.id));
  }

  /** What runs is not idle; what ended is, from then on. */
  function noteIdle({ id }: Automation, seconds: number, event: EventRow): void {
    if (!event.kind.startsWith("turn.")) return;
    const isOver = turnEnds.includes(event.kind);
    const at = isOver ? event.at + seconds * 1000 : null;
    journal.note(() => store.automations.set(id, { slot_at: at, due_at: at }));
  }

  /** Not one that was added, or resumed, since: the event may be read again after a restart. */
  function pauseAll(lane: Ref, why: string, seq: number): void {
    journal.commit((change) => {
      for (const one of store.automations.concerning(lane))
        if (one.face !== "notification" && one.since < seq) pause(deps, change, one, `thread ${lane} ${why}`);
    });
  }

  return readLog;
}
