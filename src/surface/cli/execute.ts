/** Runs one command: from its words to its exit status. */
import { systemClock } from "../../base/clock.ts";
import { DispatchError, fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { Paths } from "../../base/paths.ts";
import { onInterrupt } from "../../base/stdio.ts";
import type { AnyOp, ClientOp, DaemonOp, IndexRow } from "../../ops/op.ts";
import type { Caller } from "../../ops/protocol.ts";
import { callerHere } from "../caller.ts";
import type { SurfaceDeps } from "../deps.ts";
import { type Checked, checkedInput, type Input } from "../input.ts";
import type { Session } from "../session.ts";
import type { Row } from "../wire.ts";
import { type Field, fieldsOf, inputFrom } from "./args.ts";
import { confirmDestroy, confirmed, mayAsk } from "./confirm.ts";
import { type Globals, globalFlags } from "./globals.ts";
import { hostOf, sessionOn } from "./opensession.ts";
import type { Output } from "./output.ts";
import { spell } from "./spell.ts";

interface Run {
  row: IndexRow;
  checked: Checked;
  globals: Globals;
  deps: SurfaceDeps;
  paths: Paths;
  out: Output;
  caller: Caller;
  session: Session;
  isSkewed(): boolean;
  /** Aborts at Ctrl-C of a stream, and when the reader of a stream has gone. */
  stop: AbortController;
}

export async function execute(
  row: IndexRow,
  args: readonly string[],
  more: { globals: Globals; deps: SurfaceDeps; paths: Paths; out: Output },
): Promise<number> {
  const { globals, deps, paths, out } = more;
  const op = (await row.load()).default;
  const fields = fieldsOf(op);
  const host = await hostOf(more);
  if (host && op.at === "client" && !op.isOfAnswers) {
    const { runThere } = await import("../remote/there.ts");
    return runThere(host, row, args, more);
  }
  const { session, isSkewed } = await sessionOn(host, more);
  const given = await withPicked(await inputFrom(args, fields, globalFlags), fields, { ...more, session });
  const caller = callerHere("cli");
  const spelled = (name: string) => fields.find((field) => field.name === name)?.spelled ?? name;
  // A directory of this machine says nothing on another one.
  const checked = checkedInput(op, given, spelled, host && op.at !== "client" ? null : caller.cwd);
  if (globals.deadline !== undefined && globals.deadline <= 0)
    fail("usage", "--deadline: must be more than 0");
  if (op.intent === "destroy") await confirmDestroy(spell(op, given, globals), op.summary, globals);
  const stop = new AbortController();
  const run: Run = { row, checked, globals, deps, paths, out, caller, session, isSkewed, stop };
  try {
    return await withinDeadline(op, run, op.at === "client" ? runInClient(op, run) : runInDaemon(op, run));
  } catch (thrown) {
    if (!(thrown instanceof DispatchError) || thrown.code !== "not_found") throw thrown;
    throw await (await import("../remote/farhint.ts")).withFarHint(thrown, op, given, more);
  } finally {
    session.close();
  }
}

/** The picker is loaded only at a terminal, and only where an argument is missing. */
async function withPicked(
  given: Input,
  fields: readonly Field[],
  { globals, deps, session }: { globals: Globals; deps: SurfaceDeps; session: Session },
): Promise<Input> {
  if (!mayAsk(globals)) return given;
  const { withChosen } = await import("./pick.ts");
  const { listed } = await import("./complete/live.ts");
  return withChosen(given, fields, globals, (names) => listed(names, deps.index, session));
}

async function runInClient(op: ClientOp, run: Run): Promise<number> {
  const { clientCtx } = await import("../clientcontext.ts");
  const { checked, stop, globals, out } = run;
  const ctx = clientCtx({
    ...run,
    signal: stop.signal,
    confirm: (question) => confirmed(question, globals),
    note: (line) => void out.note(line),
  });
  return finish(op, run, await op.run(checked.parsed, ctx));
}

async function runInDaemon(op: DaemonOp, run: Run): Promise<number> {
  const { row, checked, caller, session, stop, out, deps } = run;
  const elsewhere = await onSeveral(op, run);
  if (elsewhere !== undefined) return elsewhere;
  const earlier = await deps.answer;
  if (earlier && "error" in earlier) throw DispatchError.fromBody(earlier.error);
  if (earlier && "result" in earlier) return finish(op, run, earlier.result);
  const isStream = op.streams?.(checked.parsed) === true;
  const asked = isStream && out.isLive() ? op.footer?.input(checked.parsed) : undefined;
  const rows = out.stream(op, asked && op.footer?.begin());
  const take = async (row: Row) => {
    if (isStream && !(await rows.row(row))) stop.abort();
    if (!isStream && op.viewRow)
      await out.note(op.viewRow(row, { width: 80, now: systemClock.now(), color: false }));
  };
  const call = session.call(
    row,
    { ...checked.input, ...asked },
    {
      caller,
      repeat: op.repeat,
      row: take,
      isStream,
      signal: stop.signal,
    },
  );
  if (!isStream) return finish(op, run, await call);
  const result = await untilStopped(call, stop).finally(() => rows.end());
  return result === undefined ? 0 : (op.exit?.(result) ?? 0);
}

/** The exit status of a call that concerns several machines; undefined when this one does not. */
async function onSeveral(op: DaemonOp, run: Run): Promise<number | undefined> {
  const value = op.across && run.checked.input[op.across.field];
  if (value !== true && !(Array.isArray(value) && value.some((one) => String(one).includes("/"))))
    return undefined;
  const { partsOf, runAcross, unreachableLine } = await import("../remote/across.ts");
  const parts = await partsOf(op, run.checked.input, run);
  if (!parts) return undefined;
  const { result, exit, isSkewed } = await runAcross({ ...run, op, parts, context: run });
  if (!run.out.isJson) for (const one of result.unreachable) await run.out.warn(unreachableLine(one));
  await show(op, { ...run, isSkewed: () => isSkewed }, result);
  return exit;
}

async function finish(op: AnyOp, run: Run, result: Row): Promise<number> {
  await show(op, run, result);
  return op.exit?.(result) ?? 0;
}

async function show(op: AnyOp, { out, isSkewed, checked }: Run, result: Row): Promise<void> {
  try {
    // The view of this version may look for what another version does not have.
    await (isSkewed() ? out.json(result) : out.result(op, result));
  } catch (thrown) {
    const isDone = op.intent !== "read" && checked.parsed["dry_run"] !== true;
    if (!isDone || !(thrown instanceof DispatchError)) throw thrown;
    throw (await import("./notshown.ts")).notShown(thrown, op, checked.input, result);
  }
}

/** A stream ends successfully when the daemon ends it, at Ctrl-C, and when its reader has gone. */
async function untilStopped(call: Promise<Row>, stop: AbortController): Promise<Row | undefined> {
  const { promise: stopped, resolve } = Promise.withResolvers<undefined>();
  // The current row is written whole: the call gets some time to end after the cancel.
  stop.signal.addEventListener(
    "abort",
    () => void systemClock.sleep(limits.client.cancelGraceMs).then(() => resolve(undefined)),
  );
  const restore = onInterrupt(() => stop.abort());
  const ended = call.catch((thrown: unknown) => {
    if (stop.signal.aborted) return undefined;
    throw thrown;
  });
  try {
    return await Promise.race([ended, stopped]);
  } finally {
    restore();
  }
}

async function withinDeadline(op: AnyOp, run: Run, work: Promise<number>): Promise<number> {
  const seconds = run.globals.deadline;
  if (seconds === undefined) return work;
  const timer = new AbortController();
  const overdue = systemClock.sleep(seconds * 1000, timer.signal).then(() => {
    if (!timer.signal.aborted) throw overdueOf(op, seconds, run.checked);
    return 0;
  });
  try {
    return await Promise.race([work, overdue]);
  } finally {
    timer.abort();
  }
}

/** The daemon keeps working on what it accepted, also when its client has stopped waiting. */
function overdueOf(op: AnyOp, seconds: number, { input }: Checked): DispatchError {
  const key = input["idempotency_key"];
  if (op.intent === "read")
    return new DispatchError("timeout", `no answer within ${seconds} s; nothing was changed`);
  return new DispatchError(
    "timeout",
    `no answer within ${seconds} s; if the daemon accepted "${op.cli}", it continues`,
    {
      hint:
        typeof key === "string"
          ? `repeat the command with --idempotency-key ${key}: it is never done twice`
          : "dispatch list",
      ...(typeof key === "string" ? { data: { idempotency_key: key } } : {}),
    },
  );
}
