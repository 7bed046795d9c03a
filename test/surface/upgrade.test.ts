/** A daemon of another version: the newer program takes the place of an older one that is idle, and nothing else does. */
import { afterEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { version } from "../../src/base/version.ts";
import { daemonsOf, main, newHome, onTerminal, run, socketIn, until } from "./support/run.ts";

const homes: string[] = [];
afterEach(() => {
  for (const home of homes.splice(0))
    for (const pid of daemonsOf(home).keys()) if (isAlive(pid)) process.kill(pid, "SIGKILL");
});

const mayStart = { DISPATCH_NO_START: "" };
const errorIn = (stderr: string) => (JSON.parse(stderr) as { error: Record<string, unknown> }).error;

/** A home with a daemon of that version, which disagrees with every client. */
async function homeWith(daemonVersion: string, env: Record<string, string> = {}): Promise<string> {
  const home = newHome();
  mkdirSync(join(home, "pids"));
  homes.push(home);
  Bun.spawn([process.execPath, main, "__daemon"], {
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: home,
      DISPATCH_HOME: home,
      FAKE_VERSION: daemonVersion,
      ...env,
    },
    stdio: ["ignore", "ignore", "inherit"],
  }).unref();
  await until("the other daemon listens", () => existsSync(socketIn(home)));
  return home;
}

/** What it was asked. */
function asked(home: string): { op: string; input: Record<string, unknown> }[] {
  return readFileSync(join(home, "asked"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

test("an older daemon with nothing under way makes room, and the command runs once, on the new one", async () => {
  const home = await homeWith("0.0.1");
  const [old] = [...daemonsOf(home).keys()];
  const { stdout, stderr, code } = await run(home, ["send", "@docs", "hi"], { env: mayStart });
  expect({ code, stderr, out: JSON.parse(stdout) }).toEqual({ code: 0, stderr: "", out: { receipt: "r-1" } });
  expect(asked(home).map(({ op }) => op)).toEqual(["message.send", "daemon.stop"]);
  expect(asked(home)[1]!.input).toEqual({ idle: true });
  expect(isAlive(old!)).toBe(false);
  expect(daemonsOf(home).size).toBe(2);
});

test("a person is told", async () => {
  const screen = onTerminal(await homeWith("0.0.1"), ["list"], { env: { ...mayStart, NO_COLOR: "1" } });
  expect(await screen.code).toBe(0);
  expect(screen.shown()).toStartWith(`restarting the daemon: 0.0.1 is older than ${version}`);
});

test("many commands at once end the older daemon once, and all succeed on one new daemon", async () => {
  const home = await homeWith("0.0.1");
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => run(home, ["list"], { env: mayStart })));
  expect(outcomes.map(({ code, stderr }) => [code, stderr])).toEqual(outcomes.map(() => [0, ""]));
  expect(daemonsOf(home).size).toBe(2);
}, 20_000);

test("an older daemon at work stays; the error says at what, and what to type", async () => {
  const home = await homeWith("0.0.1", { FAKE_BUSY: 'a turn runs: abc123 "docs"' });
  const { stderr, code } = await run(home, ["list"], { env: mayStart });
  expect(code).toBe(18);
  expect(errorIn(stderr)).toMatchObject({
    code: "stale",
    message: `the daemon (0.0.1) is older than this dispatch (${version}) and cannot be restarted now: a turn runs: abc123 "docs"`,
    hint: "wait until that is over, or run: dispatch down --force && dispatch up",
    data: { version, daemon_version: "0.0.1" },
  });
  expect([...daemonsOf(home).keys()].map(isAlive)).toEqual([true]);
});

test("an older daemon that refuses to go, for whatever reason, is not waited for", async () => {
  const home = await homeWith("0.0.1", { FAKE_BUSY: "agents may only read here", FAKE_CODE: "denied" });
  const { stderr, code } = await run(home, ["list"], { env: mayStart });
  expect(code).toBe(18);
  expect(errorIn(stderr)).toMatchObject({
    message: `the daemon (0.0.1) is older than this dispatch (${version}) and cannot be restarted now: agents may only read here`,
    hint: "dispatch down && dispatch up",
  });
});

for (const [which, of, hint] of [
  [
    "a newer daemon",
    "999.0.0",
    "use the newer dispatch, or restart the daemon with this one: dispatch down && dispatch up",
  ],
  ["another build of the same version", version, "dispatch down && dispatch up"],
  ["a version that is none", "of mine", "dispatch down && dispatch up"],
] as const)
  test(`${which} is never asked to make room: two in use would take turns for ever`, async () => {
    const home = await homeWith(of);
    const { stderr, code } = await run(home, ["list"], { env: mayStart });
    expect([code, errorIn(stderr)["hint"]]).toEqual([18, hint]);
    expect(asked(home).map(({ op }) => op)).not.toContain("daemon.stop");
    expect([...daemonsOf(home).keys()].map(isAlive)).toEqual([true]);
  });

for (const [how, args, env] of [
  ["--no-start", ["list", "--no-start"], mayStart],
  ["DISPATCH_NO_START", ["list"], { DISPATCH_NO_START: "1" }],
] as const)
  test(`with ${how} nothing is restarted`, async () => {
    const home = await homeWith("0.0.1");
    const { stderr, code } = await run(home, args, { env });
    expect([code, errorIn(stderr)["hint"]]).toEqual([18, "dispatch down && dispatch up"]);
    expect(asked(home).map(({ op }) => op)).not.toContain("daemon.stop");
    expect(daemonsOf(home).size).toBe(1);
  });

test("one restart a command: where the next daemon disagrees too, that is said", async () => {
  const home = await homeWith("0.0.1");
  const { stderr, code } = await run(home, ["list"], { env: { ...mayStart, FAKE_VERSION: "0.0.2" } });
  expect([code, errorIn(stderr)["code"]]).toEqual([18, "stale"]);
  expect(daemonsOf(home).size).toBe(2);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
