/** `send --wait`, of a text for a thread here or on another machine. */
import { DispatchError, fail } from "../base/error.ts";
import type { Ctx } from "./ctx.ts";

/** `timeout`: seconds. An error of the wait has the receipt: the message is accepted all the same. */
export function untilDone(
  receipt: string,
  timeout: number | undefined,
  { core, signal, emit }: Pick<Ctx, "core" | "signal" | "emit">,
): ReturnType<Ctx["core"]["wait"]> {
  return core
    .wait({
      targets: [receipt],
      self: null,
      condition: "done",
      any: false,
      timeoutMs: timeout === undefined ? null : timeout * 1000,
      signal,
      progress: (waiting) => emit({ waiting }),
    })
    .catch((thrown: unknown) => notAwaited(thrown, receipt));
}

/** The wait failed, but the message is accepted. The error says so, because otherwise the caller would send it again. */
function notAwaited(thrown: unknown, receipt: string): never {
  if (!(thrown instanceof DispatchError)) throw thrown;
  return fail(thrown.code, `the message is accepted, but the wait for it failed: ${thrown.message}`, {
    hint: `dispatch ${thrown.code === "not_found" ? "receipt get" : "wait"} ${receipt}`,
    data: { ...thrown.data, receipt, message_accepted: true },
    cause: thrown,
  });
}
