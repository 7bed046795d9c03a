/**
 * The loop of what acts by itself. The log is read by a cursor, so nothing is missed while the daemon is down; the clock
 * is looked at when the next moment comes, and at least every 30 s, since a machine may sleep and a clock may be set.
 */
import { errorMessage, isStorage } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Automation } from "../model/ports/automation.ts";
import { beside } from "./beside.ts";
import { clockWatch } from "./clockwatch.ts";
import type { Actions } from "./effect.ts";
import { startAt } from "./fire.ts";
import { logReader } from "./logreader.ts";
import { notifications } from "./notify.ts";
import { isClock } from "./schedule.ts";

export interface AutomationEngine {
  begin(): void;
  /** An automation was added or changed. */
  soon(): void;
  end(): Promise<void>;
}

export function automation(deps: CoreDeps, actions: Actions): AutomationEngine {
  const { store, clock, journal, log } = deps;
  const stopping = new AbortController();
  const outgoing = notifications(deps);
  const open = beside(deps, actions);
  const readLog = logReader(deps, actions, outgoing, failed);
  const lookAtClock = clockWatch(deps, actions, failed);
  let woken = Promise.withResolvers<void>();
  let running: Promise<void> | undefined;
  let seen = { wall: clock.now(), monotonic: clock.monotonic() };

  async function step(): Promise<void> {
    noteSetClock();
    outgoing.sync();
    await readLog(stopping.signal);
    await lookAtClock(stopping.signal);
    outgoing.send();
    open.start();
  }

  /** A wall clock that was set back: moments are counted from here, and those of a day that fired do not fire again. */
  function noteSetClock(): void {
    const now = { wall: clock.now(), monotonic: clock.monotonic() };
    const back = now.monotonic - seen.monotonic - (now.wall - seen.wall);
    seen = now;
    if (back < limits.automation.setBackMs) return;
    log.warn("the clock was set back: what is due is counted again", { ms: back });
    journal.note(() => {
      for (const one of store.automations.list({ face: "trigger", limit: limits.automation.max })) {
        if (one.state !== "active" || !isClock(one.when) || one.when.kind === "at") continue;
        const start = startAt(one, now.wall);
        // One that was counted since, as by a resume, may be due by now.
        if ((start.slot_at ?? 0) < (one.slot_at ?? 0)) store.automations.set(one.id, start);
      }
    });
  }

  /** One that cannot be looked at never keeps the others back; it is tried again later. On a full disk all are. */
  function failed(one: Automation, thrown: unknown): void {
    if (isStorage(thrown)) throw thrown;
    log.error("what acts by itself failed", { automation: one.id, thrown });
    if (!isClock(one.when)) return;
    try {
      const due_at = clock.now() + limits.automation.backoffFirstMs;
      journal.note(() => store.automations.set(one.id, { due_at }));
    } catch (refused) {
      log.warn("a trigger could not be put off", { automation: one.id, reason: errorMessage(refused) });
    }
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const before = store.log.last();
      woken = Promise.withResolvers();
      let leastMs = 0;
      try {
        await step();
      } catch (thrown) {
        log.error("what acts by itself could not be looked at", { thrown });
        leastMs = limits.automation.backoffFirstMs;
      }
      if (stopping.signal.aborted) return;
      if (leastMs > 0) await clock.sleep(leastMs, stopping.signal);
      else if (!store.automations.hasActive() || store.log.last() === before) await sleep(before);
    }
  }

  async function sleep(seq: number): Promise<void> {
    const now = clock.now();
    const due = Math.min(
      ...[store.automations.nextDue(), outgoing.nextDue()].map((at) => at ?? Number.POSITIVE_INFINITY),
    );
    const ms = Math.max(0, Math.min(due - now, limits.automation.sleepMaxMs));
    const over = new AbortController();
    const cancel = clock.after(ms + limits.timer.slackMs, () => over.abort());
    // Where nothing acts by itself the log is not followed: to add something wakes the loop.
    const change = store.automations.hasActive() ? journal.grown(seq, over.signal) : ended(over.signal);
    // The end of the loop wakes it, too.
    await Promise.race([change, woken.promise]);
    cancel();
    // With a reason: without one an error is made, with its stack, at each round.
    over.abort(null);
  }

  return {
    begin() {
      running ??= run();
    },
    soon: () => woken.resolve(),
    async end() {
      stopping.abort();
      woken.resolve();
      await running;
      await Promise.all([outgoing.end(), open.end()]);
    },
  };
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
