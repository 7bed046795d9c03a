/** How a session reaches its daemon: here over the socket of this machine, or by another route. */
import { DispatchError } from "../base/error.ts";
import type { Paths } from "../base/paths.ts";
import type { IndexRow } from "../ops/op.ts";
import type { Caller } from "../ops/protocol.ts";
import type { Started } from "./autostart.ts";
import { connect } from "./client.ts";
import type { SurfaceDeps } from "./deps.ts";
import type { Connection } from "./wire.ts";

export type CallTarget = Pick<IndexRow, "name" | "hash" | "intent" | "start">;

export interface Route {
  /** The caller as the daemon should know it. Throws `denied`. */
  callerFor?(caller: Caller, to: CallTarget): Promise<Caller>;
  /** Throws when there is no daemon and none can be started: nothing was sent. */
  open(start: IndexRow["start"]): Promise<{ connection: Connection; whyDied?: Started["whyDied"] }>;
  /** Before a write is sent. Throws when the daemon cannot be reached: nothing was sent. */
  beforeWrite?(connection: Connection): Promise<void>;
  /** The daemon refused the schema of the op. Resolves with the one to send the call with again, or throws. */
  onStale(error: DispatchError, connection: Connection, to: CallTarget, caller: Caller): Promise<string>;
  /** The error of a connection that was lost `tries` times under a call. */
  lost(tries: number): DispatchError;
}

export interface LocalOptions {
  paths: Paths;
  daemonArgv: SurfaceDeps["daemonArgv"];
  daemonVariables: SurfaceDeps["daemonVariables"];
  /** `--no-start`. */
  isStartForbidden: boolean;
  /** Called before a daemon is started or restarted, with a line for the user. */
  starting?(note: string): void;
  /** Starts the daemon as the service that it is. False when it is none. */
  startService?(): Promise<boolean>;
  /** How long a new connection waits for the daemon's hello, in ms. */
  helloTimeoutMs?: number;
}

export function localRoute(options: LocalOptions): Route {
  let isReplaced = false;
  return {
    async open(start) {
      const connection = await connect(options.paths.socket, options.helloTimeoutMs);
      if (connection) return { connection };
      // The code that starts a daemon is loaded only here, because most commands find a running one.
      const { mayNotStart, startDaemon } = await import("./autostart.ts");
      const refusal = mayNotStart(options.paths, options.isStartForbidden || start === "never");
      if (refusal) throw refusal;
      options.starting?.("starting the daemon");
      // A command starts a daemon in a few milliseconds; in place of a service's daemon comes one of the service.
      return startDaemon(options.paths, {
        ...options,
        byService: isReplaced ? options.startService : undefined,
      });
    },
    async onStale(error, connection, { start, hash }, caller) {
      const { replaceOutdatedDaemon } = await import("./upgrade.ts");
      await replaceOutdatedDaemon(error, connection, options, { caller, start });
      isReplaced = true;
      return hash;
    },
    lost: (tries) =>
      tries === 1
        ? new DispatchError("daemon_down", "the connection to the daemon was lost before it answered", {
            hint: "dispatch daemon status",
          })
        : new DispatchError(
            "daemon_down",
            `the connection to the daemon was lost ${tries} times before it answered`,
            { hint: "dispatch doctor" },
          ),
  };
}
