/** `wait {ask_person: true}` in Claude Code and in Codex on a terminal: a form appears, a person answers it by keys. */
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../daemon/rig.ts";
import { codexExecutable } from "../../support/codex.ts";
import { dispatchRig, type Json, type Rig } from "../../support/dispatch.ts";
import { claudeHost } from "../../support/hosts/claude.ts";
import { codexHost } from "../../support/hosts/codex.ts";
import { installMs } from "../../support/hosts/installed.ts";
import { stringify } from "../../support/provider-script.ts";
import { noTmux, type Tmux, tmux } from "../../support/tmux.ts";

setDefaultTimeout(120_000);

let rig: Rig;
let terminal: Tmux;
let ends: (() => unknown)[] = [];

beforeEach(async () => {
  rig = dispatchRig();
  ends = [() => rig.dispose()];
  const asks = stringify([{ shell: "touch made-by-worker" }, { say: "it is done" }]);
  await rig.ask(["new", "--name", "worker", "--approval-policy", "untrusted", "--text", asks]);
}, installMs);

afterEach(async () => {
  for (let end = ends.pop(); end; end = ends.pop()) await end();
});

function open(env: Record<string, string>, command: string): void {
  terminal = tmux({
    columns: 100,
    rows: 40,
    env: { ...env, TERM: "xterm-256color" },
    cwd: rig.codex.cwd,
  });
  ends.push(() => terminal.dispose());
  terminal.shell(command);
}

/** The form is not shown any more. */
const isGone = (screen: string) => !screen.includes("wants to run");

const call = { threads: ["@worker"], ask_person: true };

interface Ready {
  /** The step of the model that waits and asks. */
  tool: Json;
  approve: Keys;
  /** Another way to leave the form, and what the question is then. */
  refuse: Keys;
  refused: Json;
  /** How many requests the model got. */
  texts(): number;
}

/** A host that asks a model of the test, opened on a terminal and ready for a text. */
const hosts: [name: string, start: () => Promise<Ready>][] = [
  [
    "Claude Code",
    async () => {
      const claude = await claudeHost(rig);
      ends.push(() => claude.dispose());
      await claude.run(["mcp", "add", "--scope", "user", "dispatch", "--", "dispatch", "mcp"]);
      const file = Bun.file(join(claude.config, ".claude.json"));
      // What a person answers at the first start.
      const first = {
        hasCompletedOnboarding: true,
        customApiKeyResponses: { approved: [claude.env["ANTHROPIC_API_KEY"]!.slice(-20)], rejected: [] },
        projects: { [rig.codex.cwd]: { hasTrustDialogAccepted: true } },
      };
      await Bun.write(file, JSON.stringify({ ...((await file.json()) as Json), ...first }));
      open(claude.env, `${claude.executable} --allowedTools mcp__dispatch`);
      await terminal.until("its prompt", (screen) => /^❯/m.test(screen));
      terminal.type("/mcp");
      await terminal.until("what it types", (screen) => screen.includes("❯ /mcp"));
      terminal.keys("Enter");
      await terminal.until("the server", (screen) => /✔ dispatch/.test(screen));
      terminal.keys("Escape");
      await terminal.until("its prompt", (screen) => !screen.includes("✔ dispatch"));
      return {
        tool: { tool: "mcp__dispatch__dispatch_wait", arguments: call },
        approve: [
          ["Right", (screen) => /❯ ◯ approve$/m.test(screen)],
          ["Enter", (screen) => /Decision: approve\n\s*❯ Accept/.test(screen)],
          ["Enter", isGone],
        ],
        refuse: [["Escape", isGone]],
        refused: { state: "open", decision: null },
        texts: () => claude.model.requests.length,
      };
    },
  ],
  [
    "Codex",
    async () => {
      const codex = codexHost(rig);
      ends.push(() => codex.dispose());
      const env = ["CODEX_HOME", "DISPATCH_HOME", "DISPATCH_CODEX"].flatMap((name) => [
        "--env",
        `${name}=${rig.env[name]}`,
      ]);
      await codex.run(["mcp", "add", "dispatch", ...env, "--", "dispatch", "mcp"]);
      const settings = [
        `model_providers.mock.base_url=${JSON.stringify(codex.model.url)}`,
        `projects={${JSON.stringify(rig.codex.cwd)}={trust_level="trusted"}}`,
      ].map((setting) => `-c '${setting}'`);
      open(codex.env, [codexExecutable(), "-a on-request", "-s workspace-write", ...settings].join(" "));
      await terminal.until("its prompt", (screen) => screen.includes("Ask Codex to do anything"));
      return {
        tool: { tool: "dispatch_wait", namespace: "mcp__dispatch", arguments: call },
        approve: [["Enter", isGone]],
        // By its number: in one start of ten Codex takes no key that begins with an escape, in tmux.
        refuse: [["3", isGone]],
        refused: { state: "answered", decision: "deny", answered_by: "person" },
        texts: () => codex.model.requests.length,
      };
    },
  ],
];

async function asked({ tool, texts }: Ready): Promise<string> {
  terminal.type(JSON.stringify([tool, { say: "the host is done" }]));
  await terminal.until("the text", (screen) => screen.includes("the host is done"));
  const before = texts();
  await terminal.press("Enter", () => texts() > before);
  return terminal.until("the form", (screen) => screen.includes("wants to run"));
}

/** The last message of the host's model. */
const isOver = /^[●•] the host is done/m;

/** Each key, and what the screen shows when it had its effect. */
type Keys = readonly (readonly [key: string, had: (screen: string) => boolean])[];

async function press(keys: Keys): Promise<void> {
  for (const [key, had] of keys) await terminal.press(key, had);
}

const answerOf = async () => (await rig.ask(["request", "list", "--all"])).requests[0] as Json;

describe.skipIf(noTmux !== undefined).each(hosts)("%s on a terminal", (_name, start) => {
  test("shows the whole question, and the person's answer reaches the worker", async () => {
    const host = await start();
    const form = await asked(host);
    for (const part of ["worker (", "touch made-by-worker", "outside the sandbox"])
      expect(form).toContain(part);
    expect(existsSync(join(rig.codex.cwd, "made-by-worker"))).toBe(false);
    await press(host.approve);
    await until(async () => (await answerOf())["state"] === "answered", "the answer");
    expect(await answerOf()).toMatchObject({ decision: "approve", answered_by: "person" });
    await terminal.until("the end", (screen) => isOver.test(screen));
    expect(existsSync(join(rig.codex.cwd, "made-by-worker"))).toBe(true);
  });

  test("does nothing when the person refuses, or sends the form away", async () => {
    const host = await start();
    await asked(host);
    await press(host.refuse);
    await terminal.until("the end", (screen) => isOver.test(screen));
    expect(await answerOf()).toMatchObject(host.refused);
    expect(existsSync(join(rig.codex.cwd, "made-by-worker"))).toBe(false);
  });
});
