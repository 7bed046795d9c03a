/** How each thing that a caller can do wrong, or come too early for, is told: by code, exit status and the next step. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { connect } from "../daemon/rig.ts";
import { dispatchRig, type Rig } from "../support/dispatch.ts";
import { stringify } from "../support/provider-script.ts";

setDefaultTimeout(60_000);

let rig: Rig;

beforeAll(async () => {
  rig = dispatchRig();
  await rig.thread("docs", "hello");
});

afterAll(() => rig.dispose());

const newKey = () => crypto.randomUUID();

/** A thread with a turn that runs until the test lets it go on. */
async function running(name: string): Promise<string> {
  await rig.ask(["new", "--name", name, "--text", stringify([{ wait: name }, { say: "over" }])]);
  await rig.provider.reached(name);
  return `@${name}`;
}

async function asking(name: string): Promise<{ thread: string; request: string }> {
  const script = stringify([{ shell: "true", escalate: "why not" }]);
  const careful = ["--sandbox", "read-only", "--approval-policy", "on-request"];
  await rig.ask(["new", "--name", name, ...careful, "--text", script]);
  const { threads } = await rig.ask(["wait", `@${name}`, "--for", "waiting", "--timeout", "20"]);
  return { thread: `@${name}`, request: threads[0].requests[0].id };
}

describe("usage", () => {
  test.each<[string[], RegExp]>([
    [["list", "--limt", "3"], /--limt; did you mean --limit\?/],
    [["lits"], /did you mean "list"\?/],
    [["request", "anwser", "x"], /did you mean "request answer"\?/],
    [["list", "--limit", "1", "--limit", "2"], /--limit is given twice/],
    [["get", "@docs", "surplus"], /"surplus"/],
    [["get"], /<thread>/],
    [["new"], /--name/],
    [["list", "--limit", "some"], /--limit: must be a number/],
    [["list", "--limit", "0"], /--limit: must be at least 1/],
    [["list", "--status", "asleep"], /--status: must be one of/],
    [["send", "@docs"], /text/],
    [["new", "--name", "goal", "--text", "/goal ship it"], /goal/],
    [["new", "--name", "lost", "--cwd", "/no/such/dir"], /\/no\/such\/dir/],
    [["watch"], /name threads to watch/],
    [["events", "--since", "nonsense"], /cursor/],
    [["forget", "@docs"], /no terminal to confirm/],
    [["list", "--deadline", "0"], /--deadline/],
  ])("%j is refused", async (args, words) => {
    const error = await rig.refused(args);
    expect(error).toMatchObject({ code: "usage", retry: "no", message: expect.stringMatching(words) });
  });

  test("a title that two threads bear names both of them", async () => {
    // No slug is left of these, so neither has a handle to be taken.
    const one = await rig.thread("日本");
    const other = await rig.thread("日本");
    const error = await rig.refused(["get", "日本"]);
    expect(error.code).toBe("usage");
    expect(JSON.stringify(error)).toContain(one.ref);
    expect(JSON.stringify(error)).toContain(other.ref);
  });

  test("text that is no UTF-8 is refused and not repaired", async () => {
    const stdin = new Uint8Array([0x68, 0xff, 0xfe]);
    const error = await rig.refused(["send", "@docs", "-"], { stdin });
    expect(error).toMatchObject({ code: "usage", message: expect.stringContaining("UTF-8") });
  });

  test("a usage error starts no daemon", async () => {
    const home = join(rig.home, "nobody");
    expect((await rig.refused(["list", "--nope"], { env: { DISPATCH_HOME: home } })).code).toBe("usage");
    expect((await rig.refused(["daemon", "status"], { env: { DISPATCH_HOME: home } })).code).toBe(
      "daemon_down",
    );
  });
});

test.each(
  [
    "get @nobody",
    "send @nobody hi",
    "tail zzzzzz",
    "wait zzzzzz",
    "receipt get no-such-receipt",
    "request get zzzzzz",
    "request answer zzzzzz --approve",
    "forget @nobody --yes",
  ].map((line) => [line]),
)("not_found: %s", async (line) => {
  expect((await rig.refused(line.split(" "))).code).toBe("not_found");
});

test("self is nobody outside a thread, and the thread itself inside one", async () => {
  expect((await rig.refused(["get", "self"])).code).toBe("usage");
  const { id, ref } = await rig.ask(["get", "@docs"]);
  expect(await rig.ask(["get", "self"], { env: { CODEX_THREAD_ID: id } })).toMatchObject({ ref });
});

test("thread_busy: a plain send, a forget and a down wait for a running turn", async () => {
  const thread = await running("busy");
  const error = await rig.refused(["send", thread, "me too"]);
  expect(error).toMatchObject({ code: "thread_busy", retry: "later", hint: expect.any(String) });
  expect((await rig.refused(["forget", thread, "--yes"])).code).toBe("thread_busy");
  const down = await rig.refused(["down"]);
  expect(down).toMatchObject({ code: "thread_busy", message: expect.stringContaining("busy") });
  rig.provider.release("busy");
  await rig.ask(["wait", thread, "--timeout", "20"]);
  expect((await rig.ask(["tail", thread])).items).toHaveLength(2);
});

test("needs_answer: a send, and a wait for done, name the open question", async () => {
  const { thread, request } = await asking("asks");
  const error = await rig.refused(["send", thread, "never mind"]);
  expect(error).toMatchObject({ code: "needs_answer", hint: expect.stringContaining(request) });
  const waited = await rig.run(["wait", thread, "--timeout", "20"]);
  expect(waited).toMatchObject({ code: 6, stderr: "" });
  expect(waited.json).toMatchObject({ verdict: "needs_answer", threads: [{ requests: [{ id: request }] }] });
  await rig.ask(["request", "answer", request, "--deny"]);
  await rig.ask(["wait", thread, "--timeout", "20"]);
});

test("turn_failed: wait and send --wait say so by their status, with the result on stdout", async () => {
  const thread = await rig.thread("fails");
  const failing = stringify([{ status: 500, body: { error: { message: "the model is ill" } } }]);
  const sent = await rig.run(["send", thread.ref, failing, "--wait"]);
  expect(sent).toMatchObject({ code: 8, stderr: "" });
  expect(sent.json).toMatchObject({ verdict: "turn_failed", state: "done", outcome: "failed" });
  const waited = await rig.run(["wait", thread.ref, "--timeout", "20"]);
  expect(waited).toMatchObject({ code: 8, stderr: "" });
  expect(waited.json.threads[0]).toMatchObject({
    status: "error",
    latest_turn: { status: "failed", error: { message: expect.stringMatching(/\S/) } },
  });
});

test("turn_failed: an interrupted turn counts as one", async () => {
  const thread = await running("interrupted");
  const waiting = rig.run(["wait", thread, "--timeout", "20"]);
  await rig.ask(["stop", thread]);
  expect((await waiting).code).toBe(8);
  const after = await rig.run(["wait", thread, "--timeout", "20"]);
  expect(after.code).toBe(8);
  expect(after.json.threads[0].latest_turn.status).toBe("interrupted");
});

test("conflict: a key with other content, a handle that is taken, a question that is answered", async () => {
  const key = newKey();
  await rig.ask(["send", "@docs", "once", "--idempotency-key", key, "--wait"]);
  expect((await rig.refused(["send", "@docs", "other", "--idempotency-key", key])).code).toBe("conflict");
  expect(
    (await rig.refused(["new", "--name", "fresh", "--text", "once", "--idempotency-key", key])).code,
  ).toBe("conflict");
  expect(await rig.refused(["new", "--name", "Docs"])).toMatchObject({
    code: "conflict",
    hint: expect.stringContaining("Docs 2"),
  });
  const { thread, request } = await asking("answered");
  await rig.ask(["request", "answer", request, "--deny"]);
  expect((await rig.refused(["request", "answer", request, "--approve"])).code).toBe("conflict");
  await rig.ask(["wait", thread, "--timeout", "20"]);
});

test("timeout: a wait that runs out ends with 14 and the threads as they are", async () => {
  const thread = await running("slow");
  const waited = await rig.run(["wait", thread, "--timeout", "0.2"]);
  expect(waited).toMatchObject({ code: 14, stderr: "" });
  expect(waited.json).toMatchObject({ timed_out: true, verdict: "timeout", threads: [{ status: "busy" }] });
  rig.provider.release("slow");
  await rig.ask(["wait", thread, "--timeout", "20"]);
});

test("timeout: a deadline says what goes on, and the same key finds it", async () => {
  const text = stringify([{ wait: "deadline" }, { say: "late" }]);
  const error = await rig.refused(["send", "@docs", text, "--wait", "--deadline", "1"]);
  expect(error).toMatchObject({ code: "timeout", hint: expect.stringContaining("--idempotency-key") });
  rig.provider.release("deadline");
  const key = (error.data as { idempotency_key: string }).idempotency_key;
  const again = await rig.ask(["send", "@docs", text, "--idempotency-key", key, "--wait"]);
  expect(again).toMatchObject({ verdict: "ok", attempt: 1, last_message: "late" });
});

test("too_large: a text over 1 MiB is refused, one of 1 MiB delivered", async () => {
  const most = "x".repeat(1024 * 1024);
  expect((await rig.refused(["send", "@docs", "-"], { stdin: `${most}x` })).code).toBe("too_large");
  const { last_message } = await rig.ask(["send", "@docs", "-", "--wait"], { stdin: most });
  expect(last_message.startsWith("ok: xxx")).toBe(true);
});

test.each<[string[], string, number]>([
  [["fork", "@docs", "--name", "f1", "--last-turn", "01a2034e-7df6-7000-8000-000000000000"], "not_found", 4],
  [["fork", "@docs", "--name", "f2", "--last-turn", "zzz"], "not_found", 4],
  [["fork", "@docs", "--name", "f3", "--model-provider", "nobody"], "usage", 2],
  [["new", "--name", "n1", "--config", 'model_provider="nobody"'], "usage", 2],
  [["new", "--name", "n2", "--config", 'approval_policy="zzz"'], "usage", 2],
  [["list", "--unmanaged", "--cursor", "zzz"], "usage", 2],
  [["search", "x", "--thread", "01a2034e-7df6-7000-8000-000000000000"], "not_found", 4],
])(
  "what Codex refuses about a value of the caller is no fault of Codex: %j is %s",
  async (args, code, exit) => {
    const { code: status, stderr } = await rig.run(args);
    expect([status, JSON.parse(stderr).error]).toMatchObject([exit, { code, retry: "no" }]);
  },
);

test("usage: a provider that Codex does not know is its own word, and leaves no thread", async () => {
  const before = (await rig.ask(["list"])).threads.length;
  const error = await rig.refused(["new", "--name", "stray", "--model-provider", "nobody"]);
  expect(error).toMatchObject({ code: "usage", message: expect.stringContaining("nobody") });
  expect((await rig.ask(["list"])).threads).toHaveLength(before);
  expect((await rig.ask(["new", "--name", "stray"])).handle).toBe("stray");
});

test("denied: an agent does not answer its own question", async () => {
  const { thread, request } = await asking("vain");
  const { id } = await rig.ask(["get", thread]);
  const error = await rig.refused(["request", "answer", request, "--approve"], {
    env: { CODEX_THREAD_ID: id },
  });
  expect(error.code).toBe("denied");
  await rig.ask(["request", "answer", request, "--deny"]);
});

test("stale: a client of another schema is told so, and may still ask for the status and stop", async () => {
  const client = await connect(join(rig.home, "dispatch.sock"));
  client.say({ hello: { version: "9.9.9", protocol: 1 } });
  client.call(1, "thread.list", {}, "another");
  expect((await client.ended(1)).error).toMatchObject({ code: "stale", hint: expect.any(String) });
  client.call(2, "daemon.status", {}, "another");
  expect((await client.ended(2)).result).toMatchObject({ version: expect.any(String) });
  client.close();
});

test("every error of a command is one JSON line on stderr", async () => {
  const { stdout, stderr, code } = await rig.run(["get", "@nobody"]);
  expect({ stdout, code }).toEqual({ stdout: "", code: 4 });
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(Object.keys(JSON.parse(stderr).error)).toEqual(["code", "message", "hint", "retry", "data"]);
});
