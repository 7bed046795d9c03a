import type { Clock } from "../base/clock.ts";
import { DispatchError } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { ChildSession } from "./session.ts";

/** Sends a cheap call to the child regularly, and kills it after `limits.codex.pingMisses` misses. Ends with the session. */
export async function keepPinging(session: ChildSession, clock: Clock): Promise<void> {
  const over = new AbortController();
  session.exited.then(
    () => over.abort(),
    () => over.abort(),
  );
  let misses = 0;
  let pauseMs: number = limits.codex.pingEveryMs;
  while (!over.signal.aborted) {
    await clock.sleep(pauseMs, over.signal);
    if (over.signal.aborted) return;
    const from = clock.monotonic();
    misses = (await answers(session)) ? 0 : misses + 1;
    // The pause counts from ping to ping and includes the deadline, so that a hang is detected within 35 s.
    pauseMs = Math.max(0, limits.codex.pingEveryMs - (clock.monotonic() - from));
    if (misses >= limits.codex.pingMisses)
      await session.kill(`codex stopped answering: ${misses} pings in a row`);
  }
}

/** True if the child answers, also with a refusal. */
async function answers(session: ChildSession): Promise<boolean> {
  try {
    await session.rpc.call(
      "thread/loaded/list",
      { limit: 1 },
      { timeoutMs: limits.codex.pingTimeoutMs, urgent: true },
    );
    return true;
  } catch (thrown) {
    return !(thrown instanceof DispatchError && thrown.code === "timeout");
  }
}
