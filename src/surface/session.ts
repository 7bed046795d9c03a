/** Calls the daemon over one kept connection. Reconnects and retries when the connection is lost and a retry is safe. */
import { DispatchError, type ErrorBody, unsureOf } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Repeat } from "../ops/op.ts";
import type { Caller } from "../ops/protocol.ts";
import type { Started } from "./autostart.ts";
import type { CallTarget, Route } from "./route.ts";
import type { Connection, Row } from "./wire.ts";

export interface CallOptions {
  caller: Caller;
  repeat: Repeat;
  row?(row: Row): void | Promise<void>;
  /** The rows are the answer, not only progress. */
  isStream?: boolean;
  signal?: AbortSignal | undefined;
}

export interface Session {
  call(to: CallTarget, input: Record<string, unknown>, options: CallOptions): Promise<Row>;
  close(): void;
}

export function openSession(route: Route): Session {
  let connection: Connection | undefined;
  let whyDied: Started["whyDied"] | undefined;

  /** Concurrent calls share one connect. */
  let reaching: Promise<Connection> | undefined;

  const reach = (start: CallTarget["start"]): Promise<Connection> => {
    if (connection?.isOpen()) return Promise.resolve(connection);
    reaching ??= connected(start).finally(() => {
      reaching = undefined;
    });
    return reaching;
  };

  const connected = async (start: CallTarget["start"]): Promise<Connection> => {
    const reached = await route.open(start);
    ({ connection, whyDied } = { whyDied: undefined, ...reached });
    return reached.connection;
  };

  const readied = async (start: CallTarget["start"], isWrite: boolean): Promise<Connection> => {
    const open = await reach(start);
    if (isWrite) await route.beforeWrite?.(open);
    return open;
  };

  return {
    async call(to, input, { repeat, row, isStream = false, signal, ...options }) {
      const caller = (await route.callerFor?.(options.caller, to)) ?? options.caller;
      let schema = to.hash;
      const isWrite = to.intent !== "read";
      let rows = 0;
      let isUpgraded = false;
      /** An earlier attempt was sent and not answered, so a later failure does not prove that nothing was done. */
      let isUnanswered = false;
      const orUnsure = (thrown: unknown) =>
        isWrite && isUnanswered && mayHideSuccess(thrown) ? unsureOf(thrown as DispatchError, input) : thrown;
      const countRow =
        row &&
        ((received: Row) => {
          rows += 1;
          return row(received);
        });
      for (let tries = 1; ; tries++) {
        const open = await readied(to.start, isWrite).catch((thrown: unknown) => {
          throw orUnsure(thrown);
        });
        const frame = { op: to.name, schema, input, caller };
        const answer = await open
          .call(frame, { ...(countRow ? { row: countRow } : {}), signal })
          .catch(lostWith);
        if ("result" in answer) return answer.result;
        if ("error" in answer) {
          const error = DispatchError.fromBody(answer.error);
          if (error.code !== "stale" || isUpgraded) throw orUnsure(error);
          isUpgraded = true;
          schema = await route.onStale(error, open, to, caller).catch((thrown: unknown) => {
            throw orUnsure(thrown);
          });
          continue;
        }
        if (answer.unread) {
          if (tries < limits.client.callTriesMax) continue;
          throw orUnsure(DispatchError.fromBody(answer.unread));
        }
        // A daemon that could not start did nothing.
        const deathReason = await whyDied?.();
        if (deathReason) throw orUnsure(deathReason);
        isUnanswered = true;
        // A read does not try a silent daemon a second time.
        const why = "why" in answer ? answer.why : undefined;
        if (why && !isWrite) throw why;
        // A restarted stream would repeat its rows. A restarted wait only waits longer.
        const isOver = (isStream && rows > 0) || signal?.aborted === true;
        const isUnreadable = why !== undefined && !isDown(why);
        if (isOver || repeat === "no" || isUnreadable || tries === limits.client.callTriesMax)
          throw orUnsure(why ?? route.lost(tries));
      }
    },
    close() {
      connection?.close();
    },
  };
}

/** True if a retry may fail this way although the earlier attempt succeeded. Not for a definite refusal. */
function mayHideSuccess(thrown: unknown): boolean {
  if (!(thrown instanceof DispatchError)) return false;
  return thrown.code !== "unsure" && (thrown.body.retry === "later" || lostAnswers.has(thrown.code));
}

/** Codes that are about the answer and not about the call: the answer could not be read. */
const lostAnswers = new Set(["internal", "too_large"]);

function isDown({ code }: DispatchError): boolean {
  return code === "daemon_down" || code === "host_down";
}

/** A connection that failed during a call: the daemon did not answer, or its answer could not be read. */
function lostWith(thrown: unknown): { lost: true; unread?: ErrorBody; why: DispatchError } {
  if (thrown instanceof DispatchError) return { lost: true, why: thrown };
  throw thrown;
}
