import { afterEach, expect, test } from "bun:test";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { connect } from "../../src/surface/client.ts";
import { daemonsOf, newHome, onTerminal, run, socketIn } from "./support/run.ts";

const homes: string[] = [];
afterEach(() => {
  for (const home of homes.splice(0))
    for (const pid of daemonsOf(home).keys()) if (isAlive(pid)) process.kill(pid, "SIGKILL");
});

function fresh(): string {
  const home = newHome();
  mkdirSync(join(home, "pids"));
  homes.push(home);
  return home;
}

const mayStart = { DISPATCH_NO_START: "" };
const errorIn = (stderr: string) => (JSON.parse(stderr) as { error: Record<string, unknown> }).error;

test("a command starts the daemon it needs, and the next one finds it", async () => {
  const home = fresh();
  expect((await run(home, ["list"], { env: mayStart })).code).toBe(0);
  expect((await run(home, ["list"], { env: mayStart })).code).toBe(0);
  expect(daemonsOf(home).size).toBe(1);
});

test("twelve commands at once start one daemon, and all succeed", async () => {
  const home = fresh();
  const outcomes = await Promise.all(
    Array.from({ length: 12 }, () => run(home, ["list"], { env: mayStart })),
  );
  expect(outcomes.map(({ code, stderr }) => [code, stderr])).toEqual(outcomes.map(() => [0, ""]));
  expect(daemonsOf(home).size).toBe(1);
}, 20_000);

test("up says whether it started one", async () => {
  const home = fresh();
  expect(JSON.parse((await run(home, ["up"])).stdout)).toEqual({ status: "started" });
  expect(JSON.parse((await run(home, ["up"])).stdout)).toEqual({ status: "already_running" });
});

test("up on a daemon that opens its socket and then dies says what the daemon said", async () => {
  for (let time = 0; time < 5; time++) {
    const { code, stderr } = await run(fresh(), ["up"], { env: { FAKE_DIES: "1" } });
    expect([code, errorIn(stderr)["message"]]).toEqual([16, "no room"]);
  }
});

test("ten up at once on such a daemon all say what it said", async () => {
  const home = fresh();
  const outcomes = await Promise.all(
    Array.from({ length: 10 }, () => run(home, ["up"], { env: { FAKE_DIES: "1" } })),
  );
  expect(outcomes.map(({ code, stderr }) => [code, errorIn(stderr)["message"]])).toEqual(
    outcomes.map(() => [16, "no room"]),
  );
}, 20_000);

test("the daemon inherits neither who called nor a secret nor what would change Bun, and its paths are absolute", async () => {
  const home = fresh();
  const env = {
    ...mayStart,
    CODEX_THREAD_ID: "t",
    CODEX_HOME: "/codex",
    BUN_WHATEVER: "1",
    SECRET: "x",
    FAKE_KEY: "passed",
  };
  await run(home, ["list", "--home", "."], { env: { ...env, DISPATCH_HOME: "/nowhere" } });
  const [seen] = [...daemonsOf(home).values()];
  expect(seen).toMatchObject({ DISPATCH_HOME: home, CODEX_HOME: "/codex", FAKE_KEY: "passed", PWD: home });
  expect(seen?.["DISPATCH_STARTED_BY"]).toMatch(/^dispatch list \(pid \d+\) under \S+ \(pid \d+\)$/);
  expect(Object.keys(seen ?? {}).filter((name) => /^(BUN_.*|CODEX_THREAD_ID|SECRET)$/.test(name))).toEqual(
    [],
  );
});

for (const [how, args, env] of [
  ["--no-start", ["list", "--no-start"], mayStart],
  ["DISPATCH_NO_START", ["list"], { DISPATCH_NO_START: "1" }],
  ["an op that never starts one", ["daemon", "status"], mayStart],
] as const) {
  test(`${how}: no daemon is started, exit 10, and up is the way`, async () => {
    const home = fresh();
    const { stderr, code } = await run(home, args, { env });
    expect([code, errorIn(stderr)["hint"], errorIn(stderr)["retry"]]).toEqual([10, "dispatch up", "later"]);
    expect(daemonsOf(home).size).toBe(0);
  });
}

test("after down nothing starts a daemon until up", async () => {
  const home = fresh();
  await run(home, ["hold"]);
  const { stderr, code } = await run(home, ["list"], { env: mayStart });
  expect([code, errorIn(stderr)["message"]]).toEqual([10, "the daemon was stopped"]);
  expect((await run(home, ["up"])).code).toBe(0);
  expect((await run(home, ["list"], { env: mayStart })).code).toBe(0);
});

for (const variable of ["CODEX_SANDBOX", "CODEX_SANDBOX_NETWORK_DISABLED"]) {
  test(`with ${variable} a client says it is sandboxed, starts nothing and removes nothing`, async () => {
    const home = fresh();
    await Bun.write(socketIn(home), "");
    for (const command of ["list", "up"]) {
      const { stderr, code } = await run(home, [command], { env: { ...mayStart, [variable]: "1" } });
      expect([code, errorIn(stderr)["code"]]).toEqual([17, "denied"]);
      expect(errorIn(stderr)["message"]).toContain(
        "use the dispatch MCP tools or ask to run outside the sandbox",
      );
    }
    expect(existsSync(socketIn(home))).toBe(true);
    expect(daemonsOf(home).size).toBe(0);
  });
}

test("why a daemon could not start is what its client says", async () => {
  const { stderr, code } = await run(fresh(), ["list"], { env: { ...mayStart, FAKE_REFUSES: "1" } });
  expect([code, errorIn(stderr)["message"]]).toEqual([16, "no room"]);
});

test("a stale socket does not keep a daemon from being started", async () => {
  const home = fresh();
  await run(home, ["up"]);
  const [pid] = [...daemonsOf(home).keys()];
  process.kill(pid!, "SIGKILL");
  while (await connect(socketIn(home))) await Bun.sleep(2);
  expect(existsSync(socketIn(home))).toBe(true);
  expect(await run(home, ["up"])).toMatchObject({ stdout: '{\n  "status": "started"\n}\n', stderr: "" });
});

test("a person is told that a daemon is started, and not with --quiet", async () => {
  const loud = onTerminal(fresh(), ["list"], { env: { ...mayStart, NO_COLOR: "1" } });
  await loud.code;
  expect(loud.shown()).toStartWith("starting the daemon\r\nabc123");
  const quiet = onTerminal(fresh(), ["list", "--quiet"], { env: { ...mayStart, NO_COLOR: "1" } });
  await quiet.code;
  expect(quiet.shown()).toStartWith("abc123");
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
