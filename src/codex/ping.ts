import type { Clock } from "../base/clock.ts";
import { DispatchError } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { ChildSession } from "./life.ts";

/** Asks a living child something cheap again and again, and kills it when it stays silent. Ends with that life. */
export async function keepPinging(life: ChildSession, clock: Clock): Promise<void> {
  const over = new AbortController();
  life.exited.then(
    () => over.abort(),
    () => over.abort(),
  );
  let misses = 0;
  let pauseMs: number = limits.codex.pingEveryMs;
  while (!over.signal.aborted) {
    await clock.sleep(pauseMs, over.signal);
    if (over.signal.aborted) return;
    const from = clock.monotonic();
    misses = (await answers(life)) ? 0 : misses + 1;
    // From ping to ping, so that a child that hangs is told within 35 s: its deadline is part of that.
    pauseMs = Math.max(0, limits.codex.pingEveryMs - (clock.monotonic() - from));
    if (misses >= limits.codex.pingMisses)
      await life.kill(`codex stopped answering: ${misses} pings in a row`);
  }
}

/** A refusal is an answer too. */
async function answers(life: ChildSession): Promise<boolean> {
  try {
    await life.rpc.call(
      "thread/loaded/list",
      { limit: 1 },
      { timeoutMs: limits.codex.pingTimeoutMs, urgent: true },
    );
    return true;
  } catch (thrown) {
    return !(thrown instanceof DispatchError && thrown.code === "timeout");
  }
}
