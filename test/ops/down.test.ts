import { expect, test } from "bun:test";
import { DispatchError } from "../../src/base/error.ts";
import { limits } from "../../src/base/limits.ts";
import type { ClientCtx } from "../../src/ops/ctx.ts";
import down from "../../src/ops/daemon/down.ts";

interface Scene {
  /** The daemon takes the request to stop. */
  answers: boolean;
  holder: { pid: number; command: string | null; socket?: string } | undefined;
}

/** A home whose lock stays held until its holder is killed. */
function rig({ answers, holder }: Scene) {
  const did: string[] = [];
  let isKilled = holder === undefined;
  const ctx = {
    paths: { socket: "/home/d/dispatch.sock" },
    markStopped: () => void did.push("marked"),
    clearStopped: () => void did.push("cleared"),
    confirm: async () => false,
    call: async () => {
      if (answers) return { pid: holder!.pid };
      throw new DispatchError("daemon_down", "nothing answers");
    },
    gone: async (ms: number) => {
      if (ms > 0) did.push(`waited ${ms}`);
      return isKilled;
    },
    holder: () =>
      holder && {
        socket: null,
        ...holder,
        kill() {
          did.push("killed");
          isKilled = true;
          return true;
        },
      },
  } as unknown as ClientCtx;
  const run = (input: { force: boolean; wait: number }) =>
    Promise.resolve(down.run(input, ctx)).catch((thrown: DispatchError) => thrown.body);
  return { did, run };
}

const daemon = { pid: 7, command: null };

test("a daemon that does not exit is named, and killed only with --force", async () => {
  const plain = rig({ answers: false, holder: daemon });
  expect(await plain.run({ force: false, wait: 1 })).toMatchObject({
    code: "timeout",
    message: expect.stringContaining("pid 7"),
    hint: "dispatch down --force",
  });
  expect(plain.did).toEqual(["marked", "waited 1000"]);
  const forced = rig({ answers: false, holder: daemon });
  expect(await forced.run({ force: true, wait: 1 })).toEqual({ status: "stopped", pid: 7 });
  expect(forced.did.slice(0, 3)).toEqual(["marked", "waited 1000", "killed"]);
});

test("one that has begun to stop is given the time for it, however short --wait is", async () => {
  const { did, run } = rig({ answers: true, holder: daemon });
  expect(await run({ force: true, wait: 0 })).toEqual({ status: "stopped", pid: 7 });
  const waited = Number(did[1]!.split(" ")[1]);
  expect(waited).toBeGreaterThan(limits.daemon.shutdownGraceMs);
  expect(did[2]).toBe("killed");
});

test("a command that works on the registry is no daemon: it is named and left alone", async () => {
  const { did, run } = rig({ answers: false, holder: { pid: 8, command: "dispatch registry restore" } });
  expect(await run({ force: true, wait: 0 })).toMatchObject({
    code: "conflict",
    message: expect.stringContaining("dispatch registry restore (pid 8)"),
  });
  expect(did).toEqual(["marked", "cleared"]);
});

test("a daemon that listens elsewhere is named, and not killed", async () => {
  const { did, run } = rig({ answers: false, holder: { ...daemon, socket: "/elsewhere.sock" } });
  expect(await run({ force: true, wait: 0 })).toMatchObject({
    code: "conflict",
    hint: "set DISPATCH_SOCKET to /elsewhere.sock",
  });
  expect(did).toEqual(["marked", "cleared"]);
});

test("without a daemon there is nothing to stop", async () => {
  expect(await rig({ answers: false, holder: undefined }).run({ force: true, wait: 1 })).toEqual({
    status: "not_running",
    pid: null,
  });
});
