/** Codex dies, is missing, is broken or is another: what is told, and what still works. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../daemon/rig.ts";
import { dispatchRig, type Json, type Rig } from "../support/dispatch.ts";
import { stringify } from "../support/provider-script.ts";

setDefaultTimeout(60_000);

describe("Codex is killed", () => {
  let rig: Rig;

  beforeAll(() => {
    rig = dispatchRig();
  });
  afterAll(() => rig.dispose());

  async function kill(): Promise<void> {
    // So that the crashes of these tests do not add up to an open circuit.
    await rig.ask(["daemon", "retry"]);
    const { child } = await rig.pids();
    process.kill(child!, "SIGKILL");
    await until(async () => {
      const { child: now } = await rig.ask(["daemon", "status"]);
      return now.state === "running" && now.pid !== child;
    }, "a new child");
  }

  async function killDaemon(): Promise<void> {
    const { daemon } = await rig.pids();
    process.kill(daemon!, "SIGKILL");
    await rig.ask(["up"]);
  }

  test("in a turn: the turn is interrupted, wait ends with 8, and the thread takes work again", async () => {
    const thread = await rig.thread("cut", "hello");
    const text = stringify([{ say: "half" }, { shell: "sleep 100" }]);
    const { receipt } = await rig.ask(["send", thread.ref, text]);
    const following = rig.stream(["watch", thread.ref, "--follow"]);
    const waiting = rig.run(["wait", receipt, "--timeout", "40"]);
    // A turn without anything in its history cut no work, and holds nothing.
    await until(async () => (await rig.ask(["get", thread.ref])).last_message?.text === "half", "its words");
    await kill();
    expect((await waiting).code).toBe(8);
    expect((await rig.run(["wait", thread.ref, "--timeout", "40"])).code).toBe(8);
    await following.row("turn.interrupted", (row) => row.kind === "turn.interrupted");
    following.signal("SIGINT");
    expect(await following.ended()).toMatchObject({ code: 0 });
    expect(await rig.ask(["get", thread.ref])).toMatchObject({
      latest_turn: { status: "interrupted" },
      queue: { reason: "crashed" },
    });
    expect(await rig.ask(["receipt", "get", receipt])).toMatchObject({
      state: "done",
      outcome: "interrupted",
    });
    expect(await rig.ask(["send", thread.ref, "again", "--wait"])).toMatchObject({
      verdict: "ok",
      last_message: "ok: again",
      held: null,
    });
    const { items } = await rig.ask(["tail", thread.ref]);
    expect(items.filter((item: Json) => item["text"] === text)).toHaveLength(1);
  });

  test("under a sub-agent, alone or with its daemon: the cut is told, wait ends with 8, and subscriptions fire", async () => {
    const { ref: boss } = await rig.thread("boss", "hello");
    for (const [name, end] of [
      ["parent of a child", kill],
      ["parent of another child", killDaemon],
    ] as const) {
      const spawn = { message: stringify([{ wait: name }, { say: "child over" }]) };
      const text = stringify([
        { tool: "spawn_agent", namespace: "multi_agent_v1", arguments: spawn },
        { say: "spawned" },
      ]);
      const { ref } = await rig.ask(["new", "--name", name, "--text", text]);
      await rig.provider.reached(name);
      await rig.ask(["wait", ref, "--for", "idle", "--timeout", "20"]);
      for (const when of ["done", "attention"])
        await rig.ask(["subscribe", ref, "--to", boss, "--when", when]);
      await end();
      expect((await rig.run(["wait", ref, "--timeout", "20"])).code).toBe(8);
      expect(await rig.ask(["get", ref])).toMatchObject({
        agents: [],
        latest_turn: { status: "completed", error: { message: "a sub-agent was cut, because Codex ended" } },
        queue: { reason: "crashed" },
      });
      await until(async () => {
        const { subscriptions } = await rig.ask(["subscription", "list"]);
        const ours = subscriptions.filter((one: Json) => (one["of"] as string[]).includes(ref));
        return ours.length === 2 && ours.every((one: Json) => one["fired"] === 1);
      }, "both subscriptions fired");
    }
  });

  test("with a question open: the question expires, and cannot be answered any more", async () => {
    const careful = ["--sandbox", "read-only", "--approval-policy", "on-request"];
    const script = stringify([{ shell: "true", escalate: "why not" }]);
    const { ref } = await rig.ask(["new", "--name", "asks", ...careful, "--text", script]);
    const { threads } = await rig.ask(["wait", ref, "--for", "waiting", "--timeout", "20"]);
    const request = threads[0].requests[0].id;
    await kill();
    await until(async () => (await rig.ask(["request", "get", request])).state === "expired", "expired");
    expect((await rig.refused(["request", "answer", request, "--approve"])).code).toBe("conflict");
    expect((await rig.ask(["request", "list"])).requests).toEqual([]);
  });

  test("what a thread may do survives it: sandbox, approvals, instructions, as the model is told", async () => {
    const settings = ["--sandbox", "read-only", "--approval-policy", "on-request"];
    const ours = [
      "--developer-instructions",
      "our own developer words",
      "--base-instructions",
      "our own base words",
    ];
    const { ref } = await rig.ask(["new", "--name", "kept", ...settings, ...ours]);
    const told = async (text: string) => {
      await rig.ask(["send", ref, text, "--wait"]);
      const body = rig.provider.requests.at(-1)!.body;
      const words = JSON.stringify(body.input);
      return {
        base: JSON.stringify([body.instructions, body.input]).includes("our own base words"),
        developer: words.includes("our own developer words"),
        readOnly: words.includes("`sandbox_mode` is `read-only`"),
      };
    };
    const rights = async () => {
      const { sandbox, approval_policy, model, cwd } = await rig.ask(["get", ref]);
      return { sandbox, approval_policy, model, cwd };
    };
    const before = await told("first");
    expect(before).toEqual({ base: true, developer: true, readOnly: true });
    const had = await rights();
    expect(had).toMatchObject({ sandbox: "read-only", approval_policy: "on-request" });
    await kill();
    expect(await told("second")).toEqual(before);
    expect(await rights()).toEqual(had);
    const touch = stringify([{ shell: "touch raised" }, { say: "tried" }]);
    await rig.ask(["send", ref, touch, "--wait"]);
    expect(await Bun.file(join(rig.codex.cwd, "raised")).exists()).toBe(false);
  });

  test("at the answer to the first message: said once all the same, with the rights it began with", async () => {
    const settings = ["--sandbox", "read-only", "--approval-policy", "on-request"];
    const { ref } = await rig.ask(["new", "--name", "early", ...settings]);
    await rig.ask(["daemon", "retry"]);
    const { child } = await rig.pids();
    const sent = await rig.ask(["send", ref, stringify([{ wait: "early" }])]);
    process.kill(child!, "SIGKILL");
    rig.provider.release("early");
    await rig.run(["wait", sent.receipt, "--timeout", "40"]);
    const { state, outcome } = await rig.ask(["receipt", "get", sent.receipt]);
    expect(state).toBe("done");
    expect(["completed", "interrupted"]).toContain(outcome);
    const { items } = await rig.ask(["tail", ref]);
    expect(items.filter((item: Json) => item["type"] === "user_message")).toHaveLength(1);
    expect(await rig.ask(["get", ref])).toMatchObject({
      sandbox: "read-only",
      approval_policy: "on-request",
    });
  });

  test("five times: the circuit opens, reads go on, and daemon retry closes it", async () => {
    await rig.ask(["daemon", "retry"]);
    for (let kills = 0; kills < 10 && !(await isCircuitOpen()); kills++) {
      await until(async () => (await isRunning()) || (await isCircuitOpen()), "a new child, or none", 30_000);
      const { child } = await rig.pids();
      if (child === null) continue;
      process.kill(child, "SIGKILL");
      await until(async () => (await rig.pids()).child !== child, "its end");
    }
    expect(await isCircuitOpen()).toBe(true);
    expect((await rig.ask(["list"])).threads.length).toBeGreaterThan(0);
    expect(await rig.refused(["send", "@kept", "now?"])).toMatchObject({ code: "agent_down" });
    await rig.ask(["daemon", "retry"]);
    await until(isRunning, "a new child");
    expect(await rig.ask(["send", "@kept", "and now?", "--wait"])).toMatchObject({ verdict: "ok" });
  });

  const isRunning = async () => (await rig.ask(["daemon", "status"])).child.state === "running";
  /** The next try is minutes away. */
  const isCircuitOpen = async () => {
    const { child } = await rig.ask(["daemon", "status"]);
    return child.state === "degraded" && Date.parse(child.retry_at) - Date.now() > 60_000;
  };
});

describe("Codex is", () => {
  let rig: Rig;

  beforeAll(async () => {
    rig = dispatchRig();
    await rig.thread("docs", "hello");
  });
  afterAll(() => rig.dispose());

  async function restart(env: Record<string, string>): Promise<void> {
    await rig.ask(["down"]);
    await rig.ask(["up"], { env });
  }

  const status = () => rig.ask(["daemon", "status"]);
  const degraded = () => until(async () => (await status()).degraded[0], "degraded");

  test("missing: reads work, writes say agent_down, and nothing is stored", async () => {
    const env = { DISPATCH_CODEX: "/no/such/codex" };
    await restart(env);
    expect(await degraded()).toMatchObject({
      code: "agent_down",
      message: expect.stringContaining("/no/such/codex"),
      hint: expect.stringContaining("DISPATCH_CODEX"),
    });
    expect((await rig.ask(["list"])).threads).toHaveLength(1);
    expect(await rig.ask(["get", "@docs"])).toMatchObject({ title: "docs", confidence: "stale" });
    expect((await rig.ask(["events"])).events.length).toBeGreaterThan(0);
    expect(await rig.refused(["send", "@docs", "hi"])).toMatchObject({ code: "agent_down", retry: "later" });
    expect((await rig.refused(["new", "--name", "later", "--text", "hi"])).code).toBe("agent_down");
    expect((await rig.refused(["tail", "@docs"])).code).toBe("agent_down");
    expect((await rig.ask(["list"])).threads).toHaveLength(1);
    expect((await status()).queue).toEqual({ queued: 0, unsure: 0 });
    const doctor = await rig.run(["doctor"], { env });
    expect(doctor.code).toBe(8);
    expect(failing(doctor.json)).toEqual(["codex", "app_server"]);
  });

  test("back: the same thread takes work", async () => {
    await restart({});
    expect(await rig.ask(["send", "@docs", "back?", "--wait"])).toMatchObject({ last_message: "ok: back?" });
  });

  test("broken in its own configuration: new says so, and doctor finds it by trying", async () => {
    const broken = join(rig.codex.cwd, "broken");
    mkdirSync(broken);
    writeFileSync(join(broken, "config.toml"), "model = \n");
    const env = { CODEX_HOME: broken, DISPATCH_HOME: join(rig.home, "for-broken") };
    const error = await rig.refused(["new", "--name", "doomed", "--text", "hi"], { env });
    expect(error.code).toMatch(/^agent/);
    expect(error.message).toContain("config");
    const doctor = await rig.run(["doctor"], { env });
    expect(doctor.code).toBe(8);
    expect(failing(doctor.json)).toEqual(["app_server"]);
    await rig.ask(["down", "--force"], { env });
  });

  test("another one, with a home that is not the registry's: told with both, and no thread is judged by it", async () => {
    const other = `${rig.codex.home}-other`;
    cpSync(join(rig.codex.home, "config.toml"), join(other, "config.toml"));
    await restart({ CODEX_HOME: other });
    const { message } = await degraded();
    expect(message).toContain(other);
    expect(message).toContain(rig.codex.home);
    expect(await rig.ask(["get", "@docs"])).toMatchObject({ status: "idle", confidence: "stale" });
    const error = await rig.refused(["send", "@docs", "hi"]);
    expect(error).toMatchObject({ code: "agent_down", message: expect.stringContaining(other) });
    await restart({});
    expect(await rig.ask(["send", "@docs", "home again", "--wait"])).toMatchObject({ verdict: "ok" });
  });
});

function failing({ checks }: { checks: { name: string; status: string }[] }): string[] {
  return checks.filter((check) => check.status === "fail").map((check) => check.name);
}
