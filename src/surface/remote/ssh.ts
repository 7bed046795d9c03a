/**
 * A connection to the daemon of another machine: the system's ssh runs `dispatch dial-stdio` there, and the frames of the
 * control socket go through its input and output.
 */
import { systemClock } from "../../base/clock.ts";
import { inheritedEnv } from "../../base/env.ts";
import { DispatchError } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { type Child, endGroup, spawnGroup } from "../../base/spawn.ts";
import { type Connection, openWire, type Pipe } from "../wire.ts";
import { type Dialled, dialledIn } from "./dialline.ts";
import { notReached, type SshEnd, tooLate } from "./hostdown.ts";
import type { RemoteHost } from "./hosts.ts";
import { sshCommand } from "./sshcommand.ts";

export interface Dialling {
  connection: Connection;
  /** What the other machine has said of itself. Undefined until its line has come. */
  dialled(): Dialled | undefined;
  end(): SshEnd;
}

const newline = 10;

/** Starts ssh and returns at once: calls are sent as soon as ssh takes them. */
export function dial(
  host: RemoteHost,
  { mayStart, dialMs }: { mayStart: boolean; dialMs: number },
): Dialling {
  const remote = `${host.command} dial-stdio${mayStart ? "" : " --no-start"}`;
  const end: SshEnd = { status: null, stderr: "" };
  /** Nothing useful will come: ssh is ended, although it may still wait for its network. */
  let isGivenUp = false;
  const late = (what: string, ms: number) => {
    isGivenUp = true;
    return tooLate({ host, what, ms, end });
  };
  const helloMs = dialMs + limits.host.helloMs;
  const wire = openWire(helloMs, (ms) => late("did not answer", ms));
  let child: Child;
  try {
    child = spawnGroup(sshCommand(host, remote), { env: inheritedEnv(), cwd: "/" });
  } catch (thrown) {
    throw new DispatchError("host_down", thrown instanceof Error ? thrown.message : String(thrown), {
      hint: "install OpenSSH, or set DISPATCH_SSH to its ssh",
      cause: thrown,
    });
  }
  let dialled: Dialled | undefined;
  let resumed = Promise.resolve();
  let resume = () => {};
  const cancelLate = systemClock.after(dialMs, () => wire.ended(late("was not reached", dialMs)));

  const pipe: Pipe = {
    write(bytes) {
      child.write(bytes);
      return bytes.length;
    },
    pause() {
      ({ promise: resumed, resolve: resume } = Promise.withResolvers<void>());
    },
    resume: () => resume(),
    end() {
      resume();
      cancelLate();
      child.endInput();
      // Otherwise ssh ends by itself: other sessions may share its connection. While it connects it does not read its input.
      if (isGivenUp || dialled === undefined)
        endGroup(child, systemClock, { graceMs: 0, termGraceMs: limits.host.exitGraceMs }).catch(() => {});
    },
  };

  const onDialled = (line: Dialled) => {
    dialled = line;
    cancelLate();
  };
  keepEnd(child, end);
  readFrames(child, { received: wire.received, onDialled, room: () => resumed })
    .catch(() => {})
    .then(() => ended(child))
    .then((status) => {
      end.status = status;
      isGivenUp = status === null && dialled === undefined;
      wire.ended(dialled ? { lost: true } : notReached(host, end));
    })
    .catch(() => wire.ended({ lost: true }));
  return { connection: wire.over(pipe), dialled: () => dialled, end: () => end };
}

/** Skips what comes before the line of dispatch. Ends with the output of ssh. */
async function readFrames(
  child: Child,
  to: { received(chunk: Uint8Array): void; onDialled(line: Dialled): void; room(): Promise<void> },
): Promise<void> {
  let before: Uint8Array | undefined = new Uint8Array();
  for await (const chunk of child.stdout) {
    await to.room();
    if (before === undefined) {
      to.received(chunk);
      continue;
    }
    before = Buffer.concat([before, chunk]);
    for (let at = before.indexOf(newline); at >= 0; at = before.indexOf(newline)) {
      const dialled = dialledIn(new TextDecoder().decode(before.subarray(0, at)));
      const rest: Uint8Array = before.subarray(at + 1);
      before = rest;
      if (!dialled) continue;
      to.onDialled(dialled);
      before = undefined;
      if (rest.length > 0) to.received(rest);
      break;
    }
    if (before && before.length > limits.host.noiseBytesMax) return;
  }
}

/** Keeps the last bytes that ssh writes on standard error. A shared connection may hold its pipe open: nobody waits. */
function keepEnd(child: Child, end: SshEnd): void {
  const read = async () => {
    const decoder = new TextDecoder();
    for await (const chunk of child.stderr)
      end.stderr = (end.stderr + decoder.decode(chunk, { stream: true })).slice(-limits.host.stderrBytesMax);
  };
  read().catch(() => {});
}

/** The exit status, soon after the output has ended. Null when there is none. */
async function ended(child: Child): Promise<number | null> {
  const patience = new AbortController();
  const status = await Promise.race([
    child.exited.then(({ code }) => code),
    systemClock.sleep(limits.host.exitGraceMs, patience.signal).then(() => null),
  ]);
  patience.abort();
  // Its last words may still be in the pipe.
  await systemClock.sleep(0);
  return status;
}
