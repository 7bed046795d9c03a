/** A thread with dispatch's own tools that another app has open, and what becomes of it here after that. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { until } from "../daemon/rig.ts";
import { codexExecutable } from "../support/codex.ts";
import { dispatchRig, type Json, type Rig } from "../support/dispatch.ts";
import { type Step, stringify } from "../support/provider-script.ts";
import { noTmux, type Tmux, tmux } from "../support/tmux.ts";

setDefaultTimeout(60_000);

let rig: Rig;
beforeAll(() => {
  rig = dispatchRig();
});
afterAll(() => rig.dispose());

const calling = (tool: string, args: Record<string, unknown> = {}): Step => ({
  tool,
  namespace: "dispatch_v1",
  arguments: args,
});
const output = () => {
  const items = rig.provider.requests.at(-1)!.body.input ?? [];
  return String(items.findLast((item) => item.type?.endsWith("_output"))?.output);
};

test("codex exec refuses a call at once, and the thread goes on here", async () => {
  const { ref, id } = await rig.thread("boss", "hello", ["--tools", "--sandbox", "read-only"]);
  await rig.ask(["give", ref]);
  const text = stringify([calling("dispatch_list"), { say: "that is all" }]);
  const exec = Bun.spawn([codexExecutable(), "exec", "--skip-git-repo-check", "resume", id, text], {
    cwd: rig.codex.cwd,
    env: rig.codex.env,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
    timeout: 30_000,
  });
  expect(await exec.exited).toBe(0);
  expect(output()).toBe("dynamic tool request failed");

  await rig.ask(["take", ref]);
  expect((await rig.ask(["get", ref])).tools).toBe("dispatch_v1");
  await rig.ask(["send", ref, text, "--wait", "--timeout", "30"]);
  expect(JSON.parse(output()).threads).toMatchObject([{ ref, status: "busy" }]);
});

describe.skipIf(noTmux !== undefined)("a person's terminal", () => {
  function resumed(id: string): Tmux {
    const terminal = tmux({
      columns: 100,
      rows: 40,
      env: { ...rig.env, TERM: "xterm-256color" },
      cwd: rig.codex.cwd,
    });
    const trusted = `projects={${JSON.stringify(rig.codex.cwd)}={trust_level="trusted"}}`;
    terminal.shell(`${codexExecutable()} resume ${id} -c '${trusted}'; echo "it is left"`);
    return terminal;
  }

  const callsOf = async (ref: string) =>
    (await rig.ask(["events", "--thread", ref, "--kinds", "tool.*"])).events as {
      kind: string;
      data: Json;
    }[];

  test("beside a running call is kept out, the call is answered, and the thread goes on", async () => {
    const worker = { name: "worker", text: stringify([{ wait: "beside" }, { say: "it is done" }]) };
    const { ref } = await rig.ask([
      "new",
      "--name",
      "beside",
      "--tools",
      "--sandbox",
      "read-only",
      "--approval-policy",
      "never",
      "--text",
      stringify([calling("dispatch_new", worker), calling("dispatch_wait", { threads: ["@worker"] })]),
    ]);
    await rig.provider.reached("beside");
    await until(
      async () => (await callsOf(ref)).filter(({ kind }) => kind === "tool.called").length === 2,
      "the wait",
    );
    const terminal = resumed((await rig.ask(["get", ref])).id);
    try {
      await terminal.until("that it may not write", (screen) => screen.includes("open in another app"));
      rig.provider.release("beside");
      await rig.ask(["wait", ref, "--timeout", "20"]);
      expect(output()).toContain("it is done");
      expect((await callsOf(ref)).map(({ kind, data }) => [kind, data["outcome"]])).toEqual([
        ["tool.called", undefined],
        ["tool.answered", "ok"],
        ["tool.called", undefined],
        ["tool.answered", "ok"],
      ]);
      await rig.ask([
        "send",
        ref,
        stringify([calling("dispatch_list"), { say: "on" }]),
        "--wait",
        "--timeout",
        "30",
      ]);
      expect(output()).toContain(ref);
      // The first one may interrupt a turn that has shown its answer and not ended yet.
      await terminal.press("C-c", (screen) => /^it is left/m.test(screen));
    } finally {
      terminal.dispose();
    }
  });

  test("that writes the thread refuses a call at once and goes on, and the tools work here after it", async () => {
    const { ref, id } = await rig.thread("lent", "hello", ["--tools", "--sandbox", "read-only"]);
    await rig.ask(["give", ref]);
    const terminal = resumed(id);
    try {
      await terminal.until("its prompt", (screen) => screen.includes("Ask Codex to do anything"));
      terminal.type(stringify([calling("dispatch_list"), { say: "the turn goes on" }]));
      await terminal.until("the text", (screen) => screen.includes("the turn goes on"));
      const before = rig.provider.requests.length;
      await terminal.press("Enter", () => rig.provider.requests.length > before);
      await terminal.until("the end of the turn", (screen) => /^• the turn goes on/m.test(screen));
      expect(output()).toBe("TUI task tools require the approval-gated MCP server");
      expect(await callsOf(ref)).toEqual([]);
      // The first one may interrupt a turn that has shown its answer and not ended yet.
      await terminal.press("C-c", (screen) => /^it is left/m.test(screen));
    } finally {
      terminal.dispose();
    }
    await rig.ask(["take", ref]);
    await rig.ask([
      "send",
      ref,
      stringify([calling("dispatch_list"), { say: "on" }]),
      "--wait",
      "--timeout",
      "30",
    ]);
    expect(output()).toContain(ref);
  });
});
