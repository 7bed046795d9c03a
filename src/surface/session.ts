/** Calls to the daemon over one kept connection, made again when it was lost and asking twice is safe. */
import { DispatchError, fail } from "../base/error.ts";
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
    to: Pick<IndexRow, "name" | "hash" | "start">,
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
}

export function openSession(options: SessionOptions): Session {
  let connection: Connection | undefined;
  let whyDied: Started["whyDied"] | undefined;

  /** Calls that come together share one connect. */
  let reaching: Promise<Connection> | undefined;

  const reach = (start: "auto" | "never"): Promise<Connection> => {
    if (connection?.isOpen()) return Promise.resolve(connection);
    reaching ??= connected(start).finally(() => {
      reaching = undefined;
    });
    return reaching;
  };

  const connected = async (start: "auto" | "never"): Promise<Connection> => {
    connection = await connect(options.paths.socket);
    whyDied = undefined;
    if (!connection) ({ connection, whyDied } = await startFor(options, start));
    return connection;
  };

  return {
    async call(to, input, { caller, repeat, row, isStream = false, signal }) {
      let rows = 0;
      let isRenewed = false;
      const counted =
        row &&
        ((one: Row) => {
          rows += 1;
          return row(one);
        });
      for (let tries = 1; ; tries++) {
        const open = await reach(to.start);
        const frame = { op: to.name, schema: to.hash, input, caller };
        const answer = await open.call(frame, { ...(counted ? { row: counted } : {}), signal });
        if ("result" in answer) return answer.result;
        if ("error" in answer) {
          const error = DispatchError.fromBody(answer.error);
          if (error.code !== "stale" || isRenewed) throw error;
          isRenewed = true;
          const { endOlder } = await import("./renew.ts");
          await endOlder(error, open, options, { caller, start: to.start });
          continue;
        }
        const why = await whyDied?.();
        if (why) throw why;
        // A stream that began again would repeat its rows; a wait that did only waits on.
        if ((isStream && rows > 0) || signal?.aborted)
          return fail("daemon_down", "the daemon went away", { hint: "dispatch daemon status" });
        if (repeat === "no")
          return fail(
            "unsure",
            "the daemon went away before it answered: whether this was done is not known",
            { hint: "dispatch daemon status" },
          );
        if (tries === limits.callTriesMax)
          return fail("daemon_down", `the daemon went away ${tries} times before it answered`, {
            hint: "dispatch doctor",
          });
      }
    },
    close() {
      connection?.close();
    },
  };
}

async function startFor(options: SessionOptions, start: "auto" | "never"): Promise<Started> {
  // What starting needs (locks, files, spawning) is loaded only here: most commands find a daemon.
  const { mayNotStart, startDaemon } = await import("./autostart.ts");
  const refusal = mayNotStart(options.paths, options.isStartForbidden || start === "never");
  if (refusal) throw refusal;
  options.starting?.("starting the daemon");
  return startDaemon(options.paths, options);
}
