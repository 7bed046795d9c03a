import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { instanceIn, otherSocket } from "../../src/base/instance.ts";

const written = { pid: 7, version: "1", start_time: "2", boot_id: "b" };

test("what a daemon of any version wrote into the lock is read, and anything else is nobody", () => {
  expect(instanceIn(JSON.stringify(written))).toEqual({ ...written, command: null, socket: null });
  const newer = { ...written, command: "dispatch registry restore", socket: "/s", more: 1 };
  expect(instanceIn(JSON.stringify(newer))).toMatchObject({ command: newer.command, socket: "/s" });
  for (const text of ["", "{", "null", "[]", '{"pid":"7"}', '{"pid":7}'])
    expect(instanceIn(text)).toBeUndefined();
});

test("a socket is another one by what it is, and not by how its home is spelled", () => {
  const at = mkdtempSync(join(tmpdir(), "instance-"));
  mkdirSync(join(at, "home"));
  symlinkSync("home", join(at, "link"));
  const daemon = { pid: 7, socket: join(at, "home/s") };
  expect(otherSocket(daemon, join(at, "home/s"))).toBeUndefined();
  expect(otherSocket(daemon, join(at, "link/s"))).toBeUndefined();
  expect(otherSocket({ pid: 7, socket: null }, join(at, "x"))).toBeUndefined();
  expect(otherSocket(daemon, join(at, "x"))).toMatchObject({
    code: "conflict",
    hint: `set DISPATCH_SOCKET to ${daemon.socket}`,
  });
});
