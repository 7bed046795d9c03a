/**
 * Tells the machines that sent messages here what became of them. The log is read by a cursor, so nothing is left out
 * while the relay or the daemon is down.
 */
import { sha256 } from "../../base/digest.ts";
import { limits } from "../../base/limits.ts";
import type { EventKind } from "../../contract/events.ts";
import { kindsOf } from "../../contract/events.ts";
import type { Report } from "../../contract/relay.ts";
import { clip, clipBytes } from "../model/clip.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { EventRow } from "../model/events.ts";
import { isTerminal } from "../model/message.ts";
import type { Arrived, RelayLink } from "../model/ports/relay.ts";
import type { Lane, Message, Ref } from "../model/ports/rows.ts";
import { receiptOf } from "../state/receipt.ts";

interface Outgoing {
  to: string;
  report: Report;
  text: string;
}

export interface Reporter {
  /** Reports all that is new. Throws what the link throws; then the same is reported again. */
  step(link: RelayLink): Promise<void>;
}

/** `published`: the kinds of events that are passed on. */
export function reporter(deps: CoreDeps, published: readonly string[]): Reporter {
  const { store, journal } = deps;
  const ofReceipts = new Set(
    kindsOf([
      ...["queued", "claimed", "sent", "delivered", "done", "failed", "cancelled", "unsure"].map(
        (state) => `message.${state}`,
      ),
      "request.*",
      "relay.refused",
    ]),
  );
  const passedOn = new Set<string>(kindsOf(published));
  const kinds: readonly EventKind[] = [...new Set([...ofReceipts, ...kindsOf(published)])];
  // Before the first use of the relay nothing came from elsewhere. Kept at once: the next daemon must not begin later.
  let stored = store.relay.cursor() ?? firstCursor(deps);
  let cursor = stored;

  async function step(link: RelayLink): Promise<void> {
    for (;;) {
      const seen = store.log.last();
      if (seen <= cursor) return;
      const { eventsMax } = limits.relay;
      const events = store.events.list({ after: cursor, limit: eventsMax, kinds });
      const isEnd = events.length < eventsMax;
      const { receipts, passed, over } = outgoingOf(events);
      const letters = [...lettersOf(receipts), ...passed.map((one) => letter(one.to, [one]))];
      for (let at = 0; at < letters.length; at += limits.relay.publishedMax)
        await Promise.all(
          letters
            .slice(at, at + limits.relay.publishedMax)
            .map(({ to, id, body }) => link.report(to, `${store.log.id()}:${id}`, body)),
        );
      cursor = isEnd ? seen : events.at(-1)!.seq;
      // What leads to no report may be read again after a restart: each commit here would cost one more.
      if (letters.length > 0 || cursor - stored > eventsMax) {
        journal.note(() => {
          store.relay.setCursor(cursor);
          for (const { id } of over) store.relay.setArrived(id, { state: "over" });
        });
        stored = cursor;
        if (over.some(({ pool }) => pool !== null)) link.roomMade();
      }
      if (isEnd) return;
    }
  }

  /** Of one message only the newest state is told; events are told one by one. */
  function outgoingOf(events: readonly EventRow[]) {
    const newest = new Map<string, { arrived: Arrived; seq: number }>();
    const passed: Outgoing[] = [];
    for (const event of events)
      for (const arrived of concerned(event)) {
        if (ofReceipts.has(event.kind)) newest.set(arrived.id, { arrived, seq: event.seq });
        if (passedOn.has(event.kind)) passed.push(outgoing(arrived.origin, eventReport(arrived, event)));
      }
    const receipts: Outgoing[] = [];
    const over: Arrived[] = [];
    for (const { arrived, seq } of newest.values()) {
      const message = store.messages.find(arrived.id);
      receipts.push(outgoing(arrived.origin, receiptReport(arrived, message, seq)));
      if (message && isTerminal(message.state) && arrived.state === "taken") over.push(arrived);
    }
    return { receipts, passed, over };
  }

  /** The messages from elsewhere that an event is about, or that its turn answers. */
  function concerned(event: EventRow): Arrived[] {
    const ids = new Set<string>();
    if (event.receipt !== null) ids.add(event.receipt);
    else if (event.lane !== null && event.turn_id !== null)
      for (const { id } of store.messages.answeredBy(event.lane as Ref, event.turn_id, limits.relay.asksMax))
        ids.add(id);
    return [...ids].flatMap((id) => store.relay.findArrived(id) ?? []);
  }

  function receiptReport(arrived: Arrived, message: Message | undefined, seq: number): Report {
    const common = { v: 1, kind: "receipt", id: arrived.id, seq } as const;
    if (!message)
      return {
        ...common,
        thread: null,
        state: "failed",
        outcome: null,
        turn_id: null,
        joined: false,
        attempt: 0,
        waits: null,
        error: arrived.error,
        asks: [],
        answer: null,
      };
    const lane = store.lanes.find(message.lane);
    const receipt = receiptOf(message, lane, store.usageLimits.list());
    const { state, outcome, turn_id, joined, attempt, waits, held, error } = receipt;
    const why = waits ?? (held === null ? null : `its queue there is held: ${held}`);
    return {
      ...common,
      thread: message.lane,
      state,
      outcome,
      turn_id,
      joined,
      attempt,
      waits: why && clip(why, limits.event.textCharsMax),
      error: error && { ...error, message: clip(error.message, limits.event.textCharsMax) },
      asks: asksOf(message),
      answer: answerOf(message, lane),
    };
  }

  function asksOf({ lane, state, turn_id }: Message): { id: string; summary: string }[] {
    if (state !== "delivered" || turn_id === null) return [];
    return store.requests
      .listOpen({ lane, turn_id })
      .slice(0, limits.relay.asksMax)
      .map(({ id, summary }) => ({ id, summary: clip(summary, limits.thread.previewCharsMax) }));
  }

  function answerOf({ state, turn_id }: Message, lane: Lane | undefined): string | null {
    const last = state === "done" ? lane?.last_message : null;
    return last && last.turn_id === turn_id ? clipBytes(last.text, limits.relay.answerBytesMax).text : null;
  }

  return { step };
}

interface Letter {
  to: string;
  /** By which the stream drops a second copy: another state of any of them is another letter. */
  id: string;
  body: string;
}

/** The newest states that one machine is told of go together. */
function* lettersOf(receipts: readonly Outgoing[]): Iterable<Letter> {
  for (const [to, all] of Map.groupBy(receipts, (one) => one.to)) {
    let parts: Outgoing[] = [];
    let bytes = 0;
    for (const one of all) {
      const size = Buffer.byteLength(one.text);
      if (bytes > 0 && bytes + size > limits.relay.letterBytesMax) {
        yield letter(to, parts);
        parts = [];
        bytes = 0;
      }
      parts.push(one);
      bytes += size;
    }
    yield letter(to, parts);
  }
}

function letter(to: string, parts: readonly Outgoing[]): Letter {
  const texts = parts.map(({ text }) => text);
  return {
    to,
    id: sha256(parts.map(({ report: { kind, seq, id } }) => `${kind}:${seq}:${id}`).join()),
    // One is no list: a machine with an older dispatch reads it too.
    body: texts.length === 1 ? texts[0]! : `[${texts.join()}]`,
  };
}

function outgoing(to: string, report: Report): Outgoing {
  return { to, report, text: JSON.stringify(report) };
}

function eventReport(arrived: Arrived, { seq, at, kind, lane, data }: EventRow): Report {
  return { v: 1, kind: "event", id: arrived.id, seq, at, event: kind, thread: lane, data };
}

function firstCursor({ store, journal }: CoreDeps): number {
  const last = store.log.last();
  journal.note(() => store.relay.setCursor(last));
  return last;
}
