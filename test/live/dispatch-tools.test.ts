/** Threads that call dispatch by tools of their own, over the real Codex. The boss is read-only and asks nobody. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../daemon/rig.ts";
import { dispatchRig, type Json, type Rig } from "../support/dispatch.ts";
import { type Step, stringify } from "../support/provider-script.ts";

setDefaultTimeout(60_000);

let rig: Rig;
beforeAll(() => {
  rig = dispatchRig();
});
afterAll(() => rig.dispose());

const boss = ["--tools", "--sandbox", "read-only", "--approval-policy", "never"];
const calling = (tool: string, args: Json = {}, more: { and?: true } = {}): Step => ({
  tool: `dispatch_${tool}`,
  namespace: "dispatch_v1",
  arguments: args,
  ...more,
});

/** What the calls of a thread's last turn brought, in their order. */
const outputsOf = (id: string): string[] => {
  const { body } = rig.provider.requests.findLast((request) => request.body.prompt_cache_key === id)!;
  const input = body.input ?? [];
  const from = input.findLastIndex((item) => item.role === "user");
  return input
    .slice(from)
    .filter((item) => item.type?.endsWith("_output"))
    .map((item) => String(item.output));
};

async function work(
  name: string,
  steps: Step[],
  flags = boss,
): Promise<Json & { ref: string; id: string; outputs: string[] }> {
  const thread = await rig.thread(name, [...steps, { say: "that is all" }], flags);
  return { ...thread, outputs: outputsOf(thread.id) };
}

async function more(ref: string, id: string, steps: Step[]): Promise<string[]> {
  await rig.ask(["send", ref, stringify([...steps, { say: "that is all" }]), "--wait", "--timeout", "40"]);
  return outputsOf(id);
}

const eventsOf = async (ref: string): Promise<Json[]> =>
  (await rig.ask(["events", "--thread", ref, "--kinds", "tool.*"])).events;
const kindsOf = async (ref: string) => (await eventsOf(ref)).map(({ kind }) => kind);
/** Until a call of this thread runs. */
const callRuns = (ref: string) =>
  until(async () => (await kindsOf(ref)).at(-1) === "tool.called", `a call of ${ref} runs`);

test("a read-only boss makes two workers, waits for them, and reads what they said", async () => {
  const { ref, id, outputs, tools, requests } = await work("boss", [
    calling("new", { name: "one", text: "first" }),
    calling("new", { name: "two", text: "second" }),
    calling("wait", { threads: ["@one", "@two"] }),
  ]);
  const [one, two, waited] = outputs.map((text) => JSON.parse(text));
  expect(one).toMatchObject({ title: "one", handle: "@one" });
  expect(two).toMatchObject({ title: "two", handle: "@two" });
  expect(waited).toEqual({
    verdict: "ok",
    threads: [
      { ref: one.ref, title: "one", status: "idle", last_message: "ok: first" },
      { ref: two.ref, title: "two", status: "idle", last_message: "ok: second" },
    ],
  });
  for (const text of outputs) expect(text.length).toBeLessThan(400);
  expect({ tools, requests }).toEqual({ tools: "dispatch_v1", requests: [] });
  for (const worker of [one.ref, two.ref])
    expect(await rig.ask(["get", worker])).toMatchObject({
      created_by: id,
      sandbox: "read-only",
      approval_policy: "never",
      tools: null,
    });
  expect(await kindsOf(ref)).toEqual(Array(3).fill(["tool.called", "tool.answered"]).flat());
  const { calls } = await rig.ask(["daemon", "log"]);
  expect(calls).toContainEqual(expect.objectContaining({ caller: `tool in ${ref}`, op: "thread.new" }));
});

test("the policy for agents holds: no wider worker, no foreign thread stopped, no wait for itself", async () => {
  const { ref } = await rig.thread("stranger", "hello");
  const { outputs } = await work("guarded", [
    calling("new", { name: "wider", sandbox: "danger-full-access" }),
    calling("new", { name: "elsewhere", approval_policy: "untrusted", tools: true }),
    calling("send", { thread: ref, text: "out", mode: "interject" }),
    calling("wait", { threads: ["self"] }),
    calling("wait", { thread: "@guarded" }),
    { tool: "dispatch_sned", namespace: "dispatch_v1", arguments: {} },
  ]);
  expect(outputs[0]).toStartWith(
    "denied (retry no): an agent creates no thread that may do more than itself: its sandbox would be danger-full-access",
  );
  expect(outputs[0]).toContain("\nhint: sandbox: read-only approval_policy: never; or a person may:");
  expect(JSON.parse(outputs[1]!)).toMatchObject({ title: "elsewhere" });
  expect(await rig.ask(["get", "@elsewhere"])).toMatchObject({
    sandbox: "read-only",
    approval_policy: "untrusted",
    tools: "dispatch_v1",
  });
  expect(outputs[2]).toStartWith("denied (retry no): ");
  expect(outputs[3]).toStartWith("conflict (retry no): ");
  expect(outputs[4]).toBe(
    'usage (retry no): unknown field "thread"; did you mean "threads"?\nhint: the fields of dispatch_wait: threads, for, any, timeout',
  );
  expect(outputs[5]).toBe("unsupported call: dispatch_v1dispatch_sned");
  const { threads } = await rig.ask(["list"]);
  expect(threads.map((thread: Json) => thread["title"])).not.toContain("wider");
});

test("two calls in parallel are both answered", async () => {
  const { outputs } = await work("parallel", [
    calling("new", { name: "left", text: "l" }, { and: true }),
    calling("new", { name: "right", text: "r" }),
    calling("wait", { threads: ["@left"] }, { and: true }),
    calling("wait", { threads: ["@right"] }),
  ]);
  const titles = outputs.map((text) => JSON.parse(text)).flatMap((out) => out.title ?? out.threads[0].title);
  expect(titles.toSorted()).toEqual(["left", "left", "right", "right"]);
});

test("a resume after an unload, a resume by another Codex, and a fork keep the tools", async () => {
  const { ref, id } = await rig.thread("kept", "hello", boss);
  const list = calling("list", { limit: 1 });
  await rig.ask(["give", ref]);
  await rig.ask(["take", ref]);
  expect((await more(ref, id, [list]))[0]).toContain('"more":true');
  process.kill((await rig.pids()).child!, "SIGKILL");
  expect((await more(ref, id, [list]))[0]).toContain('"more":true');
  const fork = await rig.ask(["fork", ref, "--name", "kept too"]);
  expect(fork.tools).toBe("dispatch_v1");
  expect((await more(fork.ref, fork.id, [calling("list", { limit: 1 })]))[0]).toContain('"kept too"');
  expect((await rig.ask(["get", ref])).warnings.join()).not.toContain("tools");
});

test("stop ends a call that waits, and the thread works on", async () => {
  const slow = await rig.ask(["new", "--name", "slow", "--text", stringify([{ wait: "slowly" }])]);
  const text = stringify([calling("wait", { threads: ["@slow"] }), { say: "never said" }]);
  const { ref, id } = await rig.ask(["new", "--name", "stopped", ...boss, "--text", text]);
  await callRuns(ref);
  expect(await rig.ask(["get", ref])).toMatchObject({ status: "busy", requests: [] });
  expect(await rig.ask(["stop", ref])).toMatchObject({ state: "stopped" });
  expect((await eventsOf(ref)).at(-1)).toMatchObject({
    kind: "tool.cancelled",
    data: { tool: "dispatch_v1.dispatch_wait", why: "its turn ended" },
  });
  rig.provider.release("slowly");
  await rig.ask(["wait", slow.ref]);
  expect((await more(ref, id, [calling("list", { status: "busy" })]))[0]).toContain(`"ref":"${ref}"`);
});

test("a wait ends by itself, and says how to go on", async () => {
  const slow = await rig.ask(["new", "--name", "slower", "--text", stringify([{ wait: "slower" }])]);
  const { outputs } = await work("patient", [calling("wait", { threads: ["@slower"], timeout: 0.2 })]);
  expect(JSON.parse(outputs[0]!)).toEqual({
    verdict: "timeout",
    threads: [{ ref: slow.ref, title: "slower", status: "busy" }],
    next: "not all of them after 0.2 s: call dispatch_wait again, or end your turn; they go on working",
  });
  rig.provider.release("slower");
});

test("a daemon that is killed in the middle of a call leaves no turn that hangs", async () => {
  const { pid: daemon } = await rig.ask(["daemon", "status"]);
  await rig.ask(["new", "--name", "slowest", "--text", stringify([{ wait: "slowest" }])]);
  const text = stringify([
    calling("new", { name: "made before" }),
    calling("wait", { threads: ["@slowest"] }),
    { say: "never said" },
  ]);
  const { ref, id } = await rig.ask(["new", "--name", "orphaned", ...boss, "--text", text]);
  await until(async () => (await kindsOf(ref)).length === 3, "the second call runs");
  process.kill(daemon, "SIGKILL");
  const ended = await rig.run(["wait", ref, "--timeout", "30"]);
  expect(ended.code).toBe(8);
  expect(await rig.ask(["get", ref])).toMatchObject({
    latest_turn: { status: "interrupted" },
    requests: [],
    tools: "dispatch_v1",
  });
  expect((await eventsOf(ref)).at(-1)).toMatchObject({
    kind: "tool.cancelled",
    data: { tool: "dispatch_v1.dispatch_wait", why: "its Codex ended" },
  });
  // What was made stays, once, and the thread goes on.
  const { threads } = await rig.ask(["list"]);
  expect(threads.filter((thread: Json) => thread["title"] === "made before")).toHaveLength(1);
  expect((await more(ref, id, [calling("inbox")]))[0]).toBe('{"messages":[]}');
  rig.provider.release("slowest");
});

test("a daemon that is stopped in the middle of a call stops at once, and says what became of it", async () => {
  await rig.ask(["new", "--name", "endless", "--text", stringify([{ wait: "endless" }])]);
  const text = stringify([calling("wait", { threads: ["@endless"] }), { say: "never said" }]);
  const { ref } = await rig.ask(["new", "--name", "stopping", ...boss, "--text", text]);
  await callRuns(ref);
  await rig.ask(["down", "--force"]);
  await rig.ask(["up"]);
  expect((await eventsOf(ref)).at(-1)).toMatchObject({
    kind: "tool.cancelled",
    data: { why: "its Codex ended" },
  });
  const { degraded } = await rig.ask(["daemon", "status"]);
  expect(degraded).toEqual([]);
  rig.provider.release("endless");
});

test("presets and --dry-run know the tools, and a thread without them has none", async () => {
  const plan = await rig.ask(["new", "--name", "planned", "--tools", "--dry-run"]);
  expect(plan.choices).toContainEqual({ field: "tools", value: true, source: "flag", file: null });
  writeFileSync(join(rig.home, "config.toml"), "[presets.boss]\ntools = true\n");
  const preset = await rig.ask(["new", "--name", "by preset", "--preset", "boss"]);
  expect(preset.tools).toBe("dispatch_v1");
  const plain = await rig.thread("plain", "hello");
  expect(plain.tools).toBeNull();
  expect(JSON.stringify(rig.provider.requests.at(-1)!.body.tools)).not.toContain("dispatch_v1");
});
