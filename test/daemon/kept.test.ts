/** Connections to other machines that are kept for reads: when one is used, and when it is not. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DispatchError } from "../../src/base/error.ts";
import { limits } from "../../src/base/limits.ts";
import { macrotask } from "../../src/base/macrotask.ts";
import { version } from "../../src/base/version.ts";
import { keptHosts } from "../../src/daemon/kept.ts";
import type { FarRead } from "../../src/ops/ctx.ts";
import type { Dialling } from "../../src/surface/remote/ssh.ts";
import type { Answer, Call } from "../../src/surface/wire.ts";
import { handClock } from "../support/codex-clock.ts";
import { quietLog } from "../support/codex-sink.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kept-"));
  writeFileSync(join(folder, "config.toml"), '[hosts.box]\nssh = "box"\n');
});
afterEach(() => rmSync(folder, { recursive: true }));

type Answering = Answer | (() => Promise<Answer>);

function rig({ there = version, answer = { result: { n: 1 } } as Answering, isWithoutSsh = false } = {}) {
  const clock = handClock();
  const calls: Call[] = [];
  let dialled = 0;
  let closed = 0;
  const connect = (): Dialling => {
    dialled++;
    if (isWithoutSsh) throw new DispatchError("host_down", "there is no ssh");
    let isOpen = true;
    return {
      connection: {
        async call(call) {
          calls.push(call);
          return typeof answer === "function" ? answer() : answer;
        },
        isOpen: () => isOpen,
        greeted: async () => {},
        daemon: () => ({ version: there, pid: 1 }),
        close() {
          if (isOpen) closed++;
          isOpen = false;
        },
      },
      dialled: () => undefined,
      end: () => ({ status: null, stderr: "" }),
    };
  };
  const index = [
    { name: "thread.list", intent: "read" },
    { name: "message.send", intent: "write" },
  ] as const;
  const kept = keptHosts(index, {
    config: join(folder, "config.toml"),
    clock,
    log: quietLog,
    connect,
    sshFolder: folder,
  });
  const caller = { kind: "cli", thread_id: "laptop/t", cwd: "/here" } as const;
  const read = async (over: Partial<FarRead> = {}) => {
    const call = { ssh: null, op: "thread.list", schema: "s", input: {}, caller, ...over };
    const answered = await kept.read("box", call);
    // The connection that it has opened is ready.
    await macrotask();
    return answered;
  };
  return { clock, kept, read, calls, dialled: () => dialled, closed: () => closed };
}

test("the first read makes its own way, and the next is answered over the connection that is open then", async () => {
  const { read, calls, dialled } = rig();
  expect(await read()).toBeNull();
  expect(await read()).toEqual({ result: { n: 1 } });
  expect(await read()).toEqual({ result: { n: 1 } });
  expect(dialled()).toBe(1);
  const caller = { kind: "cli", thread_id: "laptop/t", cwd: "" };
  expect(calls[0]).toEqual({ op: "thread.list", schema: "s", input: {}, caller } as Call);
});

test("what is no read is refused", async () => {
  const { read, dialled } = rig();
  for (const op of ["message.send", "nothing"])
    await expect(read({ op })).rejects.toMatchObject({ code: "usage" });
  expect(dialled()).toBe(0);
});

test("a caller with an ssh of its own is left to it", async () => {
  const { read, dialled } = rig();
  expect(await read({ ssh: "/other/ssh" })).toBeNull();
  expect(dialled()).toBe(0);
});

test("a dispatch of another version is left alone for a while", async () => {
  const { clock, read, dialled } = rig({ there: "0.0.1" });
  for (let at = 0; at < 3; at++) expect(await read()).toBeNull();
  expect(dialled()).toBe(1);
  await clock.advance(limits.host.keptAgainMs + 1);
  expect(await read()).toBeNull();
  expect(dialled()).toBe(2);
});

test("it is closed some time after the last read, and when it is old", async () => {
  const { clock, read, dialled, closed } = rig();
  await read();
  await clock.advance(limits.host.keptIdleMs - 1);
  await read();
  await clock.advance(limits.host.keptIdleMs - 1);
  expect(closed()).toBe(0);
  await clock.advance(1);
  expect(closed()).toBe(1);
  for (let ms = 0; ms <= limits.host.keptAgeMs; ms += limits.host.keptIdleMs / 2) {
    await read();
    await clock.advance(limits.host.keptIdleMs / 2);
  }
  expect(await read()).toBeNull();
  expect(dialled()).toBe(3);
});

test("a name that the configuration of ssh may have given another machine is dialled anew", async () => {
  const { read, dialled } = rig();
  await read();
  writeFileSync(join(folder, "config"), "Host box\n  HostName 192.0.2.1\n");
  expect(await read()).toBeNull();
  expect(dialled()).toBe(2);
});

test("a configuration that includes other files may change unseen: nothing is kept", async () => {
  const { read, dialled } = rig();
  writeFileSync(join(folder, "config"), "Host x\n  Include config.d/*\n");
  for (let at = 0; at < 2; at++) expect(await read()).toBeNull();
  expect(dialled()).toBe(0);
});

test("where this daemon finds no ssh, or its connection breaks, the caller goes its own way", async () => {
  const without = rig({ isWithoutSsh: true });
  for (let at = 0; at < 3; at++) expect(await without.read()).toBeNull();
  expect(without.dialled()).toBe(1);
  const broken = rig({ answer: () => Promise.reject(new Error("a line is broken")) });
  await broken.read();
  expect(await broken.read()).toBeNull();
  expect(broken.closed()).toBe(1);
});

test("two reads that one connection fails close only that one", async () => {
  const { clock, read, dialled, closed } = rig({ answer: { lost: true } });
  await read();
  expect(await Promise.all([read(), read()])).toEqual([null, null]);
  await clock.advance(limits.host.keptAgainMs + 1);
  await read();
  expect(dialled()).toBe(2);
  expect(closed()).toBe(1);
});

test("what comes late, or from a connection that is lost, is left to the caller's own way", async () => {
  const slow = rig({ answer: () => new Promise(() => {}) });
  await slow.read();
  const waiting = slow.read();
  await slow.clock.advance(limits.host.keptAnswerMs);
  expect(await waiting).toBeNull();
  expect(slow.closed()).toBe(1);
  const error = (code: string) => ({ error: { code, message: "no", hint: null, retry: "no", data: null } });
  for (const answer of [{ lost: true }, error("daemon_down"), error("stale")]) {
    const lost = rig({ answer: answer as Answer });
    await lost.read();
    expect(await lost.read()).toBeNull();
    expect(lost.closed()).toBe(1);
  }
  const answer = error("not_found") as Answer;
  const told = rig({ answer });
  await told.read();
  expect(await told.read()).toEqual(answer as never);
});

test("after the end nothing is open, and nothing is opened", async () => {
  const { kept, read, dialled, closed } = rig();
  await read();
  kept.close();
  expect(closed()).toBe(1);
  expect(await read()).toBeNull();
  expect(dialled()).toBe(1);
});
