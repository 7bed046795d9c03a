/**
 * Notifications: each is a row of the outbox before its program is started, so that it is told at least once. Each
 * program has a queue of its own, so that one that is slow, or never ends, keeps no other one waiting.
 */
import { iso } from "../../base/clock.ts";
import { sha256 } from "../../base/digest.ts";
import { errorMessage } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { cell } from "../../base/text.ts";
import { watchedConditions } from "../../contract/words.ts";
import type { CoreDeps, NotifyRule } from "../model/deps.ts";
import type { EventRow } from "../model/events.ts";
import type { Automation, Outgoing, When } from "../model/ports/automation.ts";
import type { Ref } from "../model/ports/rows.ts";
import { automationRow } from "./row.ts";
import { sideWork } from "./sidework.ts";

export interface Notifications {
  /** As the configuration has them now. A broken file changes nothing. */
  sync(): void;
  add(automation: Automation, event: EventRow): void;
  /** Starts what is due; does not wait for it. */
  send(): void;
  nextDue(): number | null;
  end(): Promise<void>;
}

/** What a program reads on its standard input: who, what, why, and the command that answers. */
export interface Notice {
  kind: string;
  seq: number;
  at: string;
  thread: { ref: string; title: string; handle: string | null; cwd: string } | null;
  summary: string;
  /** The command that answers, or shows more. */
  command: string;
  request: string | null;
  data: Record<string, unknown>;
}

export function notifications(deps: CoreDeps): Notifications {
  const { store, clock, journal, log, runProgram } = deps;
  const works = sideWork(deps, "a notification failed");
  let synced = "";
  /** Only this writes the outbox, which is empty nearly always. */
  let isEmpty = false;

  /** The first of each program that does not run now. */
  function idle(): Outgoing[] {
    if (isEmpty) return [];
    const firsts = store.outbox.firsts();
    isEmpty = firsts.length === 0;
    return firsts.filter(({ automation }) => !works.isAtWork(automation));
  }

  function send(): void {
    if (works.isOver()) return;
    for (const row of idle())
      if (row.next_at <= clock.now()) works.start(row.automation, () => deliver(row), send);
  }

  async function deliver(row: Outgoing): Promise<void> {
    const automation = store.automations.find(row.automation);
    const exec = automation?.action.kind === "exec" ? automation.action.exec : null;
    if (exec === null || automation?.state !== "active") {
      journal.note(() =>
        store.outbox.set(row.id, { state: "failed", error: "it is not configured any more" }),
      );
      return;
    }
    const error = await runProgram(exec, `${JSON.stringify(row.payload)}\n`).then(
      () => null,
      (thrown: unknown) => errorMessage(thrown),
    );
    if (works.isOver() && error !== null) return;
    const attempts = row.attempts + 1;
    const { backoffFirstMs, backoffMaxMs, outboxAgeMaxMs } = limits.automation;
    const isTooOld = clock.now() - row.created_at > outboxAgeMaxMs;
    if (error !== null)
      log.warn("a notification was not taken", {
        program: exec[0],
        attempts,
        reason: error,
        given_up: isTooOld,
      });
    journal.note(() =>
      store.outbox.set(
        row.id,
        error === null
          ? { state: "done", attempts, error: null }
          : {
              state: isTooOld ? "failed" : "waiting",
              attempts,
              error,
              next_at: clock.now() + Math.min(backoffFirstMs * 2 ** (attempts - 1), backoffMaxMs),
            },
      ),
    );
  }

  function sync(): void {
    const blocks = rulesNow();
    const stamp = JSON.stringify(blocks);
    if (blocks === null || stamp === synced) return;
    journal.commit((change) => {
      const rows = blocks.flatMap((rule) => rowsOf(rule, change.now));
      const wanted = new Map(rows.map((row) => [row.id, row]));
      for (const { id } of store.automations.list({ face: "notification", limit: limits.automation.max }))
        if (!wanted.delete(id)) store.automations.remove(id);
      for (const row of wanted.values()) store.automations.add(row, ["*"]);
    });
    synced = stamp;
  }

  function rulesNow(): readonly NotifyRule[] | null {
    try {
      return deps.policy().notify;
    } catch (thrown) {
      log.debug("the configuration is not read", { reason: errorMessage(thrown) });
      return null;
    }
  }

  function rowsOf(rule: NotifyRule, now: number): Automation[] {
    const { kinds, exec } = rule;
    const conditions = watchedConditions.filter((one) => kinds.includes(one));
    const events = kinds.filter((kind) => !(watchedConditions as readonly string[]).includes(kind));
    const row = (id: string, when: When) =>
      automationRow(
        {
          id,
          face: "notification",
          lane: null,
          when,
          action: { kind: "exec", exec },
          since: store.log.last(),
          caller: "configuration",
        },
        now,
      );
    const id = idOf(rule);
    return [
      ...(conditions.length > 0 ? [row(id, { kind: "condition", conditions, all: false })] : []),
      ...(events.length > 0 ? [row(`${id}-events`, { kind: "event", kinds: events })] : []),
    ];
  }

  return {
    sync,
    add(automation, event) {
      if (store.outbox.count(automation.id) >= limits.automation.outboxMax) {
        log.warn("a notification is dropped: too many wait for its program", { automation: automation.id });
        return;
      }
      isEmpty = false;
      journal.note((change) =>
        store.outbox.add({
          automation: automation.id,
          payload: noticeOf(deps, event),
          state: "waiting",
          attempts: 0,
          next_at: change.now,
          error: null,
          created_at: change.now,
        }),
      );
    },
    send,
    nextDue: () => idle().reduce<number | null>((at, row) => Math.min(at ?? row.next_at, row.next_at), null),
    // One that does not end is sent again by the next daemon.
    end: works.end,
  };
}

/** The same block has the same rows after a restart. */
function idOf({ kinds, exec }: NotifyRule): string {
  return `n${sha256(JSON.stringify([kinds, exec])).slice(0, 12)}`;
}

function noticeOf({ store }: CoreDeps, event: EventRow): Notice {
  const lane = event.lane === null ? undefined : store.lanes.find(event.lane as Ref);
  const request = typeof event.data["request"] === "string" ? event.data["request"] : null;
  const name = lane ? (lane.handle ? `@${lane.handle}` : cell(lane.title)) : "dispatch";
  const why = ["summary", "reason", "error", "preview"].map((field) => event.data[field]).find((one) => one);
  const detail = typeof why === "string" ? why : why ? JSON.stringify(why) : null;
  return {
    kind: event.kind,
    seq: event.seq,
    at: iso(event.at),
    thread: lane ? { ref: lane.ref, title: lane.title, handle: lane.handle, cwd: lane.cwd } : null,
    summary: cell(`${name}: ${event.kind}${detail ? `: ${detail}` : ""}`),
    command:
      event.kind === "request.opened" && request !== null
        ? `dispatch request answer ${request} --approve`
        : lane
          ? `dispatch get ${lane.ref}`
          : "dispatch daemon status",
    request,
    data: event.data,
  };
}
