/** Threads of other apps and the history of our own, beside a second real app-server, on a home of 10,000 threads. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { type CodexAgent, codexAgent } from "../../src/codex/agent.ts";
import { codexExecutable } from "../support/codex.ts";
import { copyThreads } from "../support/codex-many.ts";
import { quietLog, recordingSink, until } from "../support/codex-sink.ts";
import { dispatchRig, type Rig } from "../support/dispatch.ts";
import { stringify } from "../support/provider-script.ts";

setDefaultTimeout(60_000);

let rig: Rig;
let other: CodexAgent;
const heard = recordingSink();

/** Another app on the same Codex home. */
beforeAll(async () => {
  rig = dispatchRig();
  await rig.thread("first", "hello");
  await rig.ask(["down"]);
  copyThreads(rig.codex.home, 10_000);
  await rig.ask(["up"]);
  other = codexAgent({
    sink: heard,
    clock: systemClock,
    log: quietLog,
    env: rig.codex.env,
    version: "0.0.0",
    random: Math.random,
    executable: async () => codexExecutable(),
  });
  other.start();
  await other.ready(20_000);
});
afterAll(async () => {
  await other.close();
  await rig.dispose();
});

/** A thread of the other app, with one turn, which it still has open. */
async function theirs(name: string, text = "hello"): Promise<string> {
  const { thread } = await other.startThread({ cwd: rig.codex.cwd });
  await other.nameThread(thread.id, name);
  await other.startTurn({ thread_id: thread.id, text, client_id: crypto.randomUUID() });
  return thread.id;
}

/** Of the turns they began on it, this many are over. */
const over = (id: string, turns = 1) =>
  until("their turn is over", () => {
    const ends = heard.events().filter((event) => event.kind === "turn_completed" && event.thread_id === id);
    return ends.length >= turns;
  });
/** Asks until it holds. */
async function reaches(holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error("not within 20 s");
    await Bun.sleep(50);
  }
}
const statuses = new Map<string, string>();

async function autoReleaseHold(id: string): Promise<void> {
  await other.unsubscribe(id);
  await until("they let go", () => {
    void other.readThread(id).then((facts) => {
      statuses.set(id, facts.status);
    });
    return statuses.get(id) === "not_loaded";
  });
}

describe("a thread of another app", () => {
  test("is found, attached to without its app noticing, taken over when that lets go, and given back", async () => {
    const id = await theirs("their work");
    await over(id);
    const { threads } = await rig.ask(["list", "--unmanaged"]);
    expect(threads).toContainEqual(expect.objectContaining({ id, title: "their work" }));

    const attached = await rig.ask(["attach", id]);
    expect(attached).toMatchObject({
      id,
      source: "attached",
      writable: false,
      title: "their work",
      handle: null,
    });
    expect((await rig.ask(["attach", id])).ref).toBe(attached.ref);
    const unmanaged = (await rig.ask(["list", "--unmanaged"])).threads.map((one: { id: string }) => one.id);
    expect(unmanaged).not.toContain(id);
    expect((await rig.refused(["send", attached.ref, "mine"])).code).toBe("authority");

    const held = await rig.refused(["take", attached.ref]);
    expect(held).toMatchObject({ code: "authority", message: expect.stringContaining("another app") });
    // Their app works on as before.
    await other.startTurn({ thread_id: id, text: "more", client_id: crypto.randomUUID() });
    await over(id, 2);

    await autoReleaseHold(id);
    expect(await rig.ask(["take", attached.ref])).toMatchObject({
      source: "own",
      writable: true,
      handle: "their-work",
    });
    const sent = await rig.ask(["send", attached.ref, "now ours", "--wait"]);
    expect(sent.last_message).toBe("ok: now ours");
    const refusal = await other
      .resumeThread(id, { cwd: rig.codex.cwd })
      .catch((thrown) => thrown.data?.reason);
    expect(refusal).toBe("active_writer");

    expect(await rig.ask(["give", attached.ref])).toMatchObject({ source: "attached", handle: null });
    await other.resumeThread(id, { cwd: rig.codex.cwd });
    const { turns } = await other.listTurns(id, { cursor: null, limit: 10 });
    expect(turns).toHaveLength(3);
  });

  test("is sent work through Codex's own queue, where the user allows it, and the receipt says what that is", async () => {
    const id = await theirs("busy elsewhere", stringify([{ wait: "their end" }]));
    const { ref } = await rig.ask(["attach", id]);
    expect((await rig.refused(["send", ref, "mine", "--queue"])).hint).toContain("attached_queue = true");
    writeFileSync(join(rig.home, "config.toml"), "[policy]\nattached_queue = true\n");
    const receipt = await rig.ask(["send", ref, "mine", "--queue"]);
    expect(receipt).toMatchObject({ message_accepted: true, caveat: expect.stringContaining("unsure") });
    expect((await rig.refused(["send", ref, "mine"])).code).toBe("authority");
    const state = async () => (await rig.ask(["receipt", "get", receipt.receipt])).state;
    await reaches(async () => (await state()) === "sent");
    expect(await other.nativeQueue(id)).toEqual([receipt.receipt]);

    // What waits there dies neither with our Codex nor with our daemon.
    const { daemon, child } = await rig.pids();
    process.kill(child!, "SIGKILL");
    process.kill(daemon, "SIGKILL");
    await rig.ask(["up"]);
    rig.provider.release("their end");
    const waited = await rig.ask(["wait", receipt.receipt, "--timeout", "40"]);
    expect(waited.timed_out).toBe(false);
    const done = await rig.ask(["receipt", "get", receipt.receipt]);
    expect(done).toMatchObject({ state: "done", outcome: "completed", attempt: 1 });
    const { turns } = await other.listTurns(id, { cursor: null, limit: 10 });
    const texts = turns.flatMap((turn) => turn.items.map((item) => item.text));
    expect(texts.filter((text) => text === "mine")).toHaveLength(1);
    expect((await rig.ask(["get", ref])).source).toBe("attached");
  });

  test("that nobody has open keeps the message until it is taken, and then runs it once", async () => {
    const id = await theirs("closed");
    await over(id);
    await autoReleaseHold(id);
    const { ref } = await rig.ask(["attach", id]);
    writeFileSync(join(rig.home, "config.toml"), "[policy]\nattached_queue = true\n");
    const { receipt } = await rig.ask(["send", ref, "when you open", "--queue"]);
    await reaches(async () => (await other.nativeQueue(id)).length === 1);
    await rig.ask(["take", ref]);
    await rig.ask(["wait", receipt, "--timeout", "30"]);
    expect((await rig.ask(["send", ref, "and then", "--wait"])).outcome).toBe("completed");
    const texts = (await rig.ask(["tail", ref])).items.map((item: { text: string }) => item.text);
    expect(texts.filter((text: string) => text === "when you open")).toHaveLength(1);
  });

  test("that an agent of ours spawned stands under its parent, and is never written to", async () => {
    const spawn = { message: "child work", task_name: "kid", agent_type: "default" };
    const script = stringify([
      { tool: "spawn_agent", namespace: "multi_agent_v1", arguments: spawn },
      { say: "spawned" },
    ]);
    const parent = await rig.thread("parent", script);
    let child: { id: string; parent_id: string | null } | undefined;
    await reaches(async () => {
      const { threads } = await rig.ask(["list", "--unmanaged"]);
      child = threads.find((one: { preview: string }) => one.preview === "child work");
      return child !== undefined;
    });
    expect(child!.parent_id).toBe(parent.id);
    const attached = await rig.ask(["attach", child!.id]);
    expect(attached).toMatchObject({ parent_id: parent.id, writable: false });
    const { text } = await rig.screen(["list"]);
    const lines = text.split("\n");
    const at = lines.findIndex((line) => line.startsWith(parent.ref));
    expect(lines[at + 1]).toContain(attached.ref);
    expect(lines[at + 1]).toContain("    child work");
    for (const words of [
      ["send", attached.ref, "hi", "--queue"],
      ["take", attached.ref],
    ]) {
      const refused = await rig.refused(words);
      expect([refused.code, refused.message]).toEqual(["authority", expect.stringContaining("sub-agent")]);
    }
  });

  test("is renamed by its id alone; archived only when no app has it open", async () => {
    const id = await theirs("shelf");
    await over(id);
    expect(await rig.ask(["rename", id, "shelf two"])).toMatchObject({ ref: null, id, thread: null });
    expect((await other.readThread(id)).name).toBe("shelf two");
    expect((await rig.refused(["archive", id, "--yes"])).code).toBe("authority");
    await autoReleaseHold(id);
    await rig.ask(["archive", id, "--yes"]);
    const shelved = (await rig.ask(["list", "--unmanaged", "--archived"])).threads;
    expect(shelved).toContainEqual(expect.objectContaining({ id, title: "shelf two" }));
    await rig.ask(["restore", id]);
    const back = (await rig.ask(["list", "--unmanaged"])).threads.map((one: { id: string }) => one.id);
    expect(back).toContain(id);
  });

  test("that nobody knows is not found, by whatever verb", async () => {
    const id = "01a20000-0000-7000-8000-000000000000";
    for (const words of [
      ["attach", id],
      ["rename", id, "x"],
      ["restore", id],
    ]) {
      expect((await rig.refused(words)).code).toBe("not_found");
    }
    expect((await rig.refused(["attach", "not-an-id"])).code).toBe("usage");
  });
});

describe("the history of a thread of ours", () => {
  test("is forked, whole or up to a turn, and both go their own way", async () => {
    const source = await rig.thread("origin", "one");
    await rig.ask(["send", source.ref, "two", "--wait"]);
    const { items } = await rig.ask(["tail", source.ref]);
    const copy = await rig.ask(["fork", source.ref, "--name", "copy", "--sandbox", "read-only"]);
    expect(copy).toMatchObject({ handle: "copy", forked_from: source.ref, sandbox: "read-only" });
    const half = await rig.ask(["fork", source.ref, "--name", "half", "--last-turn", items[0].turn_id]);
    expect((await rig.ask(["tail", half.ref])).items).toHaveLength(2);
    const again = await rig.ask(["send", half.ref, "elsewhere", "--wait"]);
    expect(again.last_message).toBe("ok: elsewhere");
    expect((await rig.ask(["tail", source.ref])).items).toHaveLength(4);
    expect((await rig.ask(["tail", copy.ref])).items).toHaveLength(4);
  });

  test("is reverted by turns, and goes on from there with every receipt telling the truth", async () => {
    const thread = await rig.thread("reverted", "one");
    await rig.ask(["send", thread.ref, "two", "--wait"]);
    expect((await rig.refused(["revert", thread.ref, "--turns", "9", "--yes"])).code).toBe("usage");
    const after = await rig.ask(["revert", thread.ref, "--turns", "1", "--yes"]);
    expect(after).toMatchObject({ reverted: 1, last_message: { text: "ok: one" } });
    const sent = await rig.ask(["send", thread.ref, "three", "--wait"]);
    expect(sent).toMatchObject({ state: "done", outcome: "completed" });
    const texts = (await rig.ask(["tail", thread.ref])).items.map((item: { text: string }) => item.text);
    expect(texts).toEqual(["one", "ok: one", "three", "ok: three"]);
  });

  test("is compacted in a turn of Codex's own", async () => {
    const thread = await rig.thread("long", "one");
    await rig.ask(["compact", thread.ref]);
    await rig.ask(["wait", thread.ref, "--timeout", "30"]);
    const { events } = await rig.ask(["events", "--thread", thread.ref, "--kinds", "turn.completed"]);
    expect(events).toHaveLength(2);
  });

  test("is never touched under a running turn", async () => {
    const { ref } = await rig.ask([
      "new",
      "--name",
      "running",
      "--text",
      stringify([{ wait: "end of running" }]),
    ]);
    await until("it runs", () =>
      rig.provider.requests.some((one) => JSON.stringify(one.body).includes("end of running")),
    );
    for (const words of [
      ["archive", ref, "--yes"],
      ["compact", ref],
      ["revert", ref, "--turns", "1", "--yes"],
      ["give", ref],
      ["fork", ref, "--name", "f"],
    ]) {
      expect([words[0], (await rig.refused(words)).code]).toEqual([words[0], "thread_busy"]);
    }
    expect(await rig.ask(["get", ref])).toMatchObject({ status: "busy" });
    rig.provider.release("end of running");
    await rig.ask(["wait", ref, "--timeout", "30"]);
  });
});

test("rename moves the handle, archive takes it away and restore brings it back", async () => {
  const { ref } = await rig.thread("first name", "hello");
  await rig.ask(["rename", "@first-name", "Second Name"]);
  expect(await rig.ask(["get", "@second-name"])).toMatchObject({ ref, title: "Second Name" });
  await rig.ask(["archive", ref, "--yes"]);
  expect((await rig.refused(["send", ref, "x"])).code).toBe("conflict");
  expect((await rig.ask(["list", "--archived"])).threads).toContainEqual(
    expect.objectContaining({ ref, status: "archived" }),
  );
  await rig.ask(["restore", ref]);
  expect((await rig.ask(["send", "@second-name", "back", "--wait"])).last_message).toBe("ok: back");
});

describe("goals", () => {
  test("a goal set active starts turns by itself, stop pauses it and says so, clear ends it", async () => {
    const { ref } = await rig.ask(["new", "--name", "driven"]);
    const { goal } = await rig.ask(["goal", "set", ref, "keep going", "--token-budget", "500000"]);
    expect(goal).toMatchObject({ objective: "keep going", status: "active", token_budget: 500000 });
    const { events } = await rig.ask([
      "watch",
      ref,
      "--kinds",
      "turn.started",
      "--limit",
      "1",
      "--timeout",
      "20",
    ]);
    const turns =
      events.length > 0
        ? events
        : (await rig.ask(["events", "--thread", ref, "--kinds", "turn.started"])).events;
    expect(turns.length).toBeGreaterThan(0);
    expect(await rig.ask(["stop", ref])).toMatchObject({ goal_paused: true });
    expect((await rig.ask(["goal", "status", ref])).goal.status).toBe("paused");
    const ends = ["--kinds", "turn.completed", "--kinds", "turn.interrupted"];
    const ended = (await rig.ask(["events", "--thread", ref, ...ends])).events;
    const first = ended.find((event: { turn_id: string }) => event.turn_id === turns[0].turn_id);
    expect(first.data.origin).toBe("goal");
    await rig.ask(["goal", "clear", ref, "--yes"]);
    expect((await rig.ask(["goal", "status", ref])).goal).toBeNull();
  });

  test("of a new thread waits for its first text, and does not swallow it", async () => {
    const made = await rig.ask([
      "new",
      "--name",
      "goal and text",
      "--goal",
      "ship it",
      "--text",
      "first this",
    ]);
    expect(made).toMatchObject({ goal_set: true, message_accepted: true });
    await until("both", () =>
      rig.provider.requests.some((one) => JSON.stringify(one.body).includes("ship it")),
    );
    await rig.ask(["stop", made.ref]);
    expect(await rig.ask(["receipt", "get", made.receipt])).toMatchObject({ state: "done", joined: false });
    await rig.ask(["goal", "clear", made.ref, "--yes"]);
  });
});

test("models are listed with their tiers, offline too, and rule out what cannot be before a thread exists", async () => {
  const { models, aliases } = await rig.ask(["models"]);
  expect(models.length).toBeGreaterThan(0);
  const offline = await rig.ask(["models", "--no-refresh"]);
  expect(offline).toMatchObject({ source: "registry", aliases });
  expect(offline.models).toEqual(models);
  const before = (await rig.ask(["list"])).threads.length;
  const error = await rig.refused([
    "new",
    "--name",
    "no such model",
    "--model-provider",
    "openai",
    "--model",
    "nobody",
  ]);
  expect(error).toMatchObject({ code: "usage", message: expect.stringContaining(models[0].id) });
  expect((await rig.ask(["list"])).threads).toHaveLength(before);
});

test("a part of a title is enough to look, and never to write", async () => {
  const { ref } = await rig.thread("Quarterly Report", "hello");
  expect((await rig.ask(["get", "quarterly rep"])).ref).toBe(ref);
  expect((await rig.refused(["send", "quarterly rep", "x"])).code).toBe("not_found");
});
