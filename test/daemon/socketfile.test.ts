import { expect, test } from "bun:test";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { directoryFault } from "../../src/base/directory.ts";
import { DispatchError } from "../../src/base/error.ts";
import { makeSocketPrivate, prepareSocketPath, removeStaleSocket } from "../../src/daemon/socketfile.ts";

const scratch = () => mkdtempSync(join(tmpdir(), "place "));

function refusal(act: () => void): DispatchError {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof DispatchError) return thrown;
    throw thrown;
  }
  throw new Error("it was not refused");
}

test("a missing directory is made 0700, with every parent, whatever the umask", () => {
  const old = process.umask(0);
  try {
    const dir = join(scratch(), "höme 线", "run");
    prepareSocketPath(join(dir, "dispatch.sock"));
    expect(lstatSync(dir).mode & 0o777).toBe(0o700);
    expect(lstatSync(join(dir, "..")).mode & 0o777).toBe(0o700);
  } finally {
    process.umask(old);
  }
});

test("a directory that others can reach is refused, with the chmod that helps, and left as it was", () => {
  const dir = scratch();
  chmodSync(dir, 0o755);
  const error = refusal(() => prepareSocketPath(join(dir, "dispatch.sock")));
  expect(error.code).toBe("denied");
  expect(error.message).toContain(dir);
  expect(error.hint).toBe(`chmod 700 '${dir}'`);
  expect(lstatSync(dir).mode & 0o777).toBe(0o755);
});

test("a directory that is a symbolic link is refused", () => {
  const dir = scratch();
  const link = join(scratch(), "link");
  symlinkSync(dir, link);
  const error = refusal(() => prepareSocketPath(join(link, "dispatch.sock")));
  expect(error.code).toBe("denied");
  expect(error.message).toContain("symbolic link");
});

test("another user's directory is refused", () => {
  const fault = directoryFault(scratch(), 4711);
  expect(fault?.code).toBe("denied");
  expect(fault?.message).toContain("and you are uid 4711");
});

test("a file where the directory belongs is refused", () => {
  const file = join(scratch(), "file");
  writeFileSync(file, "mine");
  expect(refusal(() => prepareSocketPath(join(file, "dispatch.sock"))).code).toBe("usage");
});

const occupants: [what: string, make: (path: string) => void][] = [
  ["a regular file", (path) => writeFileSync(path, "precious")],
  ["a directory", (path) => mkdirSync(path)],
  ["a symbolic link", (path) => symlinkSync("/nowhere", path)],
];

for (const [what, make] of occupants) {
  test(`${what} where the socket belongs is refused by name and never deleted`, () => {
    const path = join(scratch(), "dispatch.sock");
    make(path);
    const error = refusal(() => prepareSocketPath(path));
    expect(error.code).toBe("usage");
    expect(error.message).toContain(path);
    expect(error.message).toContain(what);
    expect(removeStaleSocket(path)).toBe(false);
    expect(lstatSync(path)).toBeDefined();
    if (what === "a regular file") expect(readFileSync(path, "utf8")).toBe("precious");
  });
}

test("a path that the kernel would cut is refused before anything is made", () => {
  const dir = join(scratch(), "d".repeat(100));
  const error = refusal(() => prepareSocketPath(join(dir, "dispatch.sock")));
  expect(error.code).toBe("usage");
  expect(error.hint).toContain("DISPATCH_SOCKET");
  expect(() => lstatSync(dir)).toThrow();
});

test("a socket that a killed daemon left is removed, and only it", async () => {
  const path = join(scratch(), "dispatch.sock");
  const code = `Bun.listen({ unix: ${JSON.stringify(path)}, socket: { data() {} } }); console.log("up"); await Bun.stdin.text();`;
  const dead = Bun.spawn([process.execPath, "-e", code], { stdin: "pipe", stdout: "pipe" });
  await dead.stdout.getReader().read();
  dead.kill("SIGKILL");
  await dead.exited;
  prepareSocketPath(path);
  expect(removeStaleSocket(path)).toBe(true);
  expect(removeStaleSocket(path)).toBe(false);
  const listener = Bun.listen({ unix: path, socket: { data() {} } });
  makeSocketPrivate(path);
  expect(lstatSync(path).mode & 0o777).toBe(0o600);
  listener.stop(true);
});
