/**
 * The real Codex, with less of a schema than it has: what it lacks is refused by name, all else works, and a Codex
 * without what delivery stands on is too old until another stands in its place.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { capabilities } from "../../src/codex/capabilities.ts";
import { features, lacksOf, tested } from "../../src/codex/features.ts";
import { offerOf } from "../../src/codex/offer.ts";
import { until } from "../daemon/rig.ts";
import { codexExecutable } from "../support/codex.ts";
import { dispatchRig, type Rig } from "../support/dispatch.ts";
import { stringify } from "../support/provider-script.ts";

setDefaultTimeout(60_000);

let rig: Rig;
let path: string;

/** The real one, whose schema speaks of each of these words under another name. */
function lacking(...words: string[]): void {
  const edits = words.map((word) => `-e 's#"${word}"#"gone"#g'`).join(" ");
  const edit =
    words.length === 0
      ? ":"
      : `sed -i ${edits} "$5"/ClientRequest.json "$5"/ServerRequest.json "$5"/ServerNotification.json`;
  const script = `#!/bin/sh
if [ "$2" = generate-json-schema ]; then '${codexExecutable()}' "$@" && ${edit}; exit; fi
exec '${codexExecutable()}' "$@"
`;
  writeFileSync(path, script, { mode: 0o755 });
}

beforeAll(() => {
  rig = dispatchRig();
  path = join(rig.codex.cwd, "codex");
  rig.env["DISPATCH_CODEX"] = path;
});
afterAll(() => rig.dispose());

test("the Codex that is installed here has all of it", async () => {
  const offer = await offerOf(codexExecutable(), rig.codex.env);
  expect(lacksOf(offer!)).toEqual([]);
  expect(offer!.calls.get("turn/start")!.has("clientUserMessageId")).toBe(true);
  expect(offer!.calls.get("turn/start")!.has("no such field")).toBe(false);
});

test("what does not run, or writes no schema, tells nothing", async () => {
  const tell = capabilities({ env: rig.codex.env });
  for (const not of ["/bin/false", "/bin/true", "/no/such/codex"]) expect(await tell(not)).toBeUndefined();
});

test("what was told is kept, and asked anew of another file", async () => {
  const file = join(rig.codex.cwd, "lacks.json");
  const tell = () => capabilities({ env: rig.codex.env, file })(path);
  lacking("thread/revert");
  const needs = async () => (await tell())!.map((lack) => lack.needs);
  expect(await needs()).toEqual([["thread/revert"]]);
  const kept = readFileSync(file, "utf8");
  writeFileSync(file, kept.replace('"thread/revert"', '"kept"'));
  expect(await needs()).toEqual([["kept"]]);
  lacking("thread/revert", "thread/compact/start");
  expect(await needs()).toEqual([["thread/revert"], ["thread/compact/start"]]);
  writeFileSync(file, "half of i");
  expect(await needs()).toHaveLength(2);
});

/** What is taken away, by what it is for. */
const lost: Record<string, string> = {
  "end what an interrupted turn left running": "thread/backgroundTerminals/clean",
  "take context without a turn": "thread/inject_items",
  "keep goals": "thread/goal/get",
  "fork a thread at a turn": "lastTurnId",
  "revert a thread": "thread/revert",
  "search its threads": "thread/search",
  "list models": "model/list",
  "list its own queue": "thread/queue/list",
};
const expected = Object.keys(lost);

describe("without eight of its features", () => {
  beforeAll(async () => {
    lacking(...Object.values(lost));
    await rig.thread("docs", "first");
    await rig.ask(["send", "@docs", "second", "--wait"]);
  });

  test("the daemon says so, and is not down", async () => {
    const { child, degraded } = await rig.ask(["daemon", "status"]);
    expect(child).toMatchObject({ state: "running", last_error: null });
    expect(degraded.map(({ code }: { code: string }) => code)).toEqual(expected.map(() => "agent"));
    for (const what of expected) expect(JSON.stringify(degraded)).toContain(`cannot ${what}: it has no`);
  });

  test.each<[string, string[]]>([
    ["revert a thread", ["revert", "@docs", "--turns", "1", "--yes"]],
    ["keep goals", ["goal", "set", "@docs", "ship it"]],
    ["list models", ["models"]],
  ])("cannot %s: refused by name, with the version found and those that were tested", async (what, args) => {
    const error = await rig.refused(args);
    expect(error).toMatchObject({ code: "agent", hint: "npm install -g @openai/codex@latest" });
    expect(error.message).toContain(`cannot ${what}: it has no`);
    expect(error.message).toContain(`tested with ${tested.from} to ${tested.to}`);
  });

  test("a fork at a turn is refused, and one at the end is not", async () => {
    const { latest_turn } = await rig.ask(["get", "@docs"]);
    const at = await rig.refused(["fork", "@docs", "--name", "cut", "--last-turn", latest_turn.id]);
    expect(at.message).toContain("cannot fork a thread at a turn");
    expect(await rig.ask(["fork", "@docs", "--name", "whole"])).toMatchObject({ title: "whole" });
  });

  test("a search looks through what dispatch itself has heard", async () => {
    const { matches } = await rig.ask(["search", "second"]);
    expect(matches.map(({ source }: { source: string }) => source)).toContain("index");
  });

  test("a turn is interrupted all the same, by stop and by an interjection", async () => {
    const slow = () => rig.ask(["send", "@docs", stringify([{ wait: "never" }, { say: "over" }])]);
    await slow();
    expect(await rig.ask(["stop", "@docs"])).toMatchObject({ state: "stopped" });
    await slow();
    const { receipt } = await rig.ask(["send", "@docs", "at once", "--interject"]);
    await rig.ask(["wait", receipt, "--timeout", "30"]);
    expect(await rig.ask(["receipt", "get", receipt])).toMatchObject({ outcome: "completed" });
  });

  test("context is accepted, and its receipt fails with the reason; the thread goes on", async () => {
    const sent = await rig.ask(["send", "@docs", "by the way", "--context"]);
    const receipt = await until(async () => {
      const now = await rig.ask(["receipt", "get", sent.receipt]);
      return now.state === "failed" && now;
    }, "the receipt's end");
    expect(receipt.error).toMatchObject({
      code: "agent",
      message: expect.stringContaining("cannot take context"),
    });
    expect(await rig.ask(["send", "@docs", "third", "--wait"])).toMatchObject({ outcome: "completed" });
  });

  test("doctor warns, and names each", async () => {
    const { json } = await rig.run(["doctor", "--no-app-server"]);
    const found = json.checks.find((check: { name: string }) => check.name === "capabilities");
    expect(found).toMatchObject({
      status: "warn",
      recovery: "npm install -g @openai/codex@latest",
      data: { used: features.length },
    });
    expect(found.data.lacks.map(({ feature }: { feature: string }) => feature)).toEqual(expected);
  });
});

test("a Codex that drops our id is too old: nothing is sent to it, the queue still accepts, and a newer one goes on", async () => {
  await rig.ask(["down"]);
  lacking("clientUserMessageId");
  await rig.ask(["up"]);
  const words = await until(
    async () => (await rig.ask(["daemon", "status"])).child.last_error,
    "why it is down",
  );
  expect(words).toContain("too old");
  expect(await rig.refused(["send", "@docs", "now"])).toMatchObject({
    code: "agent_down",
    message: expect.stringContaining("too old"),
  });
  const { receipt } = await rig.ask(["send", "@docs", "once it can", "--queue"]);
  const { json, code } = await rig.run(["doctor", "--no-app-server"]);
  expect(code).toBe(8);
  expect(json.checks.find((check: { name: string }) => check.name === "capabilities")).toMatchObject({
    status: "fail",
  });
  lacking();
  await rig.ask(["daemon", "retry"]);
  const { threads } = await rig.ask(["wait", receipt, "--timeout", "30"]);
  expect(threads).toHaveLength(1);
  expect(await rig.ask(["receipt", "get", receipt])).toMatchObject({ state: "done", outcome: "completed" });
  expect((await rig.ask(["daemon", "status"])).degraded).toEqual([]);
});
