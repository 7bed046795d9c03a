import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectUnix, type UnixSocket } from "../../src/base/unixsocket.ts";
import { until } from "../daemon/rig.ts";

const waitMs = 2000;
const scratch = () => join(mkdtempSync(join(tmpdir(), "unixsocket-")), "s");
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A listener in a process of its own, because the connections under test block this one. */
async function listener(path: string, handlers: string): Promise<Bun.Subprocess> {
  const program = `Bun.listen({ unix: ${JSON.stringify(path)}, socket: { data() {}, ${handlers} } }); console.log("up");`;
  const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" });
  ends.push(() => child.kill("SIGKILL"));
  await child.stdout.getReader().read();
  return child;
}

function connected(path: string): UnixSocket {
  const socket = connectUnix(path, waitMs);
  if (socket === undefined) throw new Error(`no connection to ${path}`);
  ends.push(socket.close);
  return socket;
}

function receivedAll(socket: UnixSocket): string {
  const parts: Uint8Array[] = [];
  for (let part = socket.receive(waitMs); part !== undefined; part = socket.receive(waitMs)) parts.push(part);
  return Buffer.concat(parts).toString();
}

test("bytes go both ways, more than one buffer holds, until the other end closes", async () => {
  const path = scratch();
  await listener(
    path,
    `data(socket, bytes) { socket.write(bytes); if (bytes.at(-1) === 10) socket.end(); }, drain() {}`,
  );
  const text = `${"0123456789\u00fc".repeat(12_000)}\n`;
  const socket = connected(path);
  expect(socket.send(new TextEncoder().encode(text))).toBe(true);
  expect(receivedAll(socket)).toBe(text);
});

test("what was received is not overwritten by what comes later", async () => {
  const path = scratch();
  await listener(path, `data(socket, bytes) { socket.write(bytes); }`);
  const socket = connected(path);
  const parts = ["first", "second", "third"].map((word) => {
    socket.send(new TextEncoder().encode(word));
    return socket.receive(waitMs);
  });
  expect(parts.map((part) => new TextDecoder().decode(part))).toEqual(["first", "second", "third"]);
});

test("an end that sends nothing is waited for as long as asked, and may answer later", async () => {
  const path = scratch();
  await listener(path, `data(socket) { socket.write("late"); }`);
  const socket = connected(path);
  expect(socket.receive(20)).toBeUndefined();
  socket.send(new Uint8Array([1]));
  expect(new TextDecoder().decode(socket.receive(0))).toBe("late");
});

test("there is no connection where nothing listens, nor to a path that no socket can have", () => {
  expect(connectUnix(scratch(), waitMs)).toBeUndefined();
  expect(connectUnix(`/tmp/${"x".repeat(200)}`, waitMs)).toBeUndefined();
});

test("a listener that takes no connections any more is waited for as long as asked", async () => {
  const path = scratch();
  const child = await listener(path, "");
  child.kill("SIGSTOP");
  let taken = 0;
  for (let socket = connectUnix(path, 50); socket !== undefined; socket = connectUnix(path, 50)) {
    ends.push(socket.close);
    taken++;
    // The kernel's queue has an end, whose length the listener chose.
    if (taken > 5000) throw new Error("the queue of connections has no end");
  }
  expect(taken).toBeGreaterThan(0);
});

test("an end that reads nothing does not block a send for ever", async () => {
  const path = scratch();
  const child = await listener(path, "");
  const socket = connectUnix(path, 50);
  child.kill("SIGSTOP");
  expect(socket?.send(new Uint8Array(8 * 1024 * 1024))).toBe(false);
  socket?.close();
});

test("sending to an end that has gone fails and does not end the process", async () => {
  const path = scratch();
  const child = await listener(path, "");
  const socket = connected(path);
  child.kill("SIGKILL");
  await child.exited;
  expect(socket.send(new Uint8Array(1))).toBe(false);
  expect(socket.receive(waitMs)).toBeUndefined();
});

/** A process that waits up to a minute for bytes and prints them. `server` is the other end. */
async function waiting() {
  const path = scratch();
  let server: Bun.Socket | undefined;
  const listening = Bun.listen({
    unix: path,
    socket: {
      data() {},
      open(socket) {
        server = socket;
      },
    },
  });
  ends.push(() => listening.stop(true));
  const module = join(import.meta.dir, "../../src/base/unixsocket.ts");
  const program = `import { connectUnix } from ${JSON.stringify(module)};
    const received = connectUnix(${JSON.stringify(path)}, 1000).receive(60_000);
    console.log(received === undefined ? "nothing" : new TextDecoder().decode(received));`;
  const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" });
  ends.push(() => child.kill("SIGKILL"));
  const isIn = (state: string) =>
    readFileSync(`/proc/${child.pid}/stat`, "latin1").includes(`) ${state} `) || undefined;
  await until(() => server, "a connection");
  await until(() => isIn("S"), "it waits");
  return { child, isIn, send: (text: string) => server?.write(text) };
}

const hasProc = process.platform === "linux";
test.skipIf(!hasProc)("a process that is stopped and continued waits on", async () => {
  const { child, isIn, send } = await waiting();
  child.kill("SIGSTOP");
  await until(() => isIn("T"), "it is stopped");
  child.kill("SIGCONT");
  await until(() => isIn("S"), "it waits again");
  send("here");
  expect(await new Response(child.stdout).text()).toBe("here\n");
});

test.skipIf(!hasProc)("Ctrl-C ends a process that waits", async () => {
  const { child } = await waiting();
  child.kill("SIGINT");
  await child.exited;
  expect(child.signalCode).toBe("SIGINT");
});
