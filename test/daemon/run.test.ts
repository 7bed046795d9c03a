import { afterEach, expect, test } from "bun:test";
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnDetached } from "../../src/base/detach.ts";
import { openLock, readLock } from "../../src/base/flock.ts";
import { isAlive } from "../../src/base/identity.ts";
import { instanceIn } from "../../src/base/instance.ts";
import { type Paths, pathsOf } from "../../src/base/paths.ts";
import { connect, until } from "./rig.ts";

const script = new URL("./dispatchd.ts", import.meta.url).pathname;
const started: number[] = [];

afterEach(() => {
  for (const pid of started.splice(0)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended, as most tests want.
    }
  }
});

const newHome = () => pathsOf({ DISPATCH_HOME: join(mkdtempSync(join(tmpdir(), "dispatch höme ")), "home") });

function start(paths: Paths, fake: object = {}, env: Record<string, string> = {}) {
  mkdirSync(paths.home, { recursive: true, mode: 0o700 });
  const child = spawnDetached([process.execPath, script], {
    logPath: paths.log,
    env: {
      ...process.env,
      DISPATCH_HOME: paths.home,
      FAKE: JSON.stringify(fake),
      PWD: "/the/starter",
      ...env,
    },
  });
  started.push(child.pid);
  return child;
}

const served = (paths: Paths) => until(() => existsSync(paths.socket), "the socket");
/** The file is there an instant before anybody listens on it. */
const reached = (paths: Paths) =>
  until(() => connect(paths.socket).catch(() => undefined), "an answer to a connect");
const ended = (child: { exited(): number | null }) =>
  until(() => child.exited() ?? undefined, "its end", 15_000);
const logOf = (paths: Paths) => readFileSync(paths.log, "utf8");

test("a daemon takes the lock, names itself in it, and answers", async () => {
  const paths = newHome();
  const child = start(paths);
  const client = await reached(paths);
  client.call(1, "test.host");
  const { result } = await client.ended(1);
  expect(result).toMatchObject({ pid: child.pid, startedBy: { cwd: "/the/starter", terminal: false } });
  const { held, text } = readLock(paths.lock);
  expect(held).toBe(true);
  expect(instanceIn(text)).toMatchObject({ pid: child.pid });
  expect(isAlive(instanceIn(text)!)).toBe(true);
  expect(lstatSync(paths.home).mode & 0o777).toBe(0o700);
  for (const file of [paths.socket, paths.lock, paths.log]) expect(lstatSync(file).mode & 0o777).toBe(0o600);
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`${signal} ends it well: core closed, socket gone, lock free, status 0`, async () => {
    const paths = newHome();
    const child = start(paths);
    await until(() => existsSync(paths.log) && logOf(paths).includes('"ready"'), "it is ready");
    process.kill(child.pid, signal);
    expect(await ended(child)).toBe(0);
    expect(existsSync(paths.socket)).toBe(false);
    expect(existsSync(paths.lock)).toBe(true);
    expect(readLock(paths.lock).held).toBe(false);
    expect(logOf(paths)).toContain("closed the core");
  });
}

test("an op that stops the daemon is answered before the daemon leaves", async () => {
  const paths = newHome();
  const child = start(paths, { closeMs: 50 });
  const client = await reached(paths);
  client.call(1, "test.stop");
  expect((await client.ended(1)).result).toEqual({ stopping: true });
  await client.closed();
  expect(await ended(child)).toBe(0);
});

test("a call that never ends does not keep the daemon from leaving", async () => {
  const paths = newHome();
  const child = start(paths);
  const client = await reached(paths);
  client.call(1, "test.deaf");
  client.call(2, "test.stop");
  await client.ended(2);
  expect(await ended(child)).toBe(0);
  expect(logOf(paths)).toContain("calls did not end in time");
}, 15_000);

test("a second signal hurries a stop that hangs", async () => {
  const paths = newHome();
  const child = start(paths, { closeMs: 60_000 });
  await until(() => existsSync(paths.log) && logOf(paths).includes('"ready"'), "it is ready");
  process.kill(child.pid, "SIGTERM");
  await until(() => logOf(paths).includes('"stopping"'), "it stops");
  process.kill(child.pid, "SIGTERM");
  expect(await ended(child)).toBe(1);
  expect(readLock(paths.lock).held).toBe(false);
});

test("a hang-up of the starter's terminal does not end a detached daemon", async () => {
  const paths = newHome();
  const child = start(paths);
  await served(paths);
  process.kill(child.pid, "SIGHUP");
  await until(() => logOf(paths).includes("SIGHUP is ignored"), "it took the signal");
  const client = await connect(paths.socket);
  client.call(1, "test.echo");
  await client.ended(1);
});

test("kill -9 leaves a socket and a lock file that the next daemon starts over", async () => {
  const paths = newHome();
  const first = start(paths);
  await served(paths);
  process.kill(first.pid, "SIGKILL");
  await ended(first);
  expect(existsSync(paths.socket)).toBe(true);
  const second = start(paths);
  await until(() => logOf(paths).includes("did not stop cleanly"), "the stale socket is removed");
  const client = await until(
    () => existsSync(paths.socket) && connect(paths.socket).catch(() => undefined),
    "it serves",
  );
  client.call(1, "test.host");
  expect((await client.ended(1)).result).toMatchObject({ pid: second.pid });
});

test("of twenty daemons started at once one serves and nineteen leave with status 3", async () => {
  const paths = newHome();
  const all = Array.from({ length: 20 }, () => start(paths));
  const codes = () => all.map((child) => child.exited());
  await until(() => codes().filter((code) => code !== null).length >= 19, "nineteen have left", 20_000);
  expect(codes().filter((code) => code === 3)).toHaveLength(19);
  const client = await connect(paths.socket);
  client.call(1, "test.host");
  expect((await client.ended(1)).result).toMatchObject({
    pid: all.find((child) => child.exited() === null)!.pid,
  });
}, 30_000);

test("a daemon started while another is leaving waits and takes its place", async () => {
  const paths = newHome();
  const first = start(paths, { closeMs: 500 });
  await until(() => existsSync(paths.log) && logOf(paths).includes('"ready"'), "it is ready");
  process.kill(first.pid, "SIGTERM");
  await until(() => !existsSync(paths.socket), "its socket is gone");
  const second = start(paths);
  expect(await ended(first)).toBe(0);
  const client = await until(
    () => existsSync(paths.socket) && connect(paths.socket).catch(() => undefined),
    "it serves",
  );
  client.call(1, "test.host");
  expect((await client.ended(1)).result).toMatchObject({ pid: second.pid });
});

test("a start that fails tells who waits on the socket, and leaves its error as one JSON line in the log", async () => {
  const paths = newHome();
  mkdirSync(paths.home, { recursive: true, mode: 0o700 });
  writeFileSync(paths.log, "older line\n", { mode: 0o600 });
  const child = start(paths, { composeMs: 300, fails: "dispatch" });
  const client = await reached(paths);
  client.call(1, "test.echo");
  expect((await client.ended(1)).error).toMatchObject({ code: "storage", hint: "restore a backup" });
  expect(await ended(child)).toBe(16);
  const lines = logOf(paths).trim().split("\n");
  expect(lines[0]).toBe("older line");
  const line = lines.find((one) => one.startsWith('{"error":'))!;
  expect(JSON.parse(line).error).toEqual({
    code: "storage",
    message: "the registry is corrupt",
    hint: "restore a backup",
    retry: "later",
    data: null,
  });
  expect(existsSync(paths.socket)).toBe(false);
  expect(readLock(paths.lock).held).toBe(false);
});

test("a bug at the start is internal, with the stack in the log", async () => {
  const paths = newHome();
  expect(await ended(start(paths, { fails: "bug" }))).toBe(1);
  expect(logOf(paths)).toContain("dispatchd.ts");
  expect(logOf(paths)).toContain('{"error":{"code":"internal"');
});

test("a regular file where the socket belongs stops the start and stays", async () => {
  const paths = newHome();
  mkdirSync(paths.home, { recursive: true, mode: 0o700 });
  writeFileSync(paths.socket, "precious");
  expect(await ended(start(paths))).toBe(2);
  expect(readFileSync(paths.socket, "utf8")).toBe("precious");
  expect(logOf(paths)).toContain(`${paths.socket} is a regular file`);
});

const throwing = ["timer", "clock", "rejection", "microtask", "abort listener", "stream reader"];
for (const where of throwing) {
  test(`a failure in a ${where} that nobody catches is logged under an id, is shown, and ends nothing`, async () => {
    const paths = newHome();
    const child = start(paths);
    const client = await reached(paths);
    client.call(1, "test.bug", { text: where });
    await client.ended(1);
    const fault = await until(async () => {
      client.call(2, "test.host");
      const { result } = await client.ended(2);
      client.frames.splice(0);
      return (result!["faults"] as { id: string; why: string }[])[0];
    }, "the fault is kept");
    expect(fault.why).toBe("nobody catches this");
    const line = logOf(paths)
      .split("\n")
      .find((one) => one.includes(fault.id))!;
    expect(JSON.parse(line)).toMatchObject({ level: "error", id: fault.id });
    expect(line).toContain("dispatchd.ts");
    client.call(3, "test.echo", { text: "still here" });
    expect((await client.ended(3)).result).toEqual({ text: "still here" });
    process.kill(child.pid, "SIGTERM");
    expect(await ended(child)).toBe(0);
  });
}

test("a daemon knows whether the one before it stopped in order", async () => {
  const paths = newHome();
  const previous = async () => {
    const child = start(paths);
    const client = await until(
      () => existsSync(paths.socket) && connect(paths.socket).catch(() => undefined),
      "an answer to a connect",
    );
    client.call(1, "test.host");
    const { result } = await client.ended(1);
    return { child, previous: result?.["previous"] };
  };
  const first = await previous();
  expect(first.previous).toBeNull();
  process.kill(first.child.pid, "SIGTERM");
  await ended(first.child);
  const second = await previous();
  expect(second.previous).toMatchObject({ is_clean: true, last_seen_at: expect.any(Number) });
  process.kill(second.child.pid, "SIGKILL");
  await ended(second.child);
  const third = await previous();
  expect(third.previous).toMatchObject({ is_clean: false, last_seen_at: expect.any(Number) });
});

test("what tells who started it, and what would change Bun, is not handed down", async () => {
  const paths = newHome();
  start(paths, {}, { CODEX_THREAD_ID: "t", CODEX_SANDBOX: "seatbelt", BUN_BE_X: "1", CODEX_HOME: "/c" });
  await until(() => existsSync(paths.log) && logOf(paths).includes("composed"), "it is composed");
  const line = logOf(paths)
    .split("\n")
    .find((one) => one.includes("composed"))!;
  expect(JSON.parse(line).env).toEqual(["CODEX_HOME"]);
});

test("in the foreground it says it is ready on stderr, and names the other when the place is taken", async () => {
  const paths = newHome();
  const env = { ...process.env, DISPATCH_HOME: paths.home };
  const run = () =>
    Bun.spawn([process.execPath, script, "--foreground"], { env, stdout: "pipe", stderr: "pipe" });
  const first = run();
  started.push(first.pid);
  await until(() => existsSync(paths.log) && logOf(paths).includes('"ready"'), "it is ready");
  const second = run();
  expect(await second.exited).toBe(3);
  expect(await second.stderr.text()).toContain(`pid ${first.pid}`);
  first.kill("SIGINT");
  expect(await first.exited).toBe(0);
  const said = await first.stderr.text();
  expect(said).toContain(`ready, pid ${first.pid}, socket ${paths.socket}`);
  expect(said).toContain("stopping");
  expect(await first.stdout.text()).toBe("");
});

test("a lock that a looker holds for an instant does not turn a daemon away", async () => {
  const paths = newHome();
  mkdirSync(paths.home, { recursive: true, mode: 0o700 });
  const looker = openLock(paths.lock)!;
  const child = start(paths);
  await Bun.sleep(60);
  looker.release();
  await served(paths);
  expect(child.exited()).toBeNull();
});

test("its own command line knows a home, and refuses what it does not know", async () => {
  const paths = newHome();
  const run = (...args: string[]) =>
    Bun.spawn([process.execPath, script, ...args], { stdout: "pipe", stderr: "pipe" });
  const wrong = run("--foregruond");
  expect(await wrong.exited).toBe(2);
  expect(await wrong.stderr.text()).toContain("--foregruond");
  expect(await run("--version").stdout.text()).toMatch(/^dispatchd \d/);
  const there = run("__daemon", "--home", paths.home);
  started.push(there.pid);
  await served(paths);
});
