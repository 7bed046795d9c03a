/**
 * Takes what other machines report of messages from here. A report is of one moment of the other machine's log, so an
 * older one changes nothing, however late and however often it comes.
 */
import { limits } from "../../base/limits.ts";
import type { Report } from "../../contract/relay.ts";
import { clip, clipBytes } from "../model/clip.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import { mayFollow } from "../model/message.ts";
import type { Arriving, Relayed } from "../model/ports/relay.ts";
import { takeInOrder } from "./inorder.ts";
import { readReports } from "./letter.ts";
import { newRow } from "./send.ts";

/** In the order of the stream: how many of the first ones are taken, or dropped as what nobody can take. */
export function takeReports(deps: CoreDeps, arriving: readonly Arriving[]): number {
  return takeInOrder(deps, arriving, {
    take(change, { origin, body }) {
      const { reports, isWhole } = readReports(body);
      if (!isWhole) deps.log.warn("what a machine reports cannot be read and is dropped", { box: origin });
      for (const report of reports) takeOne(deps, change, origin, report);
    },
    refuse: ({ origin }, thrown) =>
      deps.log.error("a report of another machine could not be taken and is dropped", {
        box: origin,
        thrown,
      }),
  });
}

function takeOne(deps: CoreDeps, change: Change, box: string, report: Report): void {
  const { store, log } = deps;
  const row = store.relay.findRelayed(report.id);
  if (row && row.box !== null && row.box !== box) {
    log.warn("a machine reports what was not sent to it", { box, receipt: report.id });
    return;
  }
  if (report.kind === "event") {
    change.append({
      kind: "relay.event",
      receipt: report.id,
      data: {
        box,
        kind: clip(report.event, limits.socket.nameCharsMax),
        remote: threadOf(report),
        detail: clip(JSON.stringify(report.data), limits.relay.eventCharsMax),
      },
    });
    return;
  }
  if (!row) {
    // The answer of the stream was lost, or comes in this moment: the message is there all the same.
    const target = `${box}/${threadOf(report) ?? ""}`;
    store.relay.addRelayed({ ...newRow(report.id, change.now), target, box });
  }
  const before = row ?? store.relay.findRelayed(report.id)!;
  if (report.seq <= before.seen) return;
  const isMoved = report.state !== before.state;
  if (isMoved && !mayFollow(before.state, report.state)) return;
  store.relay.setRelayed(report.id, { ...changeOf(report), box, updated_at: change.now });
  // A machine that takes its own message from a pool has reported it in its own log.
  if (isMoved && !store.messages.find(report.id)) appendMove(change, box, report);
}

type ReceiptReport = Extract<Report, { kind: "receipt" }>;

function changeOf(report: ReceiptReport): Partial<Relayed> {
  const { state, outcome, turn_id, joined, attempt, waits, error, asks, answer, seq } = report;
  const { textCharsMax } = limits.event;
  return {
    thread: threadOf(report),
    state,
    outcome: state === "done" ? outcome : null,
    turn_id: turn_id && clip(turn_id, limits.socket.nameCharsMax),
    joined,
    attempt,
    waits: waits && clip(waits, textCharsMax),
    error: error && {
      code: clip(error.code, limits.socket.nameCharsMax),
      message: clip(error.message, textCharsMax),
    },
    asks: asks.slice(0, limits.relay.asksMax).map(({ id, summary }) => ({
      id: clip(id, limits.socket.nameCharsMax),
      summary: clip(summary, limits.thread.previewCharsMax),
    })),
    answer: answer && clipBytes(answer, limits.relay.answerBytesMax).text,
    seen: seq,
  };
}

function threadOf({ thread }: Report): string | null {
  return thread && clip(thread, limits.socket.nameCharsMax);
}

function appendMove(change: Change, box: string, report: ReceiptReport): void {
  const { state, attempt, outcome, error } = report;
  change.append({
    kind: `message.${state}`,
    receipt: report.id,
    data: {
      mode: "queue",
      attempt,
      box,
      ...(report.thread === null ? {} : { remote: threadOf(report)! }),
      ...(outcome ? { outcome } : {}),
      ...(error ? { error: { ...error, message: clip(error.message, limits.event.textCharsMax) } } : {}),
    },
  });
}
