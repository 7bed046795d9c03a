/** What was said is found: in threads of our own, in those of another real app-server, and with Codex gone. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { type CodexAgent, codexAgent } from "../../src/codex/agent.ts";
import { until } from "../daemon/rig.ts";
import { codexExecutable } from "../support/codex.ts";
import { quietLog, recordingSink } from "../support/codex-sink.ts";
import { dispatchRig, folderIn, type Rig } from "../support/dispatch.ts";
import { stringify } from "../support/provider-script.ts";

setDefaultTimeout(60_000);

let rig: Rig;
let other: CodexAgent;
/** Of the other app: three turns, two in words and one that runs a command. */
let theirs: string;

beforeAll(async () => {
  rig = dispatchRig();
  await rig.ask(["up"]);
  // One after the other: of two that begin a new home at once, one may end while its database is made (up to 0.166).
  await until(async () => (await rig.ask(["daemon", "status"])).child.state === "running", "the first Codex");
  other = codexAgent({
    sink: recordingSink(),
    clock: systemClock,
    log: quietLog,
    env: rig.codex.env,
    version: "0.0.0",
    random: Math.random,
    executable: async () => codexExecutable(),
  });
  other.start();
  await other.ready(20_000);
  const { thread } = await other.startThread({ cwd: folderIn(rig, "aviary") });
  theirs = thread.id;
  await other.nameThread(theirs, "theirs");
  const texts = [
    "where does the heron nest?",
    stringify([{ shell: "echo flamin$((1))go" }, { say: "it says flamingo" }]),
    "and the heron again",
  ];
  for (const text of texts) await say(theirs, text);
});
afterAll(async () => {
  await other.close();
  await rig.dispose();
});

/** In a thread of the other app, to the end of the turn. */
async function say(threadId: string, text: string): Promise<void> {
  const { turn_id } = await other.startTurn({ thread_id: threadId, text, client_id: crypto.randomUUID() });
  for (let end = Date.now() + 20_000; Date.now() < end; await Bun.sleep(10)) {
    const { turns } = await other.listTurns(threadId, { cursor: null, limit: 1 });
    if (turns[0]?.id === turn_id && turns[0].status === "completed") return;
  }
  throw new Error(`their turn did not end: ${text}`);
}

const search = (...args: string[]) => rig.ask(["search", ...args]);

// biome-ignore lint/suspicious/noExplicitAny: what is not there fails the test
const hitsOf = (found: any) => found.matches.map((one: any) => one.snippet.slice(one.hit.start, one.hit.end));

test("what our own threads say and do is found the moment it is done", async () => {
  const made = await rig.thread("zoo", [{ shell: "echo tapir-$((40+2))" }, { say: "the Tapir has eaten" }]);
  const found = await search("tapir", "--managed");
  expect(found).toMatchObject({ truncated: false, note: null, next_cursor: null });
  const said = found.matches.filter((one: { type: string }) => one.type !== "user_message");
  expect(said).toMatchObject([
    { ref: made.ref, id: made.id, title: "zoo", type: "agent_message", source: "index" },
    { ref: made.ref, type: "command", source: "index" },
  ]);
  expect(hitsOf({ matches: said })[0]).toBe("Tapir");
  expect((await search('"tapir 42"')).matches).toMatchObject([{ type: "command" }]);
  expect(made.sync).toMatchObject({ state: "partial", source: "live", truncated: false });
});

test("a thread of another app is found by Codex, with the place; synced it is found whole, and once", async () => {
  const [before] = (await search("heron", "--unmanaged")).matches;
  expect(before).toMatchObject({ ref: null, id: theirs, title: "theirs", source: "codex" });
  expect(before.turn_id).toBeString();
  expect(Math.abs(Date.parse(before.at) - Date.now())).toBeLessThan(60_000);
  expect(hitsOf({ matches: [before] })).toEqual(["heron"]);
  // Codex looks through messages only: what a command printed is found once it was synced.
  expect((await search("flamin1go", "--unmanaged")).matches).toEqual([]);
  expect((await search("HERON nest", "--thread", theirs)).matches).toHaveLength(2);
  const synced = await rig.ask(["sync", theirs]);
  expect(synced).toMatchObject({
    id: theirs,
    source: "attached",
    writable: false,
    sync: { state: "complete", turns: 3, source: "history", truncated: false, error: null },
  });
  const after = await search("heron");
  expect(after.matches.length).toBeGreaterThan(2);
  expect(new Set(after.matches.map((one: { source: string }) => one.source))).toEqual(new Set(["index"]));
  const places = after.matches.map((one: { turn_id: string; item_id: string }) => one.turn_id + one.item_id);
  expect(new Set(places).size).toBe(places.length);
  expect(places).toContain(before.turn_id + before.item_id);
  expect((await search("flamin1go")).matches).toMatchObject([{ type: "command", id: theirs }]);
});

test("a bounded sync goes on where it stopped, past what is new", async () => {
  const { thread } = await other.startThread({ cwd: rig.codex.cwd });
  await other.nameThread(thread.id, "long");
  for (let n = 0; n < 6; n++) await say(thread.id, `pelican ${n}`);
  const sync = async (...args: string[]) => (await rig.ask(["sync", thread.id, ...args])).sync;
  expect(await sync("--max-turns", "2")).toMatchObject({ state: "partial", turns: 2, truncated: true });
  await say(thread.id, "pelican new");
  expect(await sync("--max-turns", "3")).toMatchObject({ state: "partial", turns: 5, truncated: true });
  expect(await sync("--full")).toMatchObject({ state: "complete", turns: 7, truncated: false });
  const pages: string[] = [];
  for (let cursor: string[] = []; ; ) {
    const page = await search("pelican", "--limit", "4", "--ascending", ...cursor);
    pages.push(...page.matches.map((one: { item_id: string }) => one.item_id));
    if (page.next_cursor === null) break;
    cursor = ["--cursor", page.next_cursor];
  }
  expect(pages).toHaveLength(14);
  expect(new Set(pages).size).toBe(14);
});

test("parts of texts without spaces are found, in threads of our own and by Codex in those of others", async () => {
  const text = "部署dispatch服务 🚀 データベース ที่นี่ 웹서버에서";
  const parts = ["部署", "务", "dispatch服", "🚀", "ベース", "นี่", "서버"];
  const { ref } = await rig.thread("scripts", [{ say: text }]);
  const { thread } = await other.startThread({ cwd: rig.codex.cwd });
  await other.nameThread(thread.id, "theirs in scripts");
  await say(thread.id, text);
  for (const part of parts) {
    const ours = await search(part, "--managed", "--thread", ref);
    expect(ours).toMatchObject({ truncated: false, note: null });
    expect(hitsOf(ours)).toContain(part);
    const found = await search(part, "--unmanaged");
    expect(found.matches).toMatchObject([{ id: thread.id, source: "codex" }]);
    expect(hitsOf(found)).toEqual([part]);
  }
  await rig.ask(["sync", thread.id]);
  for (const part of parts) {
    const [match] = (await search(part, "--thread", thread.id)).matches;
    expect(match).toMatchObject({ id: thread.id, source: "index" });
  }
  const { text: screen } = await rig.screen(["search", "服务", "--thread", ref]);
  expect(screen).toContain("部署dispatch服务 🚀");
  expect((await rig.refused(["search", "。"])).hint).toContain("dispatch search");
});

test("by directory, by repository and by time in the caller's zone", async () => {
  mkdirSync(join(rig.codex.cwd, "aviary/.git"), { recursive: true });
  writeFileSync(join(rig.codex.cwd, "aviary/.git/HEAD"), "");
  const inside = folderIn(rig, "aviary/nests");
  const found = async (...args: string[]) => (await search("heron", ...args)).matches.length;
  const all = await found();
  expect(await found("--dir", "aviary")).toBe(all);
  expect(await found("--dir", "avia")).toBe(0);
  expect(await found("--repo", inside)).toBe(all);
  expect(await found("--dir", inside)).toBe(0);
  expect(await found("--since", "1h")).toBe(all);
  expect(await found("--since", "today")).toBe(all);
  expect(await found("--until", "2020-01-01")).toBe(0);
  expect((await rig.refused(["search", "heron", "--since", "soon"])).message).toContain("--since");
});

test("on a terminal the hit is seen, and nothing that an agent wrote is obeyed", async () => {
  await rig.thread("loud", [{ say: "a \u001b[41mmarabou\u001b[0m \u202e here" }]);
  const { text, raw } = await rig.screen(["search", "marabou", "--managed"]);
  expect(text).toContain("loud");
  expect(raw).toMatch(/\u001b\[[0-9;]*mmarabou\u001b\[0m/);
  expect(raw).not.toContain("\u001b[41m");
  expect(raw).not.toContain("\u202e");
});

test("with Codex gone the index still answers, and says what is missing", async () => {
  const broken = { env: { DISPATCH_CODEX: "/nonexistent/codex" } };
  await rig.ask(["down", "--force"]);
  await rig.ask(["up"], broken);
  const found = await rig.ask(["search", "heron"], broken);
  expect(found.matches.length).toBeGreaterThan(2);
  expect(found).toMatchObject({ truncated: true, note: expect.stringContaining("only the local index") });
});
