/** Calls the daemon over one kept connection. Reconnects and retries when the connection is lost and a retry is safe. */
import { DispatchError, unsureOf } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Paths } from "../base/paths.ts";
import type { IndexRow, Repeat } from "../ops/op.ts";
import type { Caller } from "../ops/protocol.ts";
import type { Started } from "./autostart.ts";
import { type Connection, connect, type Row } from "./client.ts";
import type { SurfaceDeps } from "./deps.ts";

export interface CallOptions {
  caller: Caller;
  repeat: Repeat;
  row?(row: Row): void | Promise<void>;
  /** The rows are the answer, not only progress. */
  isStream?: boolean;
  signal?: AbortSignal | undefined;
}

export interface Session {
  call(
    to: Pick<IndexRow, "name" | "hash" | "intent" | "start">,
    input: Record<string, unknown>,
    options: CallOptions,
  ): Promise<Row>;
  close(): void;
}

export interface SessionOptions {
  paths: Paths;
  daemonArgv: SurfaceDeps["daemonArgv"];
  daemonVariables: SurfaceDeps["daemonVariables"];
  /** `--no-start`. */
  isStartForbidden: boolean;
  /** Called before a daemon is started or restarted, with a line for the user. */
  starting?(note: string): void;
  /** How long a new connection waits for the daemon's hello, in ms. */
  helloTimeoutMs?: number;
}

export function openSession(options: SessionOptions): Session {
  let connection: Connection | undefined;
  let whyDied: Started["whyDied"] | undefined;

  /** Concurrent calls share one connect. */
  let reaching: Promise<Connection> | undefined;

  const reach = (start: IndexRow["start"]): Promise<Connection> => {
    if (connection?.isOpen()) return Promise.resolve(connection);
    reaching ??= connected(start).finally(() => {
      reaching = undefined;
    });
    return reaching;
  };

  const connected = async (start: IndexRow["start"]): Promise<Connection> => {
    connection = await connect(options.paths.socket, options.helloTimeoutMs);
    whyDied = undefined;
    if (!connection) ({ connection, whyDied } = await startFor(options, start));
    return connection;
  };

  return {
    async call(to, input, { caller, repeat, row, isStream = false, signal }) {
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
        const open = await reach(to.start).catch((thrown: unknown) => {
          throw orUnsure(thrown);
        });
        const frame = { op: to.name, schema: to.hash, input, caller };
        const answer = await open
          .call(frame, { ...(countRow ? { row: countRow } : {}), signal })
          .catch(lostWith);
        if ("result" in answer) return answer.result;
        if ("error" in answer) {
          const error = DispatchError.fromBody(answer.error);
          if (error.code !== "stale" || isUpgraded) throw orUnsure(error);
          isUpgraded = true;
          const { replaceOutdatedDaemon } = await import("./upgrade.ts");
          await replaceOutdatedDaemon(error, open, options, { caller, start: to.start }).catch(
            (thrown: unknown) => {
              throw orUnsure(thrown);
            },
          );
          continue;
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
        const isUnreadable = why !== undefined && why.code !== "daemon_down";
        if (isOver || repeat === "no" || isUnreadable || tries === limits.client.callTriesMax)
          throw orUnsure(why ?? goneAfter(tries));
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

function goneAfter(tries: number): DispatchError {
  return tries === 1
    ? new DispatchError("daemon_down", "the connection to the daemon was lost before it answered", {
        hint: "dispatch daemon status",
      })
    : new DispatchError(
        "daemon_down",
        `the connection to the daemon was lost ${tries} times before it answered`,
        {
          hint: "dispatch doctor",
        },
      );
}

/** A connection that failed during a call: the daemon did not answer, or its answer could not be read. */
function lostWith(thrown: unknown): { lost: true; why: DispatchError } {
  if (thrown instanceof DispatchError) return { lost: true, why: thrown };
  throw thrown;
}

async function startFor(options: SessionOptions, start: IndexRow["start"]): Promise<Started> {
  // The code that starts a daemon is loaded only here, because most commands find a running one.
  const { mayNotStart, startDaemon } = await import("./autostart.ts");
  const refusal = mayNotStart(options.paths, options.isStartForbidden || start === "never");
  if (refusal) throw refusal;
  options.starting?.("starting the daemon");
  return startDaemon(options.paths, options);
}
