/**
 * `dispatch dial-stdio [--no-start]`: what a client on another machine runs here through ssh. It connects its input and
 * output to the daemon, which it starts if none runs, and copies bytes. A failure is a frame, as the daemon's would be.
 */
import { readEnv } from "../../base/env.ts";
import { DispatchError, errorMessage } from "../../base/error.ts";
import { type Paths, pathsOf } from "../../base/paths.ts";
import { stdinChunks, writeErr, writeOut } from "../../base/stdio.ts";
import { version } from "../../base/version.ts";
import type { DaemonFrame } from "../../ops/protocol.ts";
import { connectSocket } from "../client.ts";
import type { SurfaceDeps } from "../deps.ts";
import { dialLine } from "./dialline.ts";

type DialDeps = Pick<SurfaceDeps, "index" | "daemonArgv" | "daemonVariables">;

/** Resolves with the exit status when one of the two sides has ended. */
export async function dialStdio(args: readonly string[], deps: DialDeps): Promise<number> {
  const schemas = Object.fromEntries(deps.index.map(({ name, hash }) => [name, hash]));
  // The daemon is looked for meanwhile.
  const written = writeOut(dialLine({ version, schemas }));
  try {
    await copied(pathsOf(readEnv()), { isStartForbidden: args.includes("--no-start"), written }, deps);
    return 0;
  } catch (thrown) {
    const error =
      thrown instanceof DispatchError ? thrown : new DispatchError("internal", errorMessage(thrown));
    const frame = `${JSON.stringify({ id: null, error: error.body } satisfies DaemonFrame)}\n`;
    // What cannot be written to the client is seen by the person who runs this by hand.
    await written.then(() => writeOut(frame)).catch(() => writeErr(frame));
    return error.exit;
  }
}

/** Resolves when one of the two sides has ended. Throws when no daemon can be reached. */
async function copied(
  paths: Paths,
  { isStartForbidden, written }: { isStartForbidden: boolean; written: Promise<boolean> },
  deps: DialDeps,
): Promise<void> {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  let drained = Promise.withResolvers<void>();
  let socket: Bun.Socket | undefined;
  written.catch(() => end());
  const on = {
    data(chunk: Uint8Array) {
      // Nothing more is read from the daemon until this is written: it then waits, as with any slow reader.
      socket?.pause();
      written = written.then(() => writeOut(chunk));
      written.then(
        (isRead) => (isRead ? socket?.resume() : end()),
        () => end(),
      );
    },
    drain: () => drained.resolve(),
    close: () => {
      written.finally(end).catch(() => {});
      drained.resolve();
    },
  };
  socket = await connectSocket(paths.socket, on);
  if (!socket) {
    const { mayNotStart, startDaemon } = await import("../autostart.ts");
    const refusal = mayNotStart(paths, isStartForbidden);
    if (refusal) throw refusal;
    const { connection } = await startDaemon(paths, deps);
    socket = await connectSocket(paths.socket, on);
    connection.close();
    if (!socket)
      throw new DispatchError("daemon_down", "the daemon ended right after its start", {
        hint: "dispatch doctor",
      });
  }
  const daemon = socket;
  const copyInput = async () => {
    for await (const chunk of stdinChunks()) {
      let left = chunk;
      while (left.length > 0) {
        drained = Promise.withResolvers();
        const taken = daemon.write(left);
        if (taken < 0) return;
        left = left.subarray(taken);
        if (left.length > 0) await drained.promise;
      }
    }
  };
  // The client has closed its end: the daemon cancels its calls.
  copyInput()
    .catch(() => {})
    .then(() => end());
  await ended;
  daemon.end();
  await written;
}
