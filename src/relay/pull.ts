/** Takes what the streams have for this machine, and acknowledges what the desk has stored. */
import type { JetStreamClient, JsMsg } from "@nats-io/jetstream";
import type { Clock } from "../base/clock.ts";
import { errorMessage } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { macrotask } from "../base/macrotask.ts";
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

/** Its own messages, one at a time. Resolves with the end of the connection. `left`: how many more the stream has. */
export async function pullMail(
  { js, desk, log, signal }: Pull,
  name: string,
  left: (count: number) => void,
): Promise<void> {
  const consumer = await js.consumers.get(streams.mail, consumers.mail(name));
  const messages = await consumer.consume({
    // Asked for together; the consumer gives the next one when this one is acknowledged.
    max_messages: limits.relay.reportsMax,
    expires: limits.relay.pullMs,
    abort_on_missing_resource: true,
  });
  signal.addEventListener("abort", () => messages.stop(), { once: true });
  for await (const message of messages) {
    if (signal.aborted) return;
    left(message.info.pending);
    acknowledge(message, desk.mail(arriving(message)), log);
    await macrotask();
  }
}

/** What other machines report: all that is there goes to the desk together. */
export async function pullReports({ js, desk, clock, log, signal }: Pull, name: string): Promise<void> {
  const consumer = await js.consumers.get(streams.back, consumers.back(name));
  const messages = await consumer.consume({
    max_messages: limits.relay.reportsMax,
    expires: limits.relay.pullMs,
    abort_on_missing_resource: true,
  });
  signal.addEventListener("abort", () => messages.stop(), { once: true });
  let together: JsMsg[] = [];
  let flushing: Promise<void> | undefined;
  async function flush(): Promise<void> {
    await clock.sleep(limits.relay.gatherMs, signal);
    const some = together;
    together = [];
    flushing = undefined;
    if (signal.aborted) return;
    const verdict = desk.reports(some.map(arriving));
    for (const message of some) acknowledge(message, verdict, log);
  }
  for await (const message of messages) {
    together.push(message);
    flushing ??= flush();
    if (together.length >= limits.relay.reportsMax) await flushing;
  }
  await flushing;
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

function arriving(message: JsMsg): Arriving {
  return { origin: originOf(message.subject), body: message.string(), tries: message.info.deliveryCount };
}

/** A lost acknowledgement is no fault: the message comes again, and is known by its id. */
function acknowledge(message: JsMsg, verdict: Verdict, log: Log): void {
  if (verdict !== "done") {
    message.nak(verdict.againMs);
    return;
  }
  message
    .ackAck({ timeout: limits.relay.answerTimeoutMs })
    .catch((thrown: unknown) =>
      log.debug("the relay did not confirm an acknowledgement", { reason: errorMessage(thrown) }),
    );
}
