/** Calls to the daemon over one kept connection, made again when it was lost and asking twice is safe. */
import { DispatchError, unsureOf } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Paths } from "../base/paths.ts";
import type { IndexRow, Repeat } from "../ops/op.ts";
import type { Caller } from "../ops/protocol.ts";
import type { Started } from "./autostart.ts";
import { type Connection, connect, type Row } from "./client.ts";
import type { Parts } from "./parts.ts";

export interface CallOptions {
  caller: Caller;
  repeat: Repeat;
  row?(row: Row): void | Promise<void>;
  /** Rows are the answer, and not only the progress towards it. */
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
  /** How to run the daemon. */
  daemonArgv: Parts["daemonArgv"];
  daemonVariables: Parts["daemonVariables"];
  /** `--no-start`. */
  isStartForbidden: boolean;
  /** Told when a daemon has to be started, and why. */
  starting?(what: string): void;
  /** How long a new connection waits for the first word of the daemon, in ms. */
  helloTimeoutMs?: number;
}

export function openSession(options: SessionOptions): Session {
  let connection: Connection | undefined;
  let whyDied: Started["whyDied"] | undefined;

  /** Calls that come together share one connect. */
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
      let isRenewed = false;
      /** An earlier try was sent and not answered, so no later failure proves that nothing was done. */
      let isUnanswered = false;
      const honest = (thrown: unknown) =>
        isWrite && isUnanswered && mayHideSuccess(thrown) ? unsureOf(thrown as DispatchError, input) : thrown;
      const counted =
        row &&
        ((one: Row) => {
          rows += 1;
          return row(one);
        });
      for (let tries = 1; ; tries++) {
        const open = await reach(to.start).catch((thrown: unknown) => {
          throw honest(thrown);
        });
        const frame = { op: to.name, schema: to.hash, input, caller };
        const answer = await open
          .call(frame, { ...(counted ? { row: counted } : {}), signal })
          .catch(lostWith);
        if ("result" in answer) return answer.result;
        if ("error" in answer) {
          const error = DispatchError.fromBody(answer.error);
          if (error.code !== "stale" || isRenewed) throw honest(error);
          isRenewed = true;
          const { replaceOutdatedDaemon } = await import("./renew.ts");
          await replaceOutdatedDaemon(error, open, options, { caller, start: to.start }).catch(
            (thrown: unknown) => {
              throw honest(thrown);
            },
          );
          continue;
        }
        // A daemon that could not start ran nothing.
        const deathReason = await whyDied?.();
        if (deathReason) throw honest(deathReason);
        isUnanswered = true;
        // A read that found a silent daemon has waited long enough.
        const why = "why" in answer ? answer.why : undefined;
        if (why && !isWrite) throw why;
        // A stream that began again would repeat its rows; a wait that did only waits on.
        const isOver = (isStream && rows > 0) || signal?.aborted === true;
        const isUnreadable = why !== undefined && why.code !== "daemon_down";
        if (isOver || repeat === "no" || isUnreadable || tries === limits.client.callTriesMax)
          throw honest(why ?? goneAfter(tries));
      }
    },
    close() {
      connection?.close();
    },
  };
}

/** May this failure of a repeated call be told although an earlier try was done? A definite refusal may not. */
function mayHideSuccess(thrown: unknown): boolean {
  if (!(thrown instanceof DispatchError)) return false;
  return thrown.code !== "unsure" && (thrown.body.retry === "later" || lostAnswers.has(thrown.code));
}

/** Said of the answer and not of the call: it could not be read. */
const lostAnswers = new Set(["internal", "too_large"]);

function goneAfter(tries: number): DispatchError {
  return tries === 1
    ? new DispatchError("daemon_down", "the daemon went away before it answered", {
        hint: "dispatch daemon status",
      })
    : new DispatchError("daemon_down", `the daemon went away ${tries} times before it answered`, {
        hint: "dispatch doctor",
      });
}

/** A connection that failed under a call: the daemon was silent, or its answer could not be read. */
function lostWith(thrown: unknown): { lost: true; why: DispatchError } {
  if (thrown instanceof DispatchError) return { lost: true, why: thrown };
  throw thrown;
}

async function startFor(options: SessionOptions, start: IndexRow["start"]): Promise<Started> {
  // What starting needs (locks, files, spawning) is loaded only here: most commands find a daemon.
  const { mayNotStart, startDaemon } = await import("./autostart.ts");
  const refusal = mayNotStart(options.paths, options.isStartForbidden || start === "never");
  if (refusal) throw refusal;
  options.starting?.("starting the daemon");
  return startDaemon(options.paths, options);
}
