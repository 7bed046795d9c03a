/** The Relay port on NATS JetStream. Loaded only where `[relay]` is configured. */
import {
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
} from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import type { Clock } from "../base/clock.ts";
import { DispatchError, fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type {
  RelayDesk,
  RelayLink,
  RelayPort,
  RelaySettings,
  RelayStatus,
} from "../core/model/ports/relay.ts";
import { connectOptions } from "./connect.ts";
import { again, isAnswerLost, relayError } from "./errors.ts";
import { pullMail, pullPool, pullReports } from "./pull.ts";
import { consumers, ensureConsumers, ensureStreams, findConsumer, streams, subjects } from "./streams.ts";

interface Session {
  nc: NatsConnection;
  js: JetStreamClient;
  jsm: JetStreamManager;
  /** Machines and pools that exist, and until when that is believed; monotonic ms. */
  known: Map<string, number>;
}

export function natsRelay({ clock, log }: { clock: Clock; log: Log }): RelayPort {
  return { open: async (settings, home, desk) => linkOf({ clock, log }, settings, home, desk) };
}

function linkOf(
  { clock, log }: { clock: Clock; log: Log },
  settings: RelaySettings,
  home: string,
  desk: RelayDesk,
): RelayLink {
  const server = settings.servers.join(", ");
  const closing = new AbortController();
  let session: Session | undefined;
  let status: RelayStatus = { state: "connecting", error: null, waiting: null };
  /** Wakes who waits for a connection, or for room in a pool. */
  let changed = Promise.withResolvers<void>();
  let room = Promise.withResolvers<void>();
  /** Connections that failed, and what ends the pause before the next one. */
  let failed = 0;
  let pause = new AbortController();

  function set(change: Partial<RelayStatus>): void {
    status = { ...status, ...change };
    changed.resolve();
    changed = Promise.withResolvers();
  }

  async function keepConnected(): Promise<void> {
    let failures = 0;
    while (!closing.signal.aborted) {
      try {
        await oneSession(() => {
          failures = 0;
        });
        if (!closing.signal.aborted) throw new Error("the connection was lost");
      } catch (thrown) {
        if (closing.signal.aborted) return;
        const error = relayError(thrown, server);
        if (failures === 0) log.warn("the relay is down", { code: error.code, reason: error.message });
        failed++;
        pause = new AbortController();
        set({ state: "down", error: { code: error.code, message: error.message, hint: error.hint } });
      }
      const { backoffFirstMs, backoffMaxMs } = limits.relay;
      const either = AbortSignal.any([closing.signal, pause.signal]);
      await clock.sleep(Math.min(backoffFirstMs * 2 ** failures, backoffMaxMs), either);
      failures++;
    }
  }

  /** Resolves when the connection ended. Throws why it could not be made, or is of no use. */
  async function oneSession(isUp: () => void): Promise<void> {
    const nc = await connect(connectOptions(settings));
    const over = new AbortController();
    const end = () => over.abort();
    closing.signal.addEventListener("abort", end, { once: true });
    // The last error tells why the server closed the connection.
    let last: unknown;
    const listening = (async () => {
      for await (const event of nc.status()) if (event.type === "error") last = event.error;
    })();
    try {
      const jsm = await jetstreamManager(nc, { checkAPI: false, timeout: limits.relay.answerTimeoutMs });
      await ensureStreams(jsm, settings.replicas);
      await ensureConsumers(jsm, settings, home);
      const js = jetstream(nc, { timeout: limits.relay.answerTimeoutMs });
      session = { nc, js, jsm, known: new Map() };
      set({ state: "up", error: null, waiting: null });
      isUp();
      desk.up();
      const pull = { js, desk, clock, log, signal: over.signal };
      const outcome = await Promise.race([
        nc.closed(),
        pullMail(pull, settings.name, (waiting) => {
          status = { ...status, waiting };
        }),
        pullReports(pull, settings.name),
        ...Object.keys(settings.pools).map((pool) =>
          pullPool(pull, pool, () => Promise.race([room.promise, ended(over.signal)])),
        ),
      ]);
      if (outcome instanceof Error) throw outcome;
      if (last instanceof Error) throw last;
    } finally {
      session = undefined;
      closing.signal.removeEventListener("abort", end);
      over.abort();
      await nc.close();
      await listening;
    }
  }

  /** Waits a while for a connection. One that is down is tried now, and its next failure ends the wait. */
  async function connected(): Promise<Session> {
    const late = clock.monotonic() + limits.relay.connectWaitMs;
    const before = failed;
    pause.abort();
    while (!session) {
      const left = late - clock.monotonic();
      if (failed > before || left <= 0 || closing.signal.aborted) throw downError();
      const timer = new AbortController();
      await Promise.race([changed.promise, clock.sleep(left, timer.signal)]);
      timer.abort();
    }
    return session;
  }

  function downError(): DispatchError {
    const { error } = status;
    if (!error) return new DispatchError("host_down", `the relay ${server} does not answer`, { hint: again });
    return DispatchError.fromBody({ ...error, code: error.code as never, retry: "later", data: null });
  }

  async function refuseUnknown(open: Session, to: { box: string } | { pool: string }): Promise<void> {
    const name = "box" in to ? consumers.mail(to.box) : consumers.pool(to.pool);
    if ((open.known.get(name) ?? 0) > clock.monotonic()) return;
    const find = () => findConsumer(open.jsm, streams.mail, name);
    // A machine that connects again may just be making its consumer anew.
    const found = (await find()) ?? (await clock.sleep(limits.relay.lookAgainMs).then(find));
    if (!found)
      fail(
        "not_found",
        "box" in to ? `no machine ${to.box} at the relay` : `no machine takes from the pool ${to.pool}`,
        {
          hint: "a machine is known there once its daemon ran with [relay] in its config.toml; check the name",
        },
      );
    open.known.set(name, clock.monotonic() + limits.relay.knownMs);
  }

  /** `isSafe`: it may be sent again, so an answer that was lost is a relay that is down. */
  async function publish(
    open: Session,
    { stream, subject, id, body }: { stream: string; subject: string; id: string; body: string },
  ): Promise<void> {
    if (open.nc.isClosed()) throw downError();
    const { max_payload: max } = open.nc.info ?? {};
    if (max !== undefined && Buffer.byteLength(body) + limits.relay.envelopeBytesMax > max)
      fail("too_large", `the text is over the limit of the relay's server (max_payload ${max})`, {
        hint: "put it in a file that the other machine has, and send its path",
      });
    await open.js.publish(subject, body, { msgID: id, expect: { streamName: stream } });
  }

  const running = keepConnected().catch((thrown: unknown) => log.error("the relay ended", { thrown }));

  return {
    status: () => status,
    async send(to, id, body) {
      const open = await connected();
      try {
        await refuseUnknown(open, to);
      } catch (thrown) {
        throw relayError(thrown, server);
      }
      const subject =
        "box" in to ? subjects.mail(to.box, settings.name) : subjects.pool(to.pool, settings.name);
      try {
        await publish(open, { stream: streams.mail, subject, id, body });
      } catch (thrown) {
        if (!isAnswerLost(thrown)) throw relayError(thrown, server);
        fail("unsure", `the relay did not answer: it is not known whether it has the message`, {
          hint: `with its key it is never sent twice: repeat the command with the same --idempotency-key; or look later: dispatch receipt get ${id}`,
          data: { receipt: id },
          cause: thrown,
        });
      }
    },
    async report(box, id, body) {
      const open = await connected();
      try {
        await publish(open, { stream: streams.back, subject: subjects.back(box, settings.name), id, body });
      } catch (thrown) {
        throw relayError(thrown, server);
      }
    },
    async claim(id) {
      const open = await connected();
      const subject = subjects.claim(id);
      try {
        await open.js.publish(subject, settings.name, {
          expect: { streamName: streams.claims, lastSubjectSequence: 0 },
        });
        return settings.name;
      } catch (thrown) {
        const isTaken =
          thrown instanceof JetStreamApiError && thrown.code === JetStreamApiCodes.StreamWrongLastSequence;
        if (!isTaken) throw relayError(thrown, server);
      }
      try {
        const first = await open.jsm.streams.getMessage(streams.claims, { last_by_subj: subject });
        return first?.string() ?? fail("host_down", "the relay lost a claim", { hint: again });
      } catch (thrown) {
        throw relayError(thrown, server);
      }
    },
    roomMade() {
      room.resolve();
      room = Promise.withResolvers();
    },
    async close() {
      closing.abort();
      room.resolve();
      await running;
    },
  };
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
