/**
 * The streams, subjects and consumers of the relay. A subject has names of machines and pools only, which hold no dot and
 * no wildcard; everything else is in the body. The sender's name is its last word, so that a server can allow each
 * machine its own name only.
 */
import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  ReplayPolicy,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "@nats-io/jetstream";
import { fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { RelaySettings } from "../core/model/ports/relay.ts";

export const streams = { mail: "DISPATCH_MAIL", back: "DISPATCH_BACK", claims: "DISPATCH_CLAIMS" } as const;

export const subjects = {
  mail: (box: string, from: string) => `dispatch.mail.${box}.${from}`,
  pool: (pool: string, from: string) => `dispatch.pool.${pool}.${from}`,
  back: (box: string, from: string) => `dispatch.back.${box}.${from}`,
  claim: (id: string) => `dispatch.claim.${id}`,
};

/** The sender's name. */
export function originOf(subject: string): string {
  return subject.slice(subject.lastIndexOf(".") + 1);
}

export const consumers = {
  mail: (box: string) => `mail-${box}`,
  pool: (pool: string) => `pool-${pool}`,
  back: (box: string) => `back-${box}`,
};

const nanos = (ms: number) => ms * 1_000_000;

function wanted(replicas: number): StreamsWanted {
  const common = {
    storage: StorageType.File,
    num_replicas: replicas,
    // A full stream refuses. It never drops what it accepted.
    discard: DiscardPolicy.New,
    duplicate_window: nanos(limits.relay.duplicateWindowMs),
  };
  const { mailAgeMaxMs, claimAgeMaxMs } = limits.relay;
  const queue = { ...common, retention: RetentionPolicy.Workqueue, max_age: nanos(mailAgeMaxMs) };
  return [
    { ...queue, name: streams.mail, subjects: ["dispatch.mail.*.*", "dispatch.pool.*.*"] },
    { ...queue, name: streams.back, subjects: ["dispatch.back.*.*"] },
    {
      ...common,
      name: streams.claims,
      subjects: ["dispatch.claim.*"],
      retention: RetentionPolicy.Limits,
      max_age: nanos(claimAgeMaxMs),
    },
  ];
}

type StreamsWanted = (Partial<StreamConfig> & Pick<StreamConfig, "name" | "subjects" | "retention">)[];

/** Makes the streams that are not there. One that is there is used as it is, if it keeps what it accepted. */
export async function ensureStreams(jsm: JetStreamManager, replicas: number): Promise<void> {
  for (const config of wanted(replicas)) {
    const { config: found } = await jsm.streams.info(config.name).catch((thrown: unknown) => {
      if (!isCode(thrown, JetStreamApiCodes.StreamNotFound)) throw thrown;
      return jsm.streams.add(config);
    });
    const lacks = config.subjects.filter((subject) => !found.subjects?.includes(subject));
    const isSafe = found.retention === config.retention && found.discard === DiscardPolicy.New;
    if (isSafe && lacks.length === 0) continue;
    fail("conflict", `the stream ${config.name} of the relay is not as dispatch needs it`, {
      hint: `make it with retention ${config.retention}, discard new, subjects ${config.subjects.join(" ")}; or delete it, and dispatch makes it`,
    });
  }
}

/** `home`: a machine's consumers belong to one registry, or two would take each other's messages. */
export async function ensureConsumers(
  jsm: JetStreamManager,
  { name, pools }: RelaySettings,
  home: string,
): Promise<void> {
  const { mailAckWaitMs, mailGivenMax, ackWaitMs, reportsMax } = limits.relay;
  const own = { description: `dispatch ${home}` };
  await ensureConsumer(jsm, streams.mail, {
    ...own,
    durable_name: consumers.mail(name),
    filter_subject: subjects.mail(name, "*"),
    ack_wait: nanos(mailAckWaitMs),
    // A consumer is for one connection, which gives them in their order.
    max_ack_pending: mailGivenMax,
  });
  await ensureConsumer(jsm, streams.back, {
    ...own,
    durable_name: consumers.back(name),
    filter_subject: subjects.back(name, "*"),
    ack_wait: nanos(ackWaitMs),
    max_ack_pending: reportsMax,
  });
  for (const pool of Object.keys(pools))
    await ensureConsumer(jsm, streams.mail, {
      durable_name: consumers.pool(pool),
      filter_subject: subjects.pool(pool, "*"),
      ack_wait: nanos(ackWaitMs),
    });
}

async function ensureConsumer(
  jsm: JetStreamManager,
  stream: string,
  config: Partial<ConsumerConfig> & { durable_name: string },
): Promise<void> {
  const name = config.durable_name;
  const found = await findConsumer(jsm, stream, name);
  const isShared = config.description === undefined;
  if (found && !isShared && found.config.description !== config.description)
    fail("conflict", `another dispatch home uses the name of this machine at the relay`, {
      hint: `set another [relay] name; or, where that home is gone, delete the consumer ${name} of ${stream}`,
    });
  // The other machines of a pool take from it. Where it is made anew they connect again, and a message that one of them
  // has is given once more: only one claims it.
  if (found && isShared && !(await skips(jsm, found))) return;
  // One for each connection. The server may still give to a connection before this one, which it does not know to be dead,
  // and what comes later would overtake that. And one that was killed may believe that it has given a message which it
  // has deleted (seen with 2.9.10): it never gives that again, and nothing behind it. A new consumer gives all that is
  // not acknowledged, in order, because these streams keep nothing else.
  if (found) await jsm.consumers.delete(stream, name);
  await jsm.consumers.add(stream, {
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    replay_policy: ReplayPolicy.Instant,
    ...config,
  });
}

/**
 * It will never give some message. A server that was killed while the stream was empty counts its messages from the
 * beginning again, and the consumer goes on from the old count (seen with 2.9.10). `found` was read before the stream,
 * and is read again after it, so that a message which comes meanwhile is not taken for one of those.
 */
async function skips(jsm: JetStreamManager, found: ConsumerInfo): Promise<boolean> {
  const { stream_name: stream, name, config, delivered } = found;
  const { state } = await jsm.streams.info(stream, { subjects_filter: config.filter_subject! });
  const { num_pending, num_ack_pending } = await jsm.consumers.info(stream, name);
  const kept = Object.values(state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
  return delivered.stream_seq > state.last_seq || kept > num_pending + num_ack_pending;
}

export async function findConsumer(jsm: JetStreamManager, stream: string, name: string) {
  try {
    return await jsm.consumers.info(stream, name);
  } catch (thrown) {
    if (isCode(thrown, JetStreamApiCodes.ConsumerNotFound)) return undefined;
    throw thrown;
  }
}

function isCode(thrown: unknown, code: number): boolean {
  return thrown instanceof JetStreamApiError && thrown.code === code;
}
