/** Runs one call: find the op, validate the input, run, validate the output. Every failure becomes a DispatchError. */
import * as v from "valibot";
import { type Code, DispatchError, fail, unsureOf } from "../base/error.ts";
import type { FaultLog } from "../base/faults.ts";
import { issueText, keysOf, unknownField } from "../base/issue.ts";
import { limits } from "../base/limits.ts";
import { version } from "../base/version.ts";
import type { Ctx } from "../ops/ctx.ts";
import { textTooLarge } from "../ops/fields.ts";
import type { DaemonOp, IndexRow, Intent } from "../ops/op.ts";
import type { Caller } from "../ops/protocol.ts";
import type { Authorised } from "./authorise.ts";
import type { CallFrame } from "./frame.ts";

export type Emit = (row: Record<string, unknown>) => Promise<void>;

/** Rejects with a DispatchError and nothing else. */
export type Call = (frame: CallFrame, signal: AbortSignal, emit: Emit) => Promise<Record<string, unknown>>;

/** What the audit receives for every call that is not a read. `input` is complete; the audit stores no text of it. */
export interface Audited {
  caller: Caller;
  op: string;
  intent: Intent;
  input: Record<string, unknown>;
  outcome: Code | "ok";
  result: Record<string, unknown> | null;
}

/** The number of open calls, without calls of frozen ops, which are about the daemon itself. */
export interface Tally {
  calls: number;
}

export interface CallOptions {
  index: readonly IndexRow[];
  ctxOf(caller: Caller, signal: AbortSignal, emit: Emit): Ctx;
  /** Called for every valid call before it runs. Throws `denied`. */
  authorise(call: Authorised): void;
  audit(call: Audited): void;
  log: FaultLog;
  tally: Tally;
}

export function callsOf({ index, ctxOf, authorise, audit, log, tally }: CallOptions): Call {
  const rows = new Map(index.filter((row) => row.at !== "client").map((row) => [row.name, row]));

  const settle = (
    thrown: unknown,
    frame: CallFrame,
    signal: AbortSignal,
    mayBeDone: boolean,
  ): DispatchError => {
    const isAborted = signal.aborted && signal.reason instanceof DispatchError;
    // An aborted op may fail in any way.
    if (isAborted && (thrown === signal.reason || !(thrown instanceof DispatchError)))
      return mayBeDone ? unsureOf(signal.reason, frame.input) : signal.reason;
    if (thrown instanceof DispatchError) return thrown;
    const id = log.faultId();
    log.error("an operation failed because of a bug", { id, op: frame.op, thrown });
    // It may have failed after its work was stored. With the key a retry does nothing twice.
    const key = frame.input["idempotency_key"];
    const keyed = typeof key === "string";
    return new DispatchError(
      "internal",
      `dispatch has a bug in ${frame.op}; the daemon's log has the details under ${id}`,
      {
        hint: keyed ? `repeat it with --idempotency-key ${key}` : "dispatch daemon log --raw",
        data: { id, ...(keyed ? { idempotency_key: key } : {}) },
        cause: thrown,
      },
    );
  };

  const record = (call: Audited) => {
    try {
      audit(call);
    } catch (thrown) {
      log.error("a call could not be audited", { op: call.op, outcome: call.outcome, thrown });
    }
  };

  return async (frame, signal, emit) => {
    const row = rows.get(frame.op);
    if (!row) throw unknownOp(frame.op);
    if (!row.frozen && frame.schema !== row.hash) throw skewed(frame.op);
    let result: Record<string, unknown> | null = null;
    let outcome: Code | "ok" = "ok";
    let mayBeDone = false;
    tally.calls += row.frozen ? 0 : 1;
    try {
      const op = await loaded(row);
      // An op that listens for the abort event would miss one from before it ran.
      signal.throwIfAborted();
      const input = inputOf(op, row, frame.input);
      authorise({ op, input, caller: frame.caller });
      mayBeDone = row.intent !== "read";
      result = outputOf(op, await op.run(input, ctxOf(frame.caller, signal, emit)));
      // A stream that the daemon ended ends with an error.
      if (op.streams?.(input) && isStopping(signal)) throw signal.reason;
      return result;
    } catch (thrown) {
      const error = settle(thrown, frame, signal, mayBeDone);
      outcome = error.code;
      throw error;
    } finally {
      tally.calls -= row.frozen ? 0 : 1;
      const { caller, input } = frame;
      if (row.intent !== "read") record({ caller, op: row.name, intent: row.intent, input, outcome, result });
    }
  };
}

function isStopping({ aborted, reason }: AbortSignal): boolean {
  return aborted && reason instanceof DispatchError && reason.code === "daemon_down";
}

/** An import costs 70 us also when the module is loaded (measured), a third of a short call. */
const ops = new WeakMap<IndexRow, DaemonOp>();

async function loaded(row: IndexRow): Promise<DaemonOp> {
  const known = ops.get(row);
  if (known) return known;
  const op = (await row.load()).default;
  if (op.at === "client") return fail("internal", `${row.name} runs in the client`);
  ops.set(row, op);
  return op;
}

function inputOf(op: DaemonOp, row: IndexRow, given: Record<string, unknown>): Record<string, unknown> {
  const known = Object.keys(op.input.entries);
  const unknown = Object.keys(given).find((field) => !known.includes(field));
  const hint = `dispatch ${row.cli} --help`;
  if (unknown !== undefined && !row.frozen)
    fail("usage", unknownField(unknown, known), {
      hint,
      data: { field: unknown.slice(0, limits.error.valueCharsMax) },
    });
  // Clients of every version call a frozen op: fields that a newer client added are ignored.
  const fields = Object.fromEntries(Object.entries(given).filter(([field]) => known.includes(field)));
  const parsed = v.safeParse(op.input, fields, { abortEarly: true });
  if (parsed.success) return parsed.output;
  const long = textTooLarge(op.input.entries, fields);
  if (long !== undefined)
    fail("too_large", `${long} is over ${limits.input.textBytesMax / 1024 / 1024} MiB`, {
      hint: "put it in a file and send its path",
      data: { field: long },
    });
  const issue = parsed.issues[0];
  const field = keysOf(issue).join(".");
  return fail("usage", issueText(issue, field), { hint, data: { field } });
}

function outputOf(op: DaemonOp, answer: Record<string, unknown>): Record<string, unknown> {
  const parsed = v.safeParse(op.output, answer);
  if (parsed.success) return parsed.output;
  const where = parsed.issues.map((issue) => `${v.getDotPath(issue) ?? "output"}: ${issue.message}`);
  throw new Error(`the output of ${op.name} does not match its schema: ${where.join("; ")}`);
}

const restart = "dispatch down, then dispatch up";

function unknownOp(op: string): DispatchError {
  return new DispatchError(
    "stale",
    `this daemon (${version}) does not know the operation ${JSON.stringify(op.slice(0, limits.socket.nameCharsMax))}`,
    { hint: restart },
  );
}

function skewed(op: string): DispatchError {
  return new DispatchError(
    "stale",
    `the daemon (${version}) and this client have different schemas of ${op}`,
    {
      hint: restart,
    },
  );
}
