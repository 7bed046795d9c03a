/**
 * The calls of a board over several machines. Each thread and each question of another machine is named `box/ref`. A
 * machine that does not answer is named among the problems, keeps its last rows, and is looked for again.
 */
import type { Clock } from "../../base/clock.ts";
import { DispatchError, errorMessage, fail } from "../../base/error.ts";
import { joinHost, splitHost } from "../../base/hostref.ts";
import { limits } from "../../base/limits.ts";
import type { ThreadView } from "../../contract/thread.ts";
import type { Row } from "../wire.ts";
import type { Calls } from "./daemon.ts";

export interface Machine {
  /** Null: this one. */
  host: string | null;
  calls: Calls;
}

interface Watched extends Machine {
  cursor: string;
  threads: ThreadView[];
  /** Why it does not answer. */
  down: DispatchError | undefined;
}

export function severalCalls(machines: readonly Machine[], clock: Clock): Calls {
  const all: Watched[] = machines.map((one) => ({ ...one, cursor: "", threads: [], down: undefined }));

  /** One call on each machine that answers. A failure takes the machine out until `follow` finds it again. */
  const onEach = async (op: string, input: Row) => {
    const up = all.filter(({ down }) => down === undefined);
    const answers = await Promise.all(
      up.map(async (machine) => {
        try {
          return { machine, out: await machine.calls.call(op, input) };
        } catch (thrown) {
          // Too many rows for a frame: the board asks for fewer.
          if (thrown instanceof DispatchError && thrown.code === "too_large") throw thrown;
          machine.down = asError(thrown);
          return undefined;
        }
      }),
    );
    const found = answers.filter((answer) => answer !== undefined);
    if (found.length === 0) throw all[0]!.down ?? fail("internal", "no machine was asked");
    return found;
  };

  const status = async (): Promise<Row> => {
    const answers = await onEach("daemon.status", {});
    for (const { machine, out } of answers) machine.cursor = String(out["cursor"]);
    const problems = answers.flatMap(({ machine, out }) =>
      ((out["degraded"] ?? []) as { message: string }[]).map((one) => ({
        ...one,
        message: about(machine, one.message),
      })),
    );
    const unreachable = all
      .filter(({ down }) => down !== undefined)
      .map((machine) => ({ message: about(machine, machine.down!.message), hint: machine.down!.hint }));
    const [first] = answers;
    const windows = answers.flatMap(({ out }) => (out["limits"] ?? []) as Row[]);
    return { ...first!.out, limits: windows, degraded: [...unreachable, ...problems] };
  };

  const list = async (input: Row): Promise<Row> => {
    const answers = await onEach("thread.list", input);
    for (const { machine, out } of answers)
      machine.threads = (out["threads"] as ThreadView[]).map((thread) => named(thread, machine.host));
    const threads = all.flatMap(({ threads, down }) =>
      down ? threads.map((thread) => ({ ...thread, confidence: "stale" as const })) : threads,
    );
    return { threads, truncated: answers.some(({ out }) => out["truncated"] === true) };
  };

  /** Of one thread or one question: of the machine that its name begins with. */
  const one = async (op: string, input: Row): Promise<Row> => {
    const field = "thread" in input ? "thread" : "id";
    const name = String(input[field]);
    const far = splitHost(name);
    const machine = all.find(({ host }) => host === (far?.host ?? null)) ?? all[0]!;
    const out = await machine.calls.call(op, { ...input, [field]: far?.ref ?? name });
    return op === "request.get" || op === "thread.get" ? named(out, machine.host) : out;
  };

  const followOne = async (machine: Watched, follow: Parameters<Calls["follow"]>) => {
    const [op, input, row, signal] = follow;
    while (!signal.aborted) {
      try {
        if (machine.down) {
          machine.cursor = String((await machine.calls.call("daemon.status", {}))["cursor"]);
          machine.down = undefined;
          // Everything is read again, and the first line too.
          for (const kind of ["reconciled", "daemon.up"]) row({ kind });
        }
        const take = (event: Row) => row(ofThread(event, machine.host));
        await machine.calls.follow(op, { ...input, since: machine.cursor }, take, signal);
        machine.down = new DispatchError("daemon_down", "the daemon ended the connection");
      } catch (thrown) {
        machine.down = asError(thrown);
      }
      if (signal.aborted) return;
      row({ kind: "daemon.down" });
      await clock.sleep(machine.host === null ? limits.top.reconnectMs : limits.top.hostReconnectMs, signal);
    }
  };

  return {
    call: (op, input) =>
      op === "daemon.status" ? status() : op === "thread.list" ? list(input) : one(op, input),
    async follow(...follow) {
      await Promise.all(all.map((machine) => followOne(machine, follow)));
    },
    forbidStart() {
      for (const { calls } of all) calls.forbidStart();
    },
  };
}

function about({ host }: Machine, message: string): string {
  return host === null || message.startsWith(host) ? message : `${host}: ${message}`;
}

/** A thread, or a question. */
function named<T extends Row | ThreadView>(view: T, host: string | null): T {
  if (host === null) return view;
  const row: Row = { ...view };
  for (const field of ["ref", "thread"])
    if (typeof row[field] === "string") row[field] = joinHost(host, row[field]);
  if (Array.isArray(row["requests"]))
    row["requests"] = (row["requests"] as { id: string }[]).map((ask) => ({
      ...ask,
      id: joinHost(host, ask.id),
    }));
  else if (typeof row["id"] === "string") row["id"] = joinHost(host, row["id"]);
  return row as T;
}

function ofThread(event: Row, host: string | null): Row {
  const { thread } = event;
  return host === null || typeof thread !== "string" ? event : { ...event, thread: joinHost(host, thread) };
}

function asError(thrown: unknown): DispatchError {
  return thrown instanceof DispatchError ? thrown : new DispatchError("internal", errorMessage(thrown));
}
