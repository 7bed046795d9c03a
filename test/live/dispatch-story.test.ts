/** One day with dispatch through pipes: every answer is JSON, and fits the schema that its command gives of it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { identityOf, isAlive } from "../../src/base/identity.ts";
import { dispatchRig, type Json, type Rig } from "../support/dispatch.ts";
import { type Checked, outputSchemas } from "../support/dispatch-schema.ts";
import { stringify } from "../support/provider-script.ts";

let rig: Rig;
let schemas: Checked;

beforeAll(async () => {
  rig = dispatchRig();
  schemas = await outputSchemas(rig);
}, 30_000);

afterAll(() => rig.dispose(), 30_000);

async function ask(command: string, ...args: string[]) {
  const out = await rig.ask([...command.split(" "), ...args]);
  schemas.fits(command, out);
  return out;
}

test("no command but up has started a daemon", async () => {
  expect((await rig.refused(["daemon", "status"])).code).toBe("daemon_down");
  expect(await ask("up")).toMatchObject({ status: "started", home: rig.home });
  expect(await ask("up")).toMatchObject({ status: "already_running" });
  expect(await ask("list")).toEqual({ threads: [], truncated: false, next_cursor: null });
});

test("a thread is created with its first text, and its id is durable", async () => {
  const created = await ask(
    "new",
    "--name",
    "Docs: the API",
    "--text",
    stringify([{ wait: "docs" }, { say: "half" }]),
  );
  expect(created).toMatchObject({
    title: "Docs: the API",
    handle: "docs-the-api",
    source: "own",
    setup: null,
    message_accepted: true,
    cwd: rig.codex.cwd,
    sandbox: "danger-full-access",
  });
  expect(created.ref).toMatch(/^[bcdfghjkmnpqrstvwxyz][0-9bcdfghjkmnpqrstvwxyz]{5}$/);
  expect(created.id).toMatch(/^[0-9a-f-]{36}$/);
});

test("watch --follow --deltas tells what the model writes while it writes, and the log keeps none of it", async () => {
  const words = ["piece by piece, ", "the whole answer"];
  const script = JSON.stringify([
    { wait: "watched" },
    { say: words.join(""), deltas: 2 },
    { wait: "written" },
  ]);
  const { ref } = await rig.thread("writer");
  // From before the turn: the watch may begin later than it.
  const { next_cursor } = await ask("events", "--limit", "1");
  const following = rig.stream(["watch", ref, "--follow", "--deltas", "--since", next_cursor]);
  const sent = await ask("send", ref, script);
  const pieces = () => following.rows.filter((row) => row.kind === "delta");
  // What was written before the watch began is not in it.
  await following.row("turn.started", (row) => row.kind === "turn.started");
  rig.provider.release("watched");
  await following.row(
    "the last piece",
    () =>
      pieces()
        .map((row) => row.data.text)
        .join("") === words.join(""),
  );
  expect(pieces()[0]).toMatchObject({ thread: ref, turn_id: sent.turn_id, data: { type: "agent_message" } });
  rig.provider.release("written");
  const over = await following.row("turn.completed", (row) => row.kind === "turn.completed");
  expect(over.cursor).toBeString();
  following.signal("SIGINT");
  expect((await following.ended()).code).toBe(0);
  const { events } = await ask("events", "--thread", ref, "--limit", "1000");
  expect(events.map((row: { kind: string }) => row.kind)).not.toContain("delta");
  await ask("forget", ref, "--yes");
});

test("watch --follow tells of a turn as it goes, one JSON object a line", async () => {
  // The streams may begin after the turn is over.
  const { next_cursor } = await ask("events", "--limit", "1");
  const following = rig.stream(["watch", "@docs-the-api", "--follow", "--since", next_cursor]);
  const all = rig.stream(["events", "--follow", "--since", next_cursor]);
  await rig.provider.reached("docs");
  expect(await ask("get", "@docs-the-api")).toMatchObject({
    status: "busy",
    confidence: "live",
    latest_turn: { status: "in_progress", origin: "ours" },
  });
  expect(await ask("daemon status")).toMatchObject({ running: [{ title: "Docs: the API" }] });
  rig.provider.release("docs");
  const over = await following.row("turn.completed", (row) => row.kind === "turn.completed");
  expect(over).toMatchObject({
    thread: expect.any(String),
    cursor: expect.any(String),
    turn_id: expect.any(String),
  });
  await all.row("turn.completed", (row) => row.kind === "turn.completed");
  for (const stream of [following, all]) {
    stream.signal("SIGINT");
    expect(await stream.ended()).toEqual({ code: 0, stderr: "" });
  }
  const seqs = following.rows.map((row) => row.seq);
  expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
});

test("wait ends when the work is done, and tail shows what was said", async () => {
  const waited = await ask("wait", "@docs-the-api", "--timeout", "20");
  expect(waited).toMatchObject({ timed_out: false, verdict: "ok", threads: [{ status: "idle" }] });
  const { items } = await ask("tail", "@docs-the-api");
  expect(items.map((item: Json) => item["type"])).toEqual(["user_message", "agent_message"]);
  expect(items[1].text).toBe("half");
});

test("a turn's times go forward", async () => {
  const { latest_turn } = await ask("get", "@docs-the-api");
  expect(Date.parse(latest_turn.completed_at)).toBeGreaterThanOrEqual(Date.parse(latest_turn.started_at));
});

test("send gives a receipt, which says to the end what became of the text", async () => {
  const sent = await ask("send", "@docs-the-api", "and now?");
  expect(sent).toMatchObject({
    message_accepted: true,
    mode: "send",
    attempt: 1,
    joined: false,
    error: null,
  });
  expect(["sent", "delivered", "done"]).toContain(sent.state);
  await ask("wait", sent.receipt, "--timeout", "20");
  expect(await ask("receipt get", sent.receipt)).toMatchObject({
    state: "done",
    outcome: "completed",
    turn_id: expect.any(String),
  });
});

test("send --wait answers with what the agent said; - reads the text from standard input", async () => {
  const out = await rig.ask(["send", "@docs-the-api", "-", "--wait"], { stdin: "from a pipe\n" });
  schemas.fits("send", out);
  expect(out).toMatchObject({ state: "done", verdict: "ok", last_message: "ok: from a pipe\n" });
});

test("any text comes through to the model as it is", async () => {
  const text = "a\r\nb\u0000c\ufeff cafe\u0301 \x1b[31m <tag> /goal {{x}} 𝄞";
  const out = await rig.ask(["send", "@docs-the-api", "-", "--wait"], { stdin: text });
  expect(out.last_message).toBe(`ok: ${text}`);
});

test("stop ends the running turn, and an idle thread has nothing to stop", async () => {
  await ask("send", "@docs-the-api", stringify([{ wait: "stopped" }, { say: "never" }]));
  await rig.provider.reached("stopped");
  expect(await ask("stop", "@docs-the-api")).toMatchObject({
    state: "stopped",
    status: "idle",
    latest_turn: { status: "interrupted" },
  });
  expect(await ask("stop", "@docs-the-api")).toMatchObject({ state: "nothing_running", turn_id: null });
  expect(await ask("send", "@docs-the-api", "go on", "--wait")).toMatchObject({ verdict: "ok" });
});

test("a question is shown, answered, and the turn goes on", async () => {
  const script = stringify([{ shell: "touch asked-for", escalate: "to write a file" }, { say: "written" }]);
  await ask(
    "new",
    "--name",
    "careful",
    "--sandbox",
    "read-only",
    "--approval-policy",
    "on-request",
    "--text",
    script,
  );
  expect(await ask("wait", "@careful", "--for", "waiting", "--timeout", "20")).toMatchObject({
    verdict: "ok",
  });
  const { requests } = await ask("request list");
  expect(requests).toHaveLength(1);
  expect(requests[0]).toMatchObject({
    kind: "command_approval",
    state: "open",
    command: expect.stringContaining("touch asked-for"),
    options: ["approve", "approve_for_session", "deny", "cancel"],
  });
  expect(await ask("get", "@careful")).toMatchObject({
    status: "waiting",
    requests: [{ id: requests[0].id }],
  });
  await ask("request get", requests[0].id);
  expect(await ask("request answer", requests[0].id, "--approve")).toMatchObject({
    state: "answered",
    decision: "approve",
    answered_by: "cli",
  });
  expect(await ask("wait", "@careful", "--timeout", "20")).toMatchObject({ verdict: "ok" });
  expect(await Bun.file(`${rig.codex.cwd}/asked-for`).exists()).toBe(true);
});

test("list shows the newest activity first, get the whole of one", async () => {
  const { threads } = await ask("list");
  expect(threads.map((thread: Json) => thread["title"])).toEqual(["careful", "Docs: the API"]);
  expect((await ask("list", "--status", "idle")).threads).toHaveLength(2);
  expect((await ask("list", "--cwd", "elsewhere")).threads).toEqual([]);
  expect((await ask("list", "--limit", "1")).threads).toHaveLength(1);
  expect(await ask("get", threads[1].ref)).toMatchObject({ handle: "docs-the-api", queue: { pending: 0 } });
});

test("the log tells who asked for what, the events what happened; a cursor goes on exactly", async () => {
  const { calls } = await ask("daemon log", "--limit", "100");
  expect(calls.map((call: Json) => call["op"])).toContain("thread.new");
  expect(JSON.stringify(calls)).not.toContain("from a pipe");
  const page = await ask("events", "--limit", "5");
  expect(page.events).toHaveLength(5);
  const { ref } = await ask("get", "@careful");
  const since = await ask("watch", "@careful", "--since", page.events[0].cursor, "--timeout", "0");
  expect(since.events.every((row: Json) => row["thread"] === ref)).toBe(true);
  const rest = await ask("events", "--since", page.events[0].cursor);
  expect(rest.events.slice(0, 4)).toEqual(page.events.slice(1));
});

test("the daemon's raw log is told, and holds no text of anybody", async () => {
  const { lines } = await ask("daemon log", "--raw", "--limit", "500");
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.join("\n")).not.toMatch(/from a pipe|and now|asked-for/);
});

test("forget wants a yes, keeps Codex's thread, and its handle is free again", async () => {
  const refusal = await rig.refused(["forget", "@careful"]);
  expect(refusal).toMatchObject({ code: "usage", hint: "dispatch forget @careful --yes" });
  expect(await ask("forget", "@careful", "--yes")).toMatchObject({ forgotten: true, title: "careful" });
  expect((await rig.refused(["get", "@careful"])).code).toBe("not_found");
  expect(await ask("new", "--name", "careful")).toMatchObject({
    handle: "careful",
    receipt: null,
    status: "idle",
  });
});

test("down stops daemon and Codex, and nothing starts them again but up", async () => {
  const { daemon, child } = await rig.pids();
  const processes = [daemon, child!].map((pid) => identityOf(pid)!);
  expect(await ask("down")).toEqual({ status: "stopped", pid: daemon });
  expect(processes.filter(isAlive)).toEqual([]);
  expect(await rig.refused(["list"])).toMatchObject({ code: "daemon_down", hint: "dispatch up" });
  expect(await ask("down")).toEqual({ status: "not_running", pid: null });
  expect(await ask("up")).toMatchObject({ status: "started" });
  expect(await ask("get", "@docs-the-api")).toMatchObject({ title: "Docs: the API", status: "idle" });
});

test("a thread that an earlier daemon made takes work in this one", async () => {
  expect(await ask("send", "@docs-the-api", "still there?", "--wait")).toMatchObject({
    verdict: "ok",
    last_message: "ok: still there?",
  });
});

test("every command has a schema that compiles, and composed spellings find theirs", async () => {
  expect(schemas.commands).toEqual(expect.arrayContaining(["up", "new", "send", "request answer"]));
  expect(await ask("schema", "--", "list", "--limit")).toMatchObject({ op: "thread.list" });
  expect(await ask("schema", "message.send")).toMatchObject({ command: "send" });
  expect(await rig.refused(["schema", "sned"])).toMatchObject({ code: "not_found" });
});
