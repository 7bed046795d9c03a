import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import type { DispatchError } from "../../src/base/error.ts";
import { isGroupAlive } from "../../src/base/identity.ts";
import { type CodexAgent, codexAgent } from "../../src/codex/agent.ts";
import { smoke } from "../../src/codex/smoke.ts";
import type { AgentEvent } from "../../src/core/model/ports/agentevent.ts";
import type { RequestFacts } from "../../src/core/model/ports/request.ts";
import type { ItemFacts, ThreadSettings } from "../../src/core/model/ports/thread.ts";
import { type CodexHome, codexExecutable, codexHome } from "../support/codex.ts";
import { quietLog, type RecordingSink, recordingSink, until } from "../support/codex-sink.ts";
import { type Provider, startProvider } from "../support/provider.ts";
import { type Step, stringify } from "../support/provider-script.ts";

let provider: Provider;
let home: CodexHome;
let sink: RecordingSink;
let codex: CodexAgent;

beforeAll(async () => {
  provider = startProvider();
  home = codexHome(provider.url);
  sink = recordingSink();
  codex = codexAgent({
    sink,
    clock: systemClock,
    log: quietLog,
    env: home.env,
    version: "0.0.0",
    executable: async () => codexExecutable(),
    random: () => 0,
  });
  codex.start();
  await codex.ready(20_000);
}, 30_000);

afterAll(async () => {
  await codex.close();
  await provider.stop();
  home.cleanup();
}, 30_000);

let named = 0;
async function thread(settings: Partial<ThreadSettings> = {}): Promise<string> {
  const opened = await codex.startThread({ cwd: home.cwd, ...settings });
  await codex.nameThread(opened.thread.id, `thread ${++named}`);
  return opened.thread.id;
}

const say = (thread_id: string, script: Step[] | string, client_id: string = crypto.randomUUID()) =>
  codex.startTurn({ thread_id, text: typeof script === "string" ? script : stringify(script), client_id });

function of<K extends AgentEvent["kind"]>(thread_id: string, kind: K): Extract<AgentEvent, { kind: K }>[] {
  return sink
    .events()
    .filter(
      (event): event is Extract<AgentEvent, { kind: K }> =>
        event.kind === kind && "thread_id" in event && event.thread_id === thread_id,
    );
}

async function ended(thread_id: string, turn_id: string) {
  const find = () => of(thread_id, "turn_completed").find((event) => event.turn.id === turn_id);
  await until(`the end of turn ${turn_id}`, () => find() !== undefined);
  return find()!.turn;
}

async function asked(thread_id: string): Promise<RequestFacts> {
  const find = () =>
    sink
      .events()
      .findLast((event) => event.kind === "request_opened" && event.request.thread_id === thread_id);
  await until("a request", () => find() !== undefined);
  return (find() as Extract<AgentEvent, { kind: "request_opened" }>).request;
}

async function refusal(call: Promise<unknown>): Promise<DispatchError> {
  return call.then(
    () => Promise.reject(new Error("it was not refused")),
    (thrown: DispatchError) => thrown,
  );
}

async function crash(): Promise<void> {
  // So that the crashes of these tests do not add up to an open circuit.
  codex.retry();
  const { epoch, pid } = codex.status();
  process.kill(pid!, "SIGKILL");
  await until("the child is down", () => sink.downs.some((down) => down.epoch === epoch));
  await codex.ready(20_000);
}

const lastRequest = () => provider.requests.at(-1)!.body;
const texts = (items: ItemFacts[]) => items.map((item) => `${item.type}: ${item.text}`);

describe("a turn", () => {
  test("is told in order: active, started, our message with its id, the answer, idle, completed", async () => {
    const id = await thread();
    const { turn_id, joined } = await say(id, [{ say: "hello there" }], "our-id");
    expect(joined).toBe(false);
    const turn = await ended(id, turn_id);
    expect(turn).toMatchObject({ status: "completed", error: null });
    const kinds = sink
      .events()
      .filter((event) => "thread_id" in event && event.thread_id === id)
      .map((event) => (event.kind === "thread_status" ? event.status : event.kind))
      .filter((kind) => !["tokens", "thread_renamed", "warned"].includes(kind));
    expect(kinds).toEqual([
      "active",
      "turn_started",
      "item_completed",
      "item_completed",
      "idle",
      "turn_completed",
    ]);
    const items = of(id, "item_completed").map((event) => event.item);
    expect(items.map((item) => item.type)).toEqual(["user_message", "agent_message"]);
    expect(items[0]).toMatchObject({ client_id: "our-id", text: stringify([{ say: "hello there" }]) });
    expect(items[1]!.text).toBe("hello there");
    expect(of(id, "tokens").at(-1)!.total).toMatchObject({ input: 1000, output: 20, total: 1020 });
  });

  test("a plain text gets a plain answer from the provider", async () => {
    const id = await thread();
    await ended(id, (await say(id, "good morning")).turn_id);
    expect(texts((await codex.listTurns(id, { cursor: null, limit: 1 })).turns[0]!.items)).toEqual([
      "user_message: good morning",
      "agent_message: ok: good morning",
    ]);
  });

  test("goes over several model requests when it runs commands", async () => {
    const id = await thread();
    const script: Step[] = [
      { reason: "hm" },
      { shell: "echo one; exit 3" },
      { say: "half" },
      { shell: "pwd" },
    ];
    await ended(id, (await say(id, script)).turn_id);
    const [, reasoning, first, half, second, last] = of(id, "item_completed").map((event) => event.item);
    expect(reasoning).toMatchObject({ type: "reasoning", text: "hm" });
    expect(first).toMatchObject({ type: "command", text: "one\n", exit_code: 3, status: "failed" });
    expect(half).toMatchObject({ type: "agent_message", text: "half" });
    expect(second).toMatchObject({
      type: "command",
      text: `${home.cwd}\n`,
      exit_code: 0,
      status: "completed",
    });
    expect(last).toMatchObject({ type: "agent_message", text: "done" });
  });

  test("a failed one says why in one word", async () => {
    const id = await thread();
    const turn = await ended(
      id,
      (await say(id, [{ status: 500, body: { error: { message: "boom" } } }])).turn_id,
    );
    expect(turn).toMatchObject({ status: "failed", error: { kind: "internalServerError" } });
    expect(of(id, "thread_status").map((event) => event.status)).toContain("system_error");
  });

  test("is interrupted; stopping it again, or steering nothing, is refused by its reason", async () => {
    const id = await thread();
    const { turn_id } = await say(id, [{ say: "a" }, { wait: "never" }]);
    await provider.reached("never");
    await codex.interruptTurn(id, turn_id);
    expect((await ended(id, turn_id)).status).toBe("interrupted");
    await codex.cleanBackground(id);
    expect((await refusal(codex.interruptTurn(id, turn_id))).data!["reason"]).toBe("no_active_turn");
    const steer = codex.steerTurn({ thread_id: id, turn_id, text: "x", client_id: "c" });
    expect((await refusal(steer)).data!["reason"]).toBe("no_active_turn");
  });

  test("takes a steer, and a start into it is known to have joined it", async () => {
    const id = await thread();
    const { turn_id } = await say(id, [{ wait: "steered" }]);
    await until("the turn is started", () => of(id, "turn_started").length === 1);
    const wrong = codex.steerTurn({ thread_id: id, turn_id: crypto.randomUUID(), text: "x", client_id: "c" });
    expect((await refusal(wrong)).data!["reason"]).toBe("turn_mismatch");
    await codex.steerTurn({
      thread_id: id,
      turn_id,
      text: stringify([{ wait: "steered" }]),
      client_id: "steer",
    });
    expect(await say(id, "the last", "start")).toEqual({ turn_id, joined: true });
    provider.release("steered");
    await ended(id, turn_id);
    const clients = of(id, "item_completed").flatMap((event) => event.item.client_id ?? []);
    expect(clients.slice(1)).toEqual(["steer", "start"]);
  });

  test("is streamed to a tap while it runs, and only then", async () => {
    const id = await thread();
    const heard: string[] = [];
    const stop = codex.tap(({ method, thread_id, line }) => {
      const params = line["params"] as { delta?: string };
      if (thread_id === id && method === "item/agentMessage/delta") heard.push(params.delta ?? "");
    });
    await ended(id, (await say(id, [{ say: "one two three" }])).turn_id);
    stop();
    await ended(id, (await say(id, [{ say: "four" }])).turn_id);
    expect(heard.join("")).toBe("one two three");
    expect(heard.length).toBeGreaterThan(1);
  });

  test("knows a text by its bytes: what is ill-formed never leaves, what is odd comes back as it went", async () => {
    const id = await thread();
    expect((await refusal(say(id, "a\ud800b"))).code).toBe("usage");
    expect((await refusal(say(id, "x".repeat(1_048_577)))).data!["reason"]).toBe("too_large");
    const odd = "a\r\n\0\ufeffe\u0301 \u001b[31m 🙂 <b>";
    await ended(id, (await say(id, odd)).turn_id);
    expect(of(id, "item_completed")[0]!.item.text).toBe(odd);
  });
});

describe("a request", () => {
  const settings = { sandbox: "read-only", approval_policy: "on-request" } as const;

  test("of a command waits for our answer, runs on accept, and is resolved", async () => {
    const id = await thread(settings);
    const marker = join(home.cwd, "accepted");
    const script: Step[] = [{ shell: `touch ${marker}`, escalate: "Need to write" }, { say: "written" }];
    const { turn_id } = await say(id, script);
    const request = await asked(id);
    expect(request).toMatchObject({
      kind: "command_approval",
      turn_id,
      asks: { reason: "Need to write" },
      cwd: home.cwd,
    });
    expect(request.command).toContain("touch");
    expect(of(id, "thread_status").at(-1)!.flags).toEqual(["waitingOnApproval"]);
    expect(existsSync(marker)).toBe(false);
    await codex.reply(codex.status().epoch!, { rpc_id: request.rpc_id, result: { decision: "accept" } });
    await ended(id, turn_id);
    expect(existsSync(marker)).toBe(true);
    expect(of(id, "request_resolved").map((event) => event.rpc_id)).toEqual([request.rpc_id]);
  });

  test("that is declined leaves the command undone and the turn running on", async () => {
    const id = await thread(settings);
    const { turn_id } = await say(id, [{ shell: "touch declined", escalate: "why" }, { say: "well" }]);
    const request = await asked(id);
    await codex.reply(codex.status().epoch!, { rpc_id: request.rpc_id, result: { decision: "decline" } });
    expect((await ended(id, turn_id)).status).toBe("completed");
    const command = of(id, "item_completed").find((event) => event.item.type === "command");
    expect(command!.item.status).toBe("declined");
    expect(existsSync(join(home.cwd, "declined"))).toBe(false);
  });

  test("of a file change carries the diff that came with the item", async () => {
    const id = await thread({ ...settings, model: "gpt-5.5" });
    const patch = "*** Begin Patch\n*** Add File: new.txt\n+hello\n*** End Patch";
    const { turn_id } = await say(id, [{ patch }, { say: "patched" }]);
    const request = await asked(id);
    expect(request).toMatchObject({ kind: "file_change_approval", turn_id });
    const path = join(home.cwd, "new.txt");
    const diff = `--- /dev/null\n+++ b${path}\n@@ -0,0 +1,1 @@\n+hello\n`;
    expect(request.changes).toEqual([{ path, kind: "add", to: null, diff }]);
    await codex.reply(codex.status().epoch!, { rpc_id: request.rpc_id, result: { decision: "accept" } });
    await ended(id, turn_id);
    const change = of(id, "item_completed").find((event) => event.item.type === "file_change")!.item;
    expect(change).toMatchObject({ path: join(home.cwd, "new.txt"), status: "completed" });
    expect(await Bun.file(join(home.cwd, "new.txt")).text()).toBe("hello\n");
  });

  test("of another epoch cannot be answered", async () => {
    const error = await refusal(codex.reply(codex.status().epoch! + 1, { rpc_id: 0, result: {} }));
    expect(error.body).toMatchObject({ code: "agent_down", data: { outcome: "not_sent" } });
  });
});

describe("a crash in a turn", () => {
  test("ends the epoch; the turn reads as interrupted, with our id, and nothing of the child is left", async () => {
    const id = await thread();
    const { turn_id } = await say(id, [{ say: "half" }, { wait: "never" }], "in-flight");
    await until("our message is persisted", () => of(id, "item_completed").length > 0);
    const { epoch, pid } = codex.status() as { epoch: number; pid: number };
    // Stopped, so that it cannot answer before it is killed.
    process.kill(pid, "SIGSTOP");
    const hanging = refusal(codex.startThread({ cwd: home.cwd, model_provider: "mock" }));
    await crash();
    expect(codex.status()).toMatchObject({ state: "running", epoch: epoch + 1 });
    expect(isGroupAlive(sink.births[epoch - 1]!)).toBe(false);
    expect(sink.downs.at(-1)).toEqual({ epoch, reason: "codex was killed by SIGKILL" });
    expect((await hanging).data!["outcome"]).toBe("unknown");
    await codex.resumeThread(id, { cwd: home.cwd });
    const { turns } = await codex.listTurns(id, { cursor: null, limit: 10 });
    expect(turns).toHaveLength(1);
    expect(turns[0]).toMatchObject({ id: turn_id, status: "interrupted", completed_at: null });
    expect(turns[0]!.items[0]).toMatchObject({ type: "user_message", client_id: "in-flight" });
  });

  test("and a resume with the whole settings gives back the same ones, to the model too", async () => {
    const settings: ThreadSettings = {
      cwd: home.cwd,
      sandbox: "read-only",
      approval_policy: "on-request",
      approvals_reviewer: "user",
      model: "gpt-5.5",
      model_provider: "mock",
      effort: "high",
      summary: "detailed",
      service_tier: "priority",
      base_instructions: "our base",
      developer_instructions: "our instructions",
      config: { model_verbosity: "low" },
    };
    const asModelSaw = () => {
      const { model, reasoning, service_tier, input, text } = lastRequest();
      const developer = (input ?? [])
        .filter((item) => item.role === "developer")
        .flatMap((item) => item.content ?? []);
      const told = developer.map((part) => part.text ?? "");
      return {
        model,
        reasoning,
        service_tier,
        text,
        ours: told.filter((one) => one.startsWith("our ")),
        sandbox: told.some((one) => one.includes("`sandbox_mode` is `read-only`")),
      };
    };
    const opened = await codex.startThread(settings);
    const id = opened.thread.id;
    await codex.nameThread(id, "settings");
    expect(opened.effective).toMatchObject({
      sandbox: "read-only",
      approval_policy: "on-request",
      approvals_reviewer: "user",
      model: "gpt-5.5",
      effort: "high",
      service_tier: "priority",
    });
    await ended(id, (await say(id, "first")).turn_id);
    const before = asModelSaw();
    expect(before).toMatchObject({ model: "gpt-5.5", service_tier: "priority", sandbox: true });
    expect(before.reasoning).toMatchObject({ effort: "high", summary: "detailed" });
    await crash();
    const resumed = await codex.resumeThread(id, settings);
    expect(resumed.effective).toEqual(opened.effective);
    expect(resumed.thread).toMatchObject({ id, name: "settings" });
    await ended(id, (await say(id, "second")).turn_id);
    expect(asModelSaw()).toEqual(before);
  });

  test("and so does a resume with a permission profile; one that is loaded already keeps what it has", async () => {
    const settings: ThreadSettings = {
      cwd: home.cwd,
      permission_profile: ":read-only",
      approvals_reviewer: "auto_review",
      approval_policy: "untrusted",
    };
    const opened = await codex.startThread(settings);
    const id = opened.thread.id;
    expect(opened.effective).toMatchObject({ sandbox: "read-only", permission_profile: ":read-only" });
    await codex.nameThread(id, "profile");
    await ended(id, (await say(id, "first")).turn_id);
    await crash();
    expect((await codex.resumeThread(id, settings)).effective).toEqual(opened.effective);
    const again = await codex.resumeThread(id, { cwd: home.cwd, sandbox: "danger-full-access" });
    expect(again.effective).toEqual(opened.effective);
  });

  test("at the answer to the first turn, which may lose the message, still gives the whole settings back", async () => {
    const settings: ThreadSettings = { cwd: home.cwd, sandbox: "read-only", approval_policy: "on-request" };
    const opened = await codex.startThread(settings);
    const id = opened.thread.id;
    await codex.nameThread(id, "lost");
    await say(id, [{ wait: "never" }]);
    await crash();
    const resumed = await codex.resumeThread(id, settings);
    expect(resumed.effective).toEqual(opened.effective);
  });
});

describe("threads", () => {
  test("history comes newest first, in pages that a new turn does not move", async () => {
    const id = await thread();
    for (const text of ["one", "two", "three"]) await ended(id, (await say(id, text)).turn_id);
    const first = await codex.listTurns(id, { cursor: null, limit: 2 });
    await ended(id, (await say(id, "four")).turn_id);
    const second = await codex.listTurns(id, { cursor: first.next_cursor, limit: 2 });
    const said = [...first.turns, ...second.turns].map((turn) => turn.items[0]!.text);
    expect(said).toEqual(["three", "two", "one"]);
    expect(second.next_cursor).toBeNull();
  });

  test("one with neither name nor message has no turns", async () => {
    const { thread: fresh } = await codex.startThread({ cwd: home.cwd });
    expect(await codex.listTurns(fresh.id, { cursor: null, limit: 10 })).toEqual({
      turns: [],
      next_cursor: null,
    });
    expect(await codex.readThread(fresh.id)).toMatchObject({
      id: fresh.id,
      name: null,
      cwd: home.cwd,
      status: "idle",
    });
  });

  test("an unknown one is told apart from one that is not loaded", async () => {
    const nobody = "01a204aa-cf7a-7350-beb6-40a37f4ed066";
    expect((await refusal(codex.readThread(nobody))).data!["reason"]).toBe("no_rollout");
    expect((await refusal(codex.resumeThread(nobody, { cwd: "/" }))).data!["reason"]).toBe("no_rollout");
    expect((await refusal(say(nobody, "x"))).data!["reason"]).toBe("not_loaded");
    expect((await refusal(codex.readThread("zzz"))).data!["reason"]).toBe("bad_thread_id");
  });

  test("one that is unsubscribed unloads within seconds, and is refused until it is resumed", async () => {
    const id = await thread();
    await ended(id, (await say(id, "hello")).turn_id);
    await codex.unsubscribe(id);
    await until("it is closed", () => of(id, "thread_closed").length === 1);
    expect((await codex.readThread(id)).status).toBe("not_loaded");
    expect((await refusal(say(id, "x"))).data!["reason"]).toBe("not_loaded");
    await codex.resumeThread(id, { cwd: home.cwd });
    await ended(id, (await say(id, "again")).turn_id);
  });

  test("one that another app-server holds is refused by its reason", async () => {
    const id = await thread();
    await ended(id, (await say(id, "hello")).turn_id);
    const other = codexAgent({
      sink: recordingSink(),
      clock: systemClock,
      log: quietLog,
      env: home.env,
      version: "0.0.0",
      executable: async () => codexExecutable(),
      random: () => 0,
    });
    other.start();
    await other.ready(20_000);
    const error = await refusal(other.resumeThread(id, { cwd: home.cwd }));
    expect(error.data!["reason"]).toBe("active_writer");
    expect((await other.readThread(id)).status).toBe("not_loaded");
    await other.close();
  }, 30_000);

  test("context is added without a turn, under the id we gave it", async () => {
    const id = await thread();
    await codex.injectText({ thread_id: id, text: "remember this", item_id: "msg_ours" });
    const { path } = await codex.readThread(id);
    const rollout = await Bun.file(path!).text();
    expect(
      rollout.split("\n").some((line) => line.includes('"msg_ours"') && line.includes("remember this")),
    ).toBe(true);
    await ended(id, (await say(id, "now")).turn_id);
    expect(JSON.stringify(lastRequest().input)).toContain("remember this");
  });

  test("a goal is read, paused and told of; there is none at first", async () => {
    const id = await thread();
    expect(await codex.readGoal(id)).toBeNull();
    expect(await codex.nativeQueue(id)).toEqual([]);
    expect((await refusal(codex.setGoal(id, { status: "paused" }))).code).toBe("agent");
  });

  test("overrides of one turn stick, and the lane's own values set them back", async () => {
    const id = await thread({ model: "gpt-5.5", effort: "high" });
    const turn = async (overrides: { model?: string; effort?: string }) => {
      const input = { thread_id: id, text: "x", client_id: crypto.randomUUID(), overrides };
      await ended(id, (await codex.startTurn(input)).turn_id);
      return [lastRequest().model, lastRequest().reasoning?.effort];
    };
    expect(await turn({ model: "other-model", effort: "low" })).toEqual(["other-model", "low"]);
    expect(await turn({})).toEqual(["other-model", "low"]);
    expect(await turn({ model: "gpt-5.5", effort: "high" })).toEqual(["gpt-5.5", "high"]);
  });
});

describe("smoke", () => {
  const look = (env: Record<string, string>) =>
    smoke({
      clock: systemClock,
      log: quietLog,
      env,
      version: "0.0.0",
      executable: async () => codexExecutable(),
      timeoutMs: 15_000,
    });

  test("passes on a home that works", async () => {
    const seen = await look(home.env);
    expect(seen).toMatchObject({ codex_home: home.home, requires_login: false, error: null });
    expect(seen.version).toMatch(/^\d+\.\d+\.\d+/);
  }, 30_000);

  test("fails on a configuration that cannot be loaded, although Codex starts", async () => {
    const broken = codexHome(provider.url);
    await Bun.write(join(broken.home, "config.toml"), "model = \n");
    const seen = await look(broken.env);
    expect(seen.warnings.join()).toContain("Invalid configuration");
    expect(seen.error!.message).toContain("failed to load configuration");
    expect(seen.error!.hint).toStartWith(`correct ${join(broken.home, "config.toml")}:1 `);
    await Bun.write(join(broken.home, "config.toml"), 'model_provider = "nobody"\n');
    expect((await look(broken.env)).error).toMatchObject({
      message: expect.stringContaining("`nobody`"),
      hint: `correct ${join(broken.home, "config.toml")} and try again`,
    });
    broken.cleanup();
  }, 30_000);

  test("fails, with Codex's own words, on a home that is not there", async () => {
    const seen = await look({ ...home.env, CODEX_HOME: join(home.cwd, "none") });
    expect(seen.error!.message).toContain("that path does not exist");
    expect(seen.version).toBeNull();
  }, 30_000);
});
