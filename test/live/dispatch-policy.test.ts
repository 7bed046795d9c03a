/** Questions that a rule answers, against the real Codex: what it runs then, and what a person is still asked. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dispatchRig, type Json, type Rig } from "../support/dispatch.ts";
import { type Step, stringify } from "../support/provider-script.ts";

setDefaultTimeout(60_000);

let rig: Rig;

beforeAll(async () => {
  const server = JSON.stringify(join(import.meta.dir, "../support/codex-mcp.ts"));
  const command = JSON.stringify(process.execPath);
  rig = dispatchRig({ config: `[mcp_servers.echo]\ncommand = ${command}\nargs = [${server}]\n` });
  await rig.ask(["up"]);
});

afterAll(() => rig.dispose());

const config = (toml: string) => writeFileSync(join(rig.home, "config.toml"), toml);
const made = (name: string) => existsSync(join(rig.codex.cwd, name));
const touching = (name: string, before = ""): Step => ({
  shell: `${before}touch ${name}`,
  escalate: "to write",
});
const careful = ["--sandbox", "read-only", "--approval-policy", "on-request"];

const plainly = `[[policy.rules]]
kind = "command_approval"
command = "touch"
answer = "approve"
`;
const touches = `${plainly}outside_sandbox = true
`;

async function begun(name: string, script: Step[], flags: readonly string[] = []): Promise<string> {
  const text = stringify([...script, { say: "on" }]);
  return (await rig.ask(["new", "--name", name, ...careful, ...flags, "--text", text])).ref;
}

const over = (ref: string) => rig.run(["wait", ref, "--timeout", "30"]);

async function asked(ref: string): Promise<Json[]> {
  return (await rig.ask(["request", "list", "--thread", ref, "--all"])).requests;
}

test("a rule approves its own command as Codex writes it, and says which it was", async () => {
  config(touches);
  const ref = await begun("ruled", [touching("ruled")]);
  expect((await over(ref)).code).toBe(0);
  expect(made("ruled")).toBe(true);
  expect(await asked(ref)).toMatchObject([
    {
      state: "answered",
      decision: "approve",
      answered_by: "policy rule 1",
      command: "/bin/bash -lc 'touch ruled'",
    },
  ]);
});

test("an escalated command is a person's, unless the rule says that it may run outside the sandbox", async () => {
  config(plainly);
  const ref = await begun("plain rule", [touching("escalated")]);
  expect((await over(ref)).code).toBe(6);
  expect(await asked(ref)).toMatchObject([{ state: "open", outside_sandbox: true }]);
  expect(made("escalated")).toBe(false);
  await rig.ask(["stop", ref]);
});

/** Measured: Codex runs the approved command again outside, without a question, when the sandbox stopped it. */
test("under untrusted an approved command leaves the sandbox too, so a plain rule approves none", async () => {
  config(plainly);
  await sooner(async (at) => {
    const untrusted = ["--approval-policy", "untrusted"];
    const text = stringify([{ shell: `touch untrusted-${at}` }, { say: "on" }]);
    const flags = ["--sandbox", "read-only", ...untrusted, "--text", text];
    const { ref } = await rig.ask(["new", "--name", `untrusted ${at}`, ...flags]);
    expect((await over(ref)).code).toBe(6);
    const [request] = await asked(ref);
    expect(request).toMatchObject({ state: "open", outside_sandbox: true });
    await rig.ask(["request", "answer", String(request!["id"]), "--approve"]);
    await over(ref);
    // The folder is read-only in the sandbox.
    return made(`untrusted-${at}`);
  });
});

/** Codex does not always see that the sandbox stopped a command: on a busy machine it misses some (measured). */
async function sooner(holds: (at: number) => Promise<boolean>): Promise<void> {
  const tries = 30;
  for (let at = 0; at < tries; at++) if (await holds(at)) return;
  throw new Error(`not once in ${tries} tries`);
}

// Linux says in /proc whether a filter is on.
test.if(process.platform === "linux")("so does one that only says that the sandbox stopped it", async () => {
  config("");
  const line = "grep Seccomp: /proc/self/status";
  const where = async (shell: string, at = 0): Promise<string> => {
    const flags = ["--sandbox", "read-only", "--approval-policy", "untrusted"];
    const { ref } = await rig.ask([
      "new",
      "--name",
      `${at} ${shell}`,
      ...flags,
      "--text",
      stringify([{ shell }]),
    ]);
    await over(ref);
    const [request] = await asked(ref);
    await rig.ask(["request", "answer", String(request!["id"]), "--approve"]);
    await over(ref);
    const { items } = await rig.ask(["tail", ref]);
    return items.find(({ type }: Json) => type === "command").text;
  };
  expect(await where(line)).toBe("Seccomp:\t2\n");
  const failing = `${line}; echo Permission denied; exit 1`;
  await sooner(async (at) => (await where(failing, at)).startsWith("Seccomp:\t0\n"));
});

test("a patch inside the writable folder is approved by a plain rule, one outside of it is not", async () => {
  config('[[policy.rules]]\nkind = "file_change_approval"\nanswer = "approve"\n');
  const at = (path: string) => join(rig.codex.cwd, path);
  const patch = (path: string): Step => ({
    patch: `*** Begin Patch\n*** Add File: ${path}\n+x\n*** End Patch`,
  });
  const script = stringify([patch(at("inner/in")), patch(at("out")), { say: "on" }]);
  mkdirSync(at("inner"));
  const settings = ["--sandbox", "workspace-write", "--approval-policy", "untrusted", "--model", "gpt-5.5"];
  const flags = [...settings, "--cwd", at("inner"), "--text", script];
  const { ref } = await rig.ask(["new", "--name", "patches", ...flags]);
  expect((await over(ref)).code).toBe(6);
  expect([made("inner/in"), made("out")]).toEqual([true, false]);
  const requests = await asked(ref);
  expect(requests.map(({ outside_sandbox, state }) => [outside_sandbox, state]).toSorted()).toEqual([
    [false, "answered"],
    [true, "open"],
  ]);
  await rig.ask(["stop", ref]);
});

describe("a person is asked", () => {
  const lines = [
    "touch tricked; touch x",
    "touch $(echo tricked)",
    "touch tricked > x",
    "A=1 touch tricked",
    "env touch tricked",
  ];
  for (const [at, line] of lines.entries()) {
    test(`of ${line}`, async () => {
      config(touches);
      const ref = await begun(`trick ${at}`, [{ shell: line, escalate: "to write" }]);
      expect((await over(ref)).code).toBe(6);
      expect(made("tricked")).toBe(false);
      await rig.ask(["stop", ref]);
    });
  }

  test("of everything, while the configuration is broken", async () => {
    config(touches);
    const ref = await begun("broken", [{ wait: "broken" }, touching("broken")]);
    await rig.provider.reached("broken");
    config(`${touches}answr = "approve"\n`);
    rig.provider.release("broken");
    expect((await over(ref)).code).toBe(6);
    expect(await asked(ref)).toMatchObject([{ state: "open" }]);
    // Mended, it is read at the next question; this one stays a person's.
    config(touches);
    expect(await asked(ref)).toMatchObject([{ state: "open" }]);
    await rig.ask(["stop", ref]);
    expect(made("broken")).toBe(false);
  });
});

test("a thread that is denied everything goes on without, and approves what a rule names", async () => {
  config(touches);
  const script: Step[] = [
    { shell: "mkdir denied", escalate: "to write" },
    touching("allowed"),
    { tool: "echo", namespace: "mcp__echo", arguments: { text: "x" } },
  ];
  const ref = await begun("denied", script, ["--requests", "deny"]);
  expect((await over(ref)).code).toBe(0);
  expect([made("denied"), made("allowed")]).toEqual([false, true]);
  const answers = (await asked(ref)).map(({ kind, decision, answered_by }) => [kind, decision, answered_by]);
  expect(answers.toSorted()).toEqual([
    ["command_approval", "approve", "policy rule 1"],
    ["command_approval", "deny", "policy of the thread"],
    ["mcp_tool_approval", "deny", "policy of the thread"],
  ]);
});

test("a server's tool is approved by its name", async () => {
  config('[[policy.rules]]\nkind = "mcp_tool_approval"\ncommand = "echo echo"\nanswer = "approve"\n');
  const ref = await begun("tool", [{ tool: "echo", namespace: "mcp__echo", arguments: { text: "x" } }]);
  expect((await over(ref)).code).toBe(0);
  expect(await asked(ref)).toMatchObject([{ kind: "mcp_tool_approval", decision: "approve" }]);
});

test("what nobody answers in time is declined, and the turn goes on", async () => {
  config("[policy]\nrequest_timeout = 1\n");
  const ref = await begun("late", [touching("late")]);
  await rig.ask(["wait", ref, "--for", "waiting", "--timeout", "20"]);
  const { events } = await rig.ask([
    "watch",
    ref,
    "--kinds",
    "turn.completed",
    "--limit",
    "1",
    "--timeout",
    "20",
  ]);
  expect(events).toHaveLength(1);
  expect(await asked(ref)).toMatchObject([{ state: "expired", decision: null }]);
  expect(made("late")).toBe(false);
});

test("rules are tried on what was asked before, and nothing is done", async () => {
  config("");
  const ref = await begun("past", [touching("past")]);
  await rig.ask(["wait", ref, "--for", "waiting", "--timeout", "20"]);
  const [request] = (await rig.ask(["get", ref])).requests;
  await rig.ask(["request", "answer", request.id, "--deny"]);
  await over(ref);
  const file = join(rig.home, "tried.toml");
  writeFileSync(file, touches);
  const tried = await rig.ask(["request", "replay", "--rules", file, "--since", "1h", "--thread", ref]);
  expect(tried).toMatchObject({
    requests: [
      { id: request.id, decision: "deny", outside_sandbox: true, would: "approve", by: "policy rule 1" },
    ],
    counts: { total: 1, ask: 0, deny: 0, approve: 1, against: 1 },
    next_cursor: null,
  });
  expect(made("past")).toBe(false);
  const all = await rig.ask(["request", "replay", "--rules", file, "--limit", "2"]);
  expect(all.requests).toHaveLength(2);
  expect(all.counts.total).toBeGreaterThan(5);
  writeFileSync(file, "[[policy.rules]]\n");
  const error = await rig.refused(["request", "replay", "--rules", file]);
  expect(error.message).toContain("tried.toml:1");
});
