/** Takes what the streams have for this machine, and acknowledges what the desk has stored. */
import type { Consumer, JetStreamClient, JsMsg } from "@nats-io/jetstream";
import type { Clock } from "../base/clock.ts";
import { errorMessage } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { macrotask } from "../base/macrotask.ts";
import { pace } from "../base/pace.ts";
import type { Arriving, RelayDesk, Verdict } from "../core/model/ports/relay.ts";
import { consumers, originOf, streams } from "./streams.ts";

export interface Pull {
  js: JetStreamClient;
  desk: RelayDesk;
  clock: Clock;
  log: Log;
  /** Of the connection. */
  signal: AbortSignal;
}

/** Its own messages. Resolves with the end of the connection. `left`: how many more the stream has. */
export async function pullMail(pull: Pull, name: string, left: (count: number) => void): Promise<void> {
  const { js, desk } = pull;
  const consumer = await js.consumers.get(streams.mail, consumers.mail(name));
  await inOrder(pull, consumer, limits.relay.mailGivenMax, (arriving, pending) => {
    left(pending);
    return desk.mail(arriving);
  });
}

/** What other machines report. */
export async function pullReports(pull: Pull, name: string): Promise<void> {
  const { js, desk } = pull;
  const consumer = await js.consumers.get(streams.back, consumers.back(name));
  await inOrder(pull, consumer, limits.relay.reportsMax, (arriving) => desk.reports(arriving));
}

/**
 * Takes all that is there, at most `max`, until the connection ends. `take` returns how many of the first ones are taken;
 * the others are tried again here, because what is given back to the server could be overtaken.
 */
async function inOrder(
  { clock, log, signal }: Pull,
  consumer: Consumer,
  max: number,
  take: (arriving: readonly Arriving[], pending: number) => number,
): Promise<void> {
  const messages = await consumer.consume({
    max_messages: max,
    expires: limits.relay.pullMs,
    abort_on_missing_resource: true,
  });
  signal.addEventListener("abort", () => messages.stop(), { once: true });
  const paced = pace(clock, limits.relay.apartMs);
  let waiting: JsMsg[] = [];
  let taking: Promise<void> | undefined;
  async function takeAll(): Promise<void> {
    let tries = 0;
    while (waiting.length > 0) {
      // Those that came with this one.
      await macrotask();
      await paced(signal);
      if (signal.aborted) return;
      const some = waiting.slice(0, max);
      const taken = take(
        some.map((message, at) => arriving(message, at === 0 ? tries : 0)),
        some.at(-1)!.info.pending,
      );
      for (const message of some.slice(0, taken)) acknowledge(message, "done", log);
      waiting = waiting.slice(taken);
      tries = taken > 0 ? 0 : tries + 1;
      if (taken === some.length) continue;
      // Or the server would give them again meanwhile.
      for (const message of waiting) tell(() => message.working(), log);
      await clock.sleep(limits.relay.againMs, signal);
    }
    taking = undefined;
  }
  for await (const message of messages) {
    waiting.push(message);
    taking ??= takeAll();
    if (waiting.length >= max) await taking;
  }
  await taking;
}

/** One message of a pool after the other, while this machine may take more. `room`: resolves when it may have room. */
export async function pullPool(
  { js, desk, log, signal }: Pull,
  pool: string,
  room: () => Promise<void>,
): Promise<void> {
  const consumer = await js.consumers.get(streams.mail, consumers.pool(pool));
  while (!signal.aborted) {
    const made = room();
    if (!desk.mayTake(pool)) {
      await made;
      continue;
    }
    const message = await consumer.next({ expires: limits.relay.pullMs });
    if (message && !signal.aborted) acknowledge(message, await desk.pooled(pool, arriving(message)), log);
  }
}

/** `tries`: those of this machine in place, beside those of the server. */
function arriving(message: JsMsg, tries = 0): Arriving {
  return {
    origin: originOf(message.subject),
    body: message.string(),
    tries: message.info.deliveryCount + tries,
  };
}

function acknowledge(message: JsMsg, verdict: Verdict, log: Log): void {
  tell(() => (verdict === "done" ? message.ack() : message.nak(verdict.againMs)), log);
}

/** A lost word of these is no fault: the message comes again, and is known by its id. */
function tell(say: () => void, log: Log): void {
  try {
    say();
  } catch (thrown) {
    log.debug("the relay took no acknowledgement", { reason: errorMessage(thrown) });
  }
}
