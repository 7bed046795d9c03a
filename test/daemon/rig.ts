/** A control socket with ops of its own, and a client that speaks frames and nothing else. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { systemClock } from "../../src/base/clock.ts";
import { faultLog } from "../../src/base/faults.ts";
import type { Log } from "../../src/base/log.ts";
import { type Audited, callsOf } from "../../src/daemon/call.ts";
import { type ControlOptions, openControl } from "../../src/daemon/control.ts";
import type { Ctx } from "../../src/ops/ctx.ts";
import { type DaemonOp, type IndexRow, op } from "../../src/ops/op.ts";
import { indexRowOf } from "../../src/surface/indexrow.ts";

export type Fields = Record<string, unknown>;
export const hello = { version: "0.0.0-test", protocol: 1, pid: process.pid };
export const caller = { kind: "cli", thread_id: null, cwd: "/" } as const;

export async function until<T>(
  ask: () => T | undefined | null | false | Promise<T | undefined | null | false>,
  what: string,
  ms = 10_000,
): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const answer = await ask();
    if (answer || answer === 0) return answer;
    if (performance.now() > end) throw new Error(`not seen in ${ms} ms: ${what}`);
    await Bun.sleep(2);
  }
}

export function memoryLog(): Log & { lines: { level: string; message: string; fields: Fields }[] } {
  const lines: { level: string; message: string; fields: Fields }[] = [];
  const at =
    (level: string) =>
    (message: string, fields: Fields = {}) =>
      void lines.push({ level, message, fields });
  return { lines, debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** An op whose run is the test's; its input and output let everything pass unless said otherwise. */
export function fakeOp(
  name: string,
  run: (input: Fields, ctx: Ctx) => Promise<Fields> | Fields,
  more: Partial<DaemonOp> = {},
): DaemonOp {
  return op({
    name,
    cli: name.replace(".", " "),
    group: "daemon",
    task: "maintain",
    summary: name,
    intent: "read",
    repeat: "safe",
    input: v.strictObject({ text: v.optional(v.string()), n: v.optional(v.number()) }),
    output: v.looseObject({}),
    fails: [],
    examples: [],
    view: () => "",
    run,
    ...more,
  });
}

export function rowOf(one: DaemonOp, hash = "hash"): IndexRow {
  return { ...indexRowOf(one), hash, load: async () => ({ default: one }) };
}

export function rig(ops: DaemonOp[], more: Partial<ControlOptions> = {}) {
  const dir = mkdtempSync(join(tmpdir(), "control "));
  const path = join(dir, "dispatch.sock");
  const log = memoryLog();
  const audited: Audited[] = [];
  const tally = { calls: 0 };
  const call = callsOf({
    index: ops.map((one) => rowOf(one)),
    ctxOf: (who, signal, emit) => ({ caller: who, signal, emit, clock: systemClock }) as unknown as Ctx,
    authorise() {},
    audit: (one) => void audited.push(one),
    log: faultLog(log, systemClock),
    tally,
  });
  const control = openControl({ path, hello, call, clock: systemClock, log, ...more });
  return { path, log, audited, control, tally };
}

export type Client = Awaited<ReturnType<typeof connect>>;

export async function connect(path: string) {
  const frames: Fields[] = [];
  let rest = "";
  let isClosed = false;
  const decoder = new TextDecoder();
  const waiting: Uint8Array[] = [];
  const flush = () => {
    while (waiting.length > 0) {
      const taken = socket.write(waiting[0]!);
      if (taken < waiting[0]!.length) {
        waiting[0] = waiting[0]!.subarray(Math.max(taken, 0));
        return;
      }
      waiting.shift();
    }
  };
  const socket = await Bun.connect({
    unix: path,
    socket: {
      data(_socket, bytes) {
        const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
        rest = lines.pop()!;
        for (const line of lines) frames.push(JSON.parse(line));
      },
      drain: flush,
      close: () => {
        isClosed = true;
      },
      error: () => {},
    },
  });
  const raw = (bytes: Uint8Array | string) => {
    waiting.push(typeof bytes === "string" ? Buffer.from(bytes) : bytes);
    flush();
  };
  return {
    frames,
    raw,
    say: (...said: unknown[]) => raw(said.map((one) => `${JSON.stringify(one)}\n`).join("")),
    call: (id: number, name: string, input: Fields = {}, schema = "hash") =>
      raw(`${JSON.stringify({ id, op: name, schema, input, caller })}\n`),
    /** The frame that ends call `id`. */
    ended: (id: number | null) =>
      until(
        () => frames.find((one) => one["id"] === id && !("row" in one)),
        `the end of call ${id}`,
      ) as Promise<{
        id: number;
        result?: Fields;
        error?: { code: string; message: string; hint: string; data: Fields };
      }>,
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    closed: () => until(() => isClosed, "the connection is closed"),
    close: () => socket.terminate(),
  };
}
