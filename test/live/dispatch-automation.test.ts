/** What acts by itself, through the real Codex: wakes, clocks and notifications, also past a daemon that is killed. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until as reaches } from "../daemon/rig.ts";
import { binary, dispatchRig, type Json, type Rig } from "../support/dispatch.ts";
import { stringify } from "../support/provider-script.ts";

setDefaultTimeout(120_000);

let rig: Rig;

beforeAll(async () => {
  rig = dispatchRig();
  mkdirSync(rig.home, { recursive: true, mode: 0o700 });
  // The command of the notice is run as it is: it answers the question.
  const answer = `sed -n 's/.*"command":"dispatch \\([^"]*\\)".*/\\1/p' | xargs ${binary}`;
  writeFileSync(
    join(rig.home, "config.toml"),
    `[[notify]]\nkinds = ["waiting"]\nexec = ["/bin/sh", "-c", ${JSON.stringify(answer)}]\n`,
  );
  await rig.ask(["up"]);
});

afterAll(() => rig.dispose());

const kill = async () => process.kill((await rig.pids()).daemon, "SIGKILL");

const texts = async (thread: string): Promise<string[]> => {
  const { items } = await rig.ask(["tail", thread, "--full", "--limit", "100"]);
  return items.filter((item: Json) => item["type"] === "user_message").map((item: Json) => item["text"]);
};

test("a parent is woken once, with all answers, by three workers that end around two kills of the daemon", async () => {
  const parent = (await rig.thread("parent", [{ say: "I wait" }])).ref;
  for (const name of ["a", "b", "c"]) await rig.ask(["new", "--name", name]);
  const work = async (name: string) => {
    const text = stringify([{ say: `the answer of ${name}` }]);
    await rig.ask(["send", `@${name}`, text, "--wait", "--timeout", "30"]);
  };
  const { id } = await rig.ask(["subscribe", "@a", "@b", "@c", "--all", "--to", parent]);
  await work("b");
  await kill();
  await work("a");
  expect(await texts(parent)).toHaveLength(1);
  await kill();
  await work("c");
  const wake = await reaches(async () => (await texts(parent))[1], "the wake", 30_000);
  for (const name of ["a", "b", "c"]) expect(wake).toContain(`the answer of ${name}`);
  await rig.ask(["wait", parent, "--timeout", "30"]);
  const { subscriptions } = await rig.ask(["subscription", "list"]);
  expect(subscriptions).toMatchObject([{ id, state: "ended", fired: 1 }]);
  expect(await texts(parent)).toHaveLength(2);
  const { receipts } = await rig.ask(["receipt", "list", "--thread", parent]);
  expect(receipts[0].cause).not.toBeNull();
});

test("a clock and a condition fire through a restart, each moment once", async () => {
  const ref = (await rig.thread("clocked", [{ say: "ready" }])).ref;
  const add = (name: string, ...flags: string[]) => rig.ask(["trigger", "add", "--name", name, ...flags]);
  await add(
    "tick",
    "--thread",
    ref,
    "--when",
    "cron",
    "--cron",
    "*/2 * * * * *",
    "--action",
    "context",
    "--text",
    "tick {{trigger.slot}}",
  );
  const other = (await rig.thread("watcher", [{ say: "ready" }])).ref;
  await add(
    "after",
    "--thread",
    other,
    "--of",
    ref,
    "--when",
    "done",
    "--action",
    "queue",
    "--text",
    "{{thread.title}} said: {{turn.last_message}}",
  );
  await reaches(async () => (await rig.ask(["trigger", "get", "tick"])).fired >= 3, "three ticks", 30_000);
  await kill();
  await rig.ask(["send", ref, stringify([{ say: "news" }]), "--queue", "--wait", "--timeout", "30"]);
  await reaches(async () => (await texts(other)).includes("clocked said: news"), "the condition", 30_000);
  const tick = await reaches(
    async () => {
      const now = await rig.ask(["trigger", "get", "tick"]);
      return now.fired >= 6 && now;
    },
    "more ticks",
    30_000,
  );
  await rig.ask(["trigger", "pause", "tick"]);
  const slots = tick.firings.map(({ slot }: Json) => slot);
  expect(new Set(slots).size).toBe(slots.length);
  expect((await texts(other)).filter((text) => text === "clocked said: news")).toHaveLength(1);
  expect(await rig.ask(["trigger", "test", "tick"])).toMatchObject({
    would: "skip",
    next: expect.any(Array),
  });
});

test("a question is told to a program, and the command that it is told answers it", async () => {
  const text = stringify([{ shell: "touch approved", escalate: "to write" }, { say: "it went" }]);
  const created = await rig.ask([
    "new",
    "--name",
    "asks",
    "--approval-policy",
    "on-request",
    "--sandbox",
    "read-only",
    "--text",
    text,
  ]);
  const { requests } = await reaches(
    async () => {
      const found = await rig.ask(["request", "list", "--all", "--thread", created.ref]);
      return found.requests[0]?.state === "answered" && found;
    },
    "the answer",
    30_000,
  );
  expect(requests[0]).toMatchObject({ state: "answered", decision: "approve" });
});
