/** Shuts the daemon down: first the clients, then Codex and the registry. Bounded in time, because `down` waits for it. */
import type { Clock } from "../base/clock.ts";
import { type DispatchError, errorMessage } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { Control } from "./control.ts";

export interface Composed {
  /** Ends the child (TERM, then KILL) and closes the registry. */
  close(): Promise<void>;
}

/** False when something did not close in time. The kernel releases the lock in every case. */
export async function shutDown({
  control,
  composed,
  clock,
  log,
  why,
}: {
  control: Control;
  composed: Composed | undefined;
  clock: Clock;
  log: Log;
  why: DispatchError;
}): Promise<boolean> {
  const from = clock.monotonic();
  const haveLeft = await within(clock, limits.daemon.shutdownCallsMs, control.finish(why));
  if (!haveLeft) log.warn("calls did not end in time", { connections: control.connections() });
  control.close();
  if (!composed) return true;
  try {
    const left = limits.daemon.shutdownGraceMs - (clock.monotonic() - from);
    const isClosed = await within(clock, left, composed.close());
    if (isClosed) log.info("stopped");
    else log.error("did not stop in time", { grace_ms: limits.daemon.shutdownGraceMs });
    return isClosed;
  } catch (thrown) {
    log.error("did not stop cleanly", { why: errorMessage(thrown), thrown });
    return false;
  }
}

async function within(clock: Clock, ms: number, work: Promise<void>): Promise<boolean> {
  const patience = new AbortController();
  const late = clock.sleep(ms, patience.signal).then(() => false);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    patience.abort();
  }
}
