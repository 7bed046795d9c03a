/** The client looks at whose daemon it is before it says a word, and before it believes one. */
import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DispatchError } from "../../src/base/error.ts";
import { connect } from "../../src/surface/client.ts";
import { directoryTrust, peerTrust } from "../../src/surface/trust.ts";

const scratch = () => mkdtempSync(join(tmpdir(), "trust-"));

/** A listener that counts what it hears. */
function listen(path: string) {
  const heard: string[] = [];
  const listener = Bun.listen({
    unix: path,
    socket: { data: (_, bytes) => void heard.push(bytes.toString()) },
  });
  return { heard, close: () => listener.stop(true) };
}

async function refusal(path: string): Promise<DispatchError> {
  try {
    await connect(path);
  } catch (thrown) {
    if (thrown instanceof DispatchError) return thrown;
    throw thrown;
  }
  throw new Error("it connected");
}

test("a directory that others can reach is refused, and the daemon there hears nothing", async () => {
  for (const mode of [0o777, 0o750, 0o701]) {
    const dir = scratch();
    const daemon = listen(join(dir, "s"));
    chmodSync(dir, mode);
    const error = await refusal(join(dir, "s"));
    expect(error.code).toBe("denied");
    expect(error.message).toContain(dir);
    expect(error.hint).toBe(`chmod 700 ${dir}`);
    expect(daemon.heard).toEqual([]);
    daemon.close();
  }
});

test("another user's directory, and another user's daemon, are refused by their uid", async () => {
  const dir = scratch();
  expect(directoryTrust(join(dir, "s"), 4711)?.message).toContain("you are uid 4711");
  const fault = peerTrust({ fd: 3 }, 1000, () => ({ uid: 4711, pid: 1 }));
  expect(fault).toMatchObject({ code: "denied", message: expect.stringContaining("4711") });
  expect(peerTrust({ fd: 3 }, 1000, () => ({ uid: 1000, pid: 1 }))).toBeUndefined();
});

test("where the kernel does not say whose daemon it is, it is not believed", () => {
  const silent = () => {
    throw new DispatchError("internal", "the kernel does not say");
  };
  expect(peerTrust({ fd: 3 }, 1000, silent)).toMatchObject({ code: "internal" });
});

test("the user's own daemon is believed, also through a link to its directory", async () => {
  const dir = scratch();
  mkdirSync(join(dir, "real"), { mode: 0o700 });
  symlinkSync(join(dir, "real"), join(dir, "link"));
  const daemon = listen(join(dir, "real", "s"));
  for (const name of ["real", "link"]) {
    const connection = await connect(join(dir, name, "s"));
    expect(connection?.isOpen()).toBe(true);
    connection?.close();
  }
  daemon.close();
});

test("where nothing is, nobody is refused", async () => {
  expect(await connect(join(scratch(), "none", "s"))).toBeUndefined();
});

const mayBecomeAnother = process.getuid?.() === 0 && Bun.which("setpriv") !== null;
test.skipIf(!mayBecomeAnother)(
  "a daemon of another user in the user's own directory hears nothing",
  async () => {
    const dir = scratch();
    const path = join(dir, "s");
    const program = `import socket,os
s=socket.socket(socket.AF_UNIX); s.bind(${JSON.stringify(path)}); os.setuid(65534); s.listen(); print("up",flush=True)
c,_=s.accept(); print(repr(c.recv(1000)),flush=True)`;
    const other = Bun.spawn(["python3", "-c", program], { stdout: "pipe" });
    const reader = other.stdout.getReader();
    await reader.read();
    const error = await refusal(path);
    expect(error).toMatchObject({ code: "denied", message: expect.stringContaining("65534") });
    let heard = "";
    for (let read = await reader.read(); !read.done; read = await reader.read())
      heard += Buffer.from(read.value).toString();
    expect(heard).toContain("b''");
  },
);
