/**
 * Calls to one child. At most `limits.wire.inFlightMax` calls are written and unanswered: above 128 the app-server loses
 * requests for good (facts F58). Further calls wait here, unsent, and fail as not sent if they never go out.
 */
import type { Clock } from "../base/clock.ts";
import { DispatchError, withNothingDone } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { AgentReply } from "../core/model/ports/request.ts";
import { downError, isRefusal, overloadedError, refusedError } from "./errors.ts";
import { wireLine } from "./outgoing.ts";
import { type Json, object } from "./read.ts";

export interface CallOptions {
  timeoutMs?: number;
  /** Skips the window and the backlog: a ping must distinguish a busy child from a dead one. */
  urgent?: boolean;
  /** For a call that creates something: receives an answer that comes after the deadline. */
  late?(answer: Json): void;
}

export interface Rpc {
  call(method: string, params: Json, options?: CallOptions): Promise<Json>;
  /** A call that changes nothing: repeated, within bounds, when Codex is overloaded or silent. */
  read(method: string, params: Json, options?: CallOptions): Promise<Json>;
  notify(method: string): void;
  /** Answers a request of Codex. */
  reply(reply: AgentReply): void;
  /** Handles an answer. False when no call waits for it, as after its deadline. */
  settle(answer: Json): boolean;
  /** Fails the call whose answer was larger than a line may be. */
  dropAnswer(id: number): void;
  /** The child has exited: fails written calls with outcome `unknown` and the others with `not_sent`. */
  close(words: string): void;
}

interface Call {
  id: number;
  method: string;
  line: string;
  timeoutMs: number;
  startedAt: number;
  cancelDeadline: () => void;
  late: CallOptions["late"];
  resolve(answer: Json): void;
  reject(error: DispatchError): void;
}

export function rpc(to: { write(line: string): void; clock: Clock }): Rpc {
  const inFlight = new Map<number, Call>();
  const backlog = new Map<number, Call>();
  /** Calls after their deadline that are not answered yet. */
  const overdue = new Map<number, NonNullable<CallOptions["late"]>>();
  let lastId = 0;
  let closed: string | undefined;

  const put = (call: Call) => {
    inFlight.set(call.id, call);
    to.write(call.line);
  };

  const refill = () => {
    for (const call of backlog.values()) {
      if (inFlight.size >= limits.wire.inFlightMax) return;
      backlog.delete(call.id);
      put(call);
    }
  };

  const take = (id: number): Call | undefined => {
    const call = inFlight.get(id) ?? backlog.get(id);
    if (call === undefined) return undefined;
    inFlight.delete(id);
    backlog.delete(id);
    call.cancelDeadline();
    return call;
  };

  const deadline = (call: Call, mayStartAgain: boolean): (() => void) =>
    to.clock.after(call.timeoutMs, () => {
      const lateMs = to.clock.monotonic() - call.startedAt - call.timeoutMs;
      if (mayStartAgain && lateMs > limits.wire.deadlineLateMs) {
        call.startedAt = to.clock.monotonic();
        call.cancelDeadline = deadline(call, false);
        return;
      }
      const wasSent = inFlight.has(call.id);
      if (wasSent && call.late) noteOverdue(call.id, call.late);
      take(call.id)?.reject(wasSent ? timeoutError(call) : overloadedError(call.method));
      refill();
    });

  const noteOverdue = (id: number, late: NonNullable<Call["late"]>) => {
    overdue.set(id, late);
    const [oldest] = overdue.keys();
    if (overdue.size > limits.wire.inFlightMax) overdue.delete(oldest!);
  };

  const call: Rpc["call"] = (method, params, options = {}) =>
    new Promise((resolve, reject) => {
      if (closed !== undefined) return reject(downError(closed, "not_sent"));
      if (backlog.size >= limits.wire.backlogMax) return reject(overloadedError(method));
      const id = ++lastId;
      const timeoutMs = options.timeoutMs ?? limits.codex.callTimeoutMs;
      const made: Call = {
        id,
        method,
        line: wireLine({ id, method, params }),
        timeoutMs,
        startedAt: to.clock.monotonic(),
        cancelDeadline: () => {},
        late: options.late,
        resolve,
        reject,
      };
      made.cancelDeadline = deadline(made, true);
      if (options.urgent || inFlight.size < limits.wire.inFlightMax) put(made);
      else backlog.set(id, made);
    });

  return {
    call,
    async read(method, params, options) {
      for (let retriesLeft: number = limits.wire.readRetriesMax; ; retriesLeft--) {
        try {
          return await call(method, params, options);
        } catch (thrown) {
          if (retriesLeft === 0 || !mayReadAgain(thrown)) throw withNothingDone(thrown);
        }
        await to.clock.sleep(limits.wire.overloadPauseMs);
      }
    },
    notify: (method) => to.write(wireLine({ method, params: {} })),
    reply({ rpc_id, result, error }) {
      if (closed !== undefined) throw downError(closed, "not_sent");
      to.write(wireLine({ id: rpc_id, ...(error === undefined ? { result: result ?? {} } : { error }) }));
    },
    settle(answer) {
      const id = answer["id"];
      const waiting = typeof id === "number" ? take(id) : undefined;
      const error = object(answer["error"]);
      const late = typeof id === "number" ? overdue.get(id) : undefined;
      if (late) {
        overdue.delete(id as number);
        if (error === undefined) late(object(answer["result"]) ?? {});
      }
      if (waiting === undefined) return late !== undefined;
      refill();
      if (error === undefined) waiting.resolve(object(answer["result"]) ?? {});
      else waiting.reject(refusedError(waiting.method, error, paramsIn(waiting.line)));
      return true;
    },
    dropAnswer(id) {
      const waiting = take(id);
      waiting?.reject(
        new DispatchError("too_large", `codex's answer to ${waiting.method} is larger than one line may be`),
      );
      refill();
    },
    close(words) {
      closed = words;
      const sent = new Set(inFlight.keys());
      for (const id of [...sent, ...backlog.keys()])
        take(id)?.reject(downError(words, sent.has(id) ? "unknown" : "not_sent"));
    },
  };
}

/** The params are parsed again only for a refusal, which is rare. */
function paramsIn(line: string): Json {
  return object((JSON.parse(line) as Json)["params"]) ?? {};
}

function timeoutError(call: Call): DispatchError {
  return new DispatchError(
    "timeout",
    `codex did not answer ${call.method} within ${call.timeoutMs / 1000} s`,
    {
      data: { outcome: "unknown" },
    },
  );
}

function mayReadAgain(thrown: unknown): boolean {
  return isRefusal(thrown, "overloaded") || (thrown instanceof DispatchError && thrown.code === "timeout");
}
