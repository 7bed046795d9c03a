import { expect, test } from "bun:test";
import { chmodSync, copyFileSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { hasUnread, type Peer, peerOf } from "../../src/base/peer.ts";
import { openControl } from "../../src/daemon/control.ts";
import { hello, memoryLog, until } from "../daemon/rig.ts";

test("the kernel names the process that connects, and its uid", async () => {
  const path = join(mkdtempSync(join(tmpdir(), "peer-")), "s");
  let seen: Peer | undefined;
  const listener = Bun.listen({
    unix: path,
    socket: {
      open(peer) {
        seen = peerOf((peer as typeof peer & { fd: number }).fd);
      },
      data() {},
    },
  });
  const client = await Bun.connect({ unix: path, socket: { data() {} } });
  expect(await until(() => seen, "a connection")).toEqual({ uid: process.getuid!(), pid: process.pid });
  client.end();
  listener.stop(true);
});

test("a descriptor that is no socket is nobody's", () => {
  expect(() => peerOf(987)).toThrow("does not say who is at the other end");
});

const mayBecomeAnother = process.getuid?.() === 0 && Bun.which("setpriv") !== null;

test.skipIf(!mayBecomeAnother)(
  "a process of another user that reaches the socket is refused by its uid",
  async () => {
    const dir = mkdtempSync(join(tmpdir(), "peer-"));
    const path = join(dir, "s");
    const runtime = join(dir, "bun");
    copyFileSync(process.execPath, runtime);
    const log = memoryLog();
    const call = () => Promise.reject(new Error("must not run"));
    const control = openControl({ path, hello, call, clock: systemClock, log });
    // What keeps others out before the uid is asked: opened wide here, so that the last fence is the one seen.
    chmodSync(dir, 0o755);
    chmodSync(path, 0o777);
    const code = `
    const said = Promise.withResolvers();
    await Bun.connect({ unix: ${JSON.stringify(path)}, socket: {
      data(socket, bytes) { said.resolve(bytes.toString()) }, close() { said.resolve("closed without a word") },
      open(socket) { socket.write('{"hello":{"version":"0","protocol":1}}\\n') } } });
    console.log(await said.promise);
    process.exit(0);`;
    const other = Bun.spawn(["setpriv", "--reuid=65534", "--clear-groups", runtime, "-e", code], {
      stdout: "pipe",
      cwd: dir,
      env: { HOME: dir, PATH: process.env["PATH"] },
    });
    const said = JSON.parse(await other.stdout.text());
    expect(said).toMatchObject({
      id: null,
      error: { code: "denied", message: expect.stringContaining("65534") },
    });
    expect(log.lines[0]!.message).toBe("refused a connection");
    control.close();
  },
);

test("bytes that have come and that nobody has read are seen, and stay", async () => {
  const path = join(mkdtempSync(join(tmpdir(), "peer-")), "s");
  let fd = -1;
  let heard = "";
  const listener = Bun.listen({
    unix: path,
    socket: {
      open(peer) {
        fd = (peer as typeof peer & { fd: number }).fd;
        peer.pause();
        listened.resolve(() => peer.resume());
      },
      data: (_peer, chunk) => {
        heard += chunk.toString();
      },
    },
  });
  const listened = Promise.withResolvers<() => void>();
  const client = await Bun.connect({ unix: path, socket: { data() {} } });
  const resume = await listened.promise;
  expect(hasUnread(fd)).toBe(false);
  client.write("hello");
  await until(() => hasUnread(fd), "the bytes");
  resume();
  await until(() => heard === "hello", "all of them are read");
  expect(hasUnread(fd)).toBe(false);
  client.end();
  listener.stop(true);
});
