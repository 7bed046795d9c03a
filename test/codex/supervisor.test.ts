import { afterEach, describe, expect, test } from "bun:test";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { DispatchError } from "../../src/base/error.ts";
import { cpuMsOf, identityOf, isAlive } from "../../src/base/identity.ts";
import { limits } from "../../src/base/limits.ts";
import type { Capabilities } from "../../src/codex/capabilities.ts";
import { lacksOf } from "../../src/codex/features.ts";
import { type Supervisor, supervisor } from "../../src/codex/supervisor.ts";
import type { AgentSink } from "../../src/core/model/ports/agent.ts";
import { type HandClock, handClock } from "../support/codex-clock.ts";
import { type FakeCodex, fakeCodex } from "../support/codex-fake.ts";
import { quietLog, recordingSink, until } from "../support/codex-sink.ts";
import { offerWithout } from "./offer.ts";

const endings: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

function stand(how: {
  codex?: FakeCodex;
  clock?: Clock;
  sink?: Partial<AgentSink>;
  env?: Record<string, string>;
  executable?: () => Promise<string>;
  capabilities?: Capabilities;
}) {
  const fake = fakeCodex(how.codex ?? {});
  endings.push(fake.cleanup);
  const sink = recordingSink(how.sink);
  const clock = how.clock ?? systemClock;
  const codex = supervisor({
    sink,
    clock,
    log: quietLog,
    env: { PATH: process.env["PATH"], ...how.env },
    version: "0.0.0",
    taps: new Set(),
    executable: how.executable ?? (async () => fake.path),
    capabilities: how.capabilities ?? (async () => undefined),
    random: () => 1,
  });
  endings.push(async () => {
    // A standing clock would hold the ladder of the close.
    const pid = codex.status().pid;
    if (clock !== systemClock && pid !== null) process.kill(pid, "SIGKILL");
    await codex.close();
  });
  return { codex, sink, fake };
}

const refusal = (call: Promise<unknown>): Promise<DispatchError> =>
  call.then(
    () => Promise.reject(new Error("it was not refused")),
    (thrown: DispatchError) => thrown,
  );

/** Lets time pass for a child that answers its pings. */
async function pass(codex: Supervisor, clock: HandClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= limits.codex.pingEveryMs) {
    await clock.advance(Math.min(left, limits.codex.pingEveryMs));
    // It answers in order: after this the ping is answered too.
    await codex.running().rpc.call("test/echo", {});
  }
}

function kill(pid: number | null): void {
  process.kill(pid!, "SIGKILL");
}

describe("a start", () => {
  test("records the child before it is up, and tells its version and home", async () => {
    const { codex, sink } = stand({});
    expect(codex.status().state).toBe("starting");
    codex.start();
    const life = await codex.ready(10_000);
    expect(sink.order).toEqual(["born", "up"]);
    expect(sink.ups).toEqual([{ epoch: 1, version: "9.8.7", codex_home: "/fake" }]);
    expect(codex.status()).toMatchObject({
      state: "running",
      pid: life.pid,
      epoch: 1,
      version: "9.8.7",
      restarts: 0,
    });
    const [born] = sink.births;
    expect(born).toMatchObject({ pid: life.pid, group: life.pid });
    expect(isAlive(born!)).toBe(true);
  });

  test("gives the child the environment without what belongs to this process alone", async () => {
    const env = {
      KEPT: "1",
      CODEX_HOME: "/h",
      CODEX_THREAD_ID: "t",
      CODEX_SANDBOX: "s",
      CODEX_SANDBOX_NETWORK_DISABLED: "1",
      BUN_X: "b",
    };
    const { codex } = stand({ env });
    codex.start();
    const life = await codex.ready(10_000);
    const answer = (await life.rpc.call("test/env", {})) as { env: Record<string, string>; args: string[] };
    expect(answer.env).toMatchObject({ KEPT: "1", CODEX_HOME: "/h" });
    for (const name of ["CODEX_THREAD_ID", "CODEX_SANDBOX", "CODEX_SANDBOX_NETWORK_DISABLED", "BUN_X"])
      expect(answer.env[name]).toBeUndefined();
    expect(answer.args).toEqual(["app-server", "-c", "thread_unload_delay_secs=2"]);
  });

  test("that fails by a bug of ours is not the last: the child is ended, and the next one started", async () => {
    let asked = 0;
    const { codex, sink } = stand({
      // First something that nobody thought of, then a failure, then a proper answer.
      capabilities: async () => {
        asked++;
        if (asked === 2) throw new TypeError("a bug");
        return asked === 1 ? [undefined as never] : undefined;
      },
    });
    codex.start();
    await until("it runs", () => codex.status().state === "running");
    expect(asked).toBe(2);
    const [first] = sink.births;
    expect(isAlive(first as never)).toBe(false);
    expect(sink.downs).toHaveLength(1);
  });

  test("with nothing to start is degraded, says what was looked for, and gets up once it is there", async () => {
    let path = "/no/such/codex";
    const clock = handClock();
    const good = fakeCodex({});
    endings.push(good.cleanup);
    const { codex, sink } = stand({ clock, executable: async () => path });
    codex.start();
    const error = await refusal(codex.ready(10_000));
    expect(error.code).toBe("agent_down");
    expect(error.data).toEqual({ outcome: "not_sent" });
    expect(error.message).toContain("/no/such/codex");
    expect(codex.status()).toMatchObject({
      state: "degraded",
      pid: null,
      retry_at: clock.now() + limits.codex.backoffFirstMs,
    });
    for (let look = 0; look < 20; look++) await clock.advance(limits.codex.backoffMaxMs);
    expect(codex.status().state).toBe("degraded");
    expect(sink.births).toEqual([]);
    path = good.path;
    await clock.advance(codex.status().retry_at! - clock.now());
    await until("the child is up", () => codex.status().state === "running");
    expect(codex.status().last_error).toBeNull();
  });

  test("of something that ends at once is degraded with its last words, cleaned", async () => {
    const stderr = "\u001b[31mERROR\u001b[0m cannot read the home\n";
    const { codex, sink } = stand({ clock: handClock(), codex: { initialize: 7, stderr } });
    codex.start();
    const error = await refusal(codex.ready(10_000));
    expect(error.message).toBe("codex did not start: codex ended with status 7: ERROR cannot read the home");
    expect(codex.status().state).toBe("degraded");
    expect(sink.order).toEqual(["born", "down"]);
    expect(sink.downs[0]!.reason).toContain("status 7");
  });

  const notes = Array.from({ length: 300 }, (_, at) => `note ${at}\n`).join("");

  test.each<[string, FakeCodex, string]>([
    [
      "before much noise",
      { initialize: 3, stderr: `Error: no home\n${notes}` },
      "3: Error: no home | note 0 | note 1",
    ],
    ["on stdout", { initialize: 3, stdout: "wrapper\nno profile\n" }, "3: wrapper | no profile"],
    ["on stdout, without the end of its line", { initialize: 3, stdout: "fatal: no vm" }, "3: fatal: no vm"],
    ["on stdout as JSON", { initialize: 3, stdout: '{"level":"error"}\n' }, '3: {"level":"error"}'],
    ["with status 0", { initialize: 0, stderr: "log in first\n" }, "0: log in first"],
    ["but a part of a message", { initialize: 3, stdout: '{"method":"thread/clo' }, "3"],
  ])("of something that ends is degraded with its reason: %s", async (_, codex, reason) => {
    const stood = stand({ clock: handClock(), codex });
    stood.codex.start();
    const { message } = await refusal(stood.codex.ready(10_000));
    expect(message).toBe(`codex did not start: codex ended with status ${reason}`);
  });

  test("that is left unanswered says what it printed", async () => {
    const clock = handClock();
    const { codex } = stand({ clock, codex: { initialize: "silent", stdout: "error: no licence\n" } });
    codex.start();
    await until("its line is read", () => codex.status().garbage_lines === 1);
    await clock.advance(limits.codex.startTimeoutMs);
    await until("it is degraded", () => codex.status().state === "degraded");
    expect(codex.status().last_error!.message).toEndWith("within 20 s: error: no licence");
  });

  test("that `initialize` refuses, or leaves unanswered, is ended and degraded", async () => {
    const refusing = stand({ clock: handClock(), codex: { initialize: "refuse" } });
    refusing.codex.start();
    expect((await refusal(refusing.codex.ready(10_000))).message).toContain("codex refused initialize: no");

    const clock = handClock();
    const silent = stand({ clock, codex: { initialize: "silent" } });
    silent.codex.start();
    await until("it is born", () => silent.sink.births.length === 1);
    await clock.advance(limits.codex.startTimeoutMs);
    await until("it is degraded", () => silent.codex.status().state === "degraded");
    expect(silent.codex.status().last_error!.message).toContain("did not answer initialize within 20 s");
    for (const { sink } of [refusing, silent]) {
      expect(sink.order).toEqual(["born", "down"]);
      expect(isAlive(sink.births[0]!)).toBe(false);
    }
  });

  test("that works is waited for, however long its start takes", async () => {
    const clock = handClock();
    const { codex, sink } = stand({ clock, codex: { initialize: "works" } });
    codex.start();
    await until("it is born", () => sink.births.length === 1);
    const { pid } = sink.births[0]!;
    for (let windows = 1; windows <= 2; windows++) {
      await until("it has worked", () => cpuMsOf(pid)! > windows * 1.3 * limits.codex.startWorkMs);
      await clock.advance(limits.codex.startTimeoutMs);
      expect(codex.status().state).toBe("starting");
    }
    process.kill(pid, "SIGUSR2");
    await codex.ready(10_000);
    expect(codex.status()).toMatchObject({ state: "running", restarts: 0 });
    await codex.close();
  });

  test("that computes and prints what nobody can read is ended, and says so", async () => {
    const clock = handClock();
    const { codex, sink } = stand({ clock, codex: { initialize: "babbles" } });
    codex.start();
    await until("it is born", () => sink.births.length === 1);
    const { pid } = sink.births[0]!;
    const hasWorked = () => cpuMsOf(pid)! > 1.3 * limits.codex.startWorkMs;
    await until(
      "it has babbled",
      () => hasWorked() && codex.status().garbage_lines > limits.codex.startGarbageMax,
    );
    await clock.advance(limits.codex.startTimeoutMs);
    await until("it is degraded", () => codex.status().state === "degraded");
    expect(codex.status().last_error!.message).toContain("lines that are not of its protocol");
    expect(isAlive(sink.births[0]!)).toBe(false);
  }, 20_000);

  test("that has not answered yet is shown since when, and is replaced by a retry", async () => {
    const clock = handClock();
    const { codex, sink } = stand({ clock, codex: { initialize: "works" } });
    const from = clock.now();
    codex.start();
    await until("it is born", () => sink.births.length === 1);
    expect(codex.status()).toMatchObject({ state: "starting", starting_since: from });
    codex.retry();
    await until("it is gone", () => sink.downs.length === 1);
    expect(sink.downs[0]!.reason).toBe("it was replaced before it answered initialize");
    await clock.advance(limits.codex.backoffFirstMs);
    await until("another is born", () => sink.births.length === 2);
    expect(isAlive(sink.births[0]!)).toBe(false);
    const { pid } = sink.births[1]!;
    await until("it was asked", () => cpuMsOf(pid)! > limits.codex.startWorkMs);
    process.kill(pid, "SIGUSR2");
    await until("it is up", () => codex.status().state === "running");
    expect(codex.status().starting_since).toBeNull();
  }, 20_000);

  test("whose birth cannot be stored leaves no child behind", async () => {
    const pids: number[] = [];
    const clock = handClock();
    const { codex, sink } = stand({
      clock,
      sink: {
        onSpawn(child) {
          pids.push(child.pid);
          throw new Error("disk full");
        },
      },
    });
    codex.start();
    expect((await refusal(codex.ready(10_000))).message).toBe("disk full");
    await until("it is gone", () => identityOf(pids[0]!) === undefined);
    expect(sink.downs).toEqual([]);
  });

  test("of a Codex without what delivery stands on is degraded as too old, and started no more until it is another", async () => {
    const clock = handClock();
    let lacks = lacksOf(offerWithout("turn/start clientUserMessageId", "thread/revert"));
    const { codex, sink } = stand({ clock, capabilities: async () => lacks });
    codex.start();
    const error = await refusal(codex.ready(10_000));
    expect(error.body).toMatchObject({
      code: "agent_down",
      message: expect.stringMatching(
        /codex 9\.8\.7 cannot deliver each message once.*this dispatch is too old for it.*tested with/,
      ),
      hint: "upgrade dispatch: it is older than this codex",
    });
    for (let look = 0; look < 5; look++) await clock.advance(limits.codex.backoffMaxMs);
    expect(sink.order).toEqual(["born", "down"]);
    expect(isAlive(sink.births[0]!)).toBe(false);
    lacks = [];
    await clock.advance(codex.status().retry_at! - clock.now());
    await until("the newer one is up", () => codex.status().state === "running");
    expect(codex.status()).toMatchObject({ last_error: null, lacks: [] });
  });

  test("of a Codex that lacks something else is up, and says what; of one that tells nothing, nothing is claimed", async () => {
    const { codex } = stand({ capabilities: async () => lacksOf(offerWithout("thread/revert")) });
    codex.start();
    const life = await codex.ready(10_000);
    expect(life.lacks()).toHaveLength(1);
    expect(codex.status().lacks).toEqual(["codex 9.8.7 cannot revert a thread: it has no thread/revert"]);
    const silent = stand({});
    silent.codex.start();
    await silent.codex.ready(10_000);
    expect(silent.codex.status().lacks).toEqual([]);
  });

  test("that the sink will not have stays down until retry", async () => {
    const clock = handClock();
    let home = "another home";
    const { codex, sink } = stand({
      clock,
      sink: {
        onReady() {
          if (home !== "") throw new Error(home);
        },
      },
    });
    codex.start();
    expect((await refusal(codex.ready(10_000))).message).toBe("another home");
    expect(codex.status()).toMatchObject({
      state: "degraded",
      retry_at: null,
      last_error: { message: "another home" },
    });
    await clock.advance(3_600_000);
    expect(sink.births).toHaveLength(1);
    home = "";
    codex.retry();
    await codex.ready(10_000);
    expect(sink.order).toEqual(["born", "up", "down", "born", "up"]);
  });
});

describe("a crash", () => {
  test("ends the epoch, fails what was in flight as unknown, and a new one follows", async () => {
    const { codex, sink } = stand({ codex: { stderr: "Error: of earlier\n" } });
    codex.start();
    const life = await codex.ready(10_000);
    const inFlight = refusal(life.rpc.call("test/silent", {}));
    kill(codex.status().pid);
    expect((await inFlight).body).toMatchObject({
      code: "agent_down",
      message: "codex was killed by SIGKILL",
      data: { outcome: "unknown" },
    });
    expect(sink.downs).toEqual([{ epoch: 1, reason: "codex was killed by SIGKILL" }]);
    expect(codex.status().state).toBe("starting");
    expect((await refusal((async () => codex.running())())).data).toEqual({ outcome: "not_sent" });
    const next = await codex.ready(10_000);
    expect(next.epoch).toBe(2);
    expect(codex.status()).toMatchObject({ state: "running", restarts: 1 });
    expect(sink.order).toEqual(["born", "up", "down", "born", "up"]);
  });

  test("what it wrote with its last breath is heard before its end", async () => {
    const { codex, sink } = stand({});
    codex.start();
    const life = await codex.ready(10_000);
    const lines = Array.from({ length: 2000 }, (_, at) =>
      JSON.stringify({ method: "thread/closed", params: { threadId: String(at) } }),
    );
    await Promise.all([
      life.rpc.call("test/lines", { lines: [...lines, "ANSWER", "Error: no memory"] }).catch(() => {}),
      life.rpc.call("test/exit", { code: 5 }).catch(() => {}),
    ]);
    await until("it is down", () => sink.downs.length === 1);
    expect(sink.events()).toHaveLength(2000);
    expect(sink.order.lastIndexOf("batch")).toBeLessThan(sink.order.indexOf("down"));
    expect(sink.downs[0]!.reason).toBe("codex ended with status 5: Error: no memory");
  });

  test("is followed by pauses that double, and the fifth in a row opens the circuit", async () => {
    const clock = handClock();
    const { codex, sink } = stand({ clock });
    codex.start();
    for (const [crash, pauseMs] of [500, 1000, 2000, 4000].entries()) {
      await codex.ready(10_000);
      kill(codex.status().pid);
      await until("it is down", () => sink.downs.length === crash + 1);
      await until("it pauses", () => codex.status().retry_at !== null);
      expect(codex.status()).toMatchObject({ state: "starting", retry_at: clock.now() + pauseMs });
      await clock.advance(pauseMs);
    }
    await codex.ready(10_000);
    kill(codex.status().pid);
    await until("the circuit is open", () => codex.status().state === "degraded");
    expect(codex.status()).toMatchObject({
      retry_at: clock.now() + limits.codex.circuitOpenMs,
      last_error: { message: "codex was killed by SIGKILL" },
    });
    expect((await refusal(codex.ready(10_000))).code).toBe("agent_down");
    expect(sink.births).toHaveLength(5);
    codex.retry();
    await codex.ready(10_000);
    expect(sink.births).toHaveLength(6);
  });

  test("that is the fault of one thread, held now, opens no circuit", async () => {
    const clock = handClock();
    const { codex, sink } = stand({ clock, sink: { onExit: () => true } });
    codex.start();
    for (let crash = 1; crash <= limits.codex.crashesMax + 1; crash++) {
      await codex.ready(10_000);
      kill(codex.status().pid);
      await until("it is down", () => sink.downs.length === crash && codex.status().retry_at !== null);
      expect(codex.status()).toMatchObject({
        state: "starting",
        retry_at: clock.now() + limits.codex.backoffFirstMs,
      });
      await clock.advance(limits.codex.backoffFirstMs);
    }
  });

  test("long after the last one is a first one again", async () => {
    const clock = handClock();
    const { codex, sink } = stand({ clock });
    codex.start();
    for (let crash = 1; crash <= 6; crash++) {
      await codex.ready(10_000);
      await pass(codex, clock, limits.codex.crashesWindowMs / 2 + 1);
      kill(codex.status().pid);
      await until("it is down", () => sink.downs.length === crash && codex.status().retry_at !== null);
      expect(codex.status().state).toBe("starting");
      await clock.advance(1000);
    }
  });
});

describe("pings", () => {
  test("three without an answer kill the child; two do not", async () => {
    const clock = handClock();
    const { codex, sink } = stand({ clock, codex: { ping: "silent" } });
    codex.start();
    const { pid } = await codex.ready(10_000);
    const oneMiss = limits.codex.pingEveryMs + limits.codex.pingTimeoutMs;
    await clock.advance(2 * oneMiss);
    expect(sink.downs).toEqual([]);
    expect(identityOf(pid)).toBeDefined();
    await clock.advance(oneMiss);
    await until("it is down", () => sink.downs.length === 1);
    expect(sink.downs[0]!.reason).toBe("codex stopped answering: 3 pings in a row");
  });

  test("answered ones keep it, however long nothing else is said", async () => {
    const clock = handClock();
    const { codex, sink } = stand({ clock });
    codex.start();
    await codex.ready(10_000);
    await pass(codex, clock, 20 * limits.codex.pingEveryMs);
    expect(sink.downs).toEqual([]);
  });

  test("a child that is stopped and ignores TERM is killed all the same", async () => {
    const clock = handClock();
    const { codex, sink } = stand({ clock, codex: { stubborn: true } });
    codex.start();
    const { pid } = await codex.ready(10_000);
    process.kill(pid, "SIGSTOP");
    await clock.advance(
      3 * (limits.codex.pingEveryMs + limits.codex.pingTimeoutMs) + limits.process.termGraceMs,
    );
    await until("it is down", () => sink.downs.length === 1);
    expect(identityOf(pid)).toBeUndefined();
  });
});

describe("close", () => {
  test("lets the child leave by itself and stays stopped", async () => {
    const { codex, sink } = stand({ codex: { stderr: "Error: of earlier\n" } });
    codex.start();
    await codex.ready(10_000);
    await codex.close();
    expect(sink.downs).toEqual([{ epoch: 1, reason: "codex ended with status 0" }]);
    expect(codex.status()).toMatchObject({ state: "stopped", pid: null, epoch: null });
    expect((await refusal(codex.ready(1000))).code).toBe("agent_down");
    await codex.close();
  });

  test("kills a child that will not go", async () => {
    const { codex, sink } = stand({ codex: { stubborn: true } });
    codex.start();
    await codex.ready(10_000);
    await codex.close();
    expect(sink.downs).toEqual([{ epoch: 1, reason: "codex was killed by SIGKILL" }]);
  }, 10_000);

  test("ends a child that is still starting, and a pause", async () => {
    const starting = stand({ codex: { initialize: "silent" } });
    starting.codex.start();
    await until("it is born", () => starting.sink.births.length === 1);
    await starting.codex.close();
    expect(isAlive(starting.sink.births[0]!)).toBe(false);

    const pausing = stand({ clock: handClock(), executable: async () => "/no/such/codex" });
    pausing.codex.start();
    await until("it pauses", () => pausing.codex.status().retry_at !== null);
    await pausing.codex.close();
    expect(pausing.codex.status().state).toBe("stopped");
  });

  test("before any start is no error", async () => {
    const { codex } = stand({});
    await codex.close();
    expect(codex.status().state).toBe("stopped");
  });
});

test("what codex finds wrong with its configuration is in the status, once", async () => {
  const warning = JSON.stringify({ method: "configWarning", params: { summary: "Invalid configuration." } });
  const { codex } = stand({ codex: { lines: [warning, warning, "garbage"] } });
  codex.start();
  await codex.ready(10_000);
  await until("the lines were read", () => codex.status().garbage_lines === 1);
  expect(codex.status().warnings).toEqual(["Invalid configuration."]);
  expect(codex.status().state).toBe("running");
});

test("what must be ended before a start and lives keeps Codex down, says so, and is tried again", async () => {
  const fake = fakeCodex({});
  endings.push(fake.cleanup);
  const lives = new DispatchError("agent_down", "an earlier Codex could not be ended", {
    hint: "kill -KILL 7",
  });
  let isGone = false;
  let tries = 0;
  const executable = async () => {
    tries++;
    if (!isGone) throw lives;
    return fake.path;
  };
  const { codex, sink } = stand({ executable });
  codex.start();
  await until("it was tried again", () => tries === 2);
  await until("it says why", () => codex.status().state === "degraded");
  expect(codex.status().last_error).toEqual({ message: lives.message, hint: "kill -KILL 7" });
  expect(sink.births).toEqual([]);
  isGone = true;
  await until("it runs", () => codex.status().state === "running");
  expect(sink.births).toHaveLength(1);
});
