/** `tail`: what a thread did, as a person reads it, over the real Codex. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { dispatchRig, type Rig } from "../support/dispatch.ts";
import { stringify } from "../support/provider-script.ts";

setDefaultTimeout(60_000);

let rig: Rig;

beforeAll(() => {
  rig = dispatchRig();
});

afterAll(() => rig.dispose());

test("commands have their exit status, changes their diff, tool calls what they were given", async () => {
  const steps = stringify([
    { shell: "echo hi; exit 3" },
    { patch: "*** Begin Patch\n*** Add File: a.txt\n+one\n*** End Patch" },
    { tool: "dispatch_list", namespace: "dispatch_v1", arguments: { limit: 5 } },
    { say: "done" },
  ]);
  // Codex offers apply_patch to a model that it knows.
  const settings = ["--model", "gpt-5.5", "--sandbox", "workspace-write", "--tools"];
  const { ref } = await rig.ask(["new", "--name", "docs", ...settings, "--text", steps]);
  await rig.ask(["wait", ref, "--timeout", "30"]);

  const { items } = await rig.ask(["tail", ref]);
  expect(items.slice(1)).toMatchObject([
    { type: "command", exit_code: 3, arguments: null, text: "hi\n" },
    { type: "file_change", changes: [{ kind: "add" }], status: "completed" },
    { type: "tool_call", command: "dispatch_list", arguments: '{"limit":5}' },
    { type: "agent_message", text: "done" },
  ]);
  const { lines } = await rig.screen(["tail", ref]);
  const shown = lines.map((line) => line.trimEnd());
  expect(shown).toContain("  $ /bin/bash -lc 'echo hi; exit 3'  (exit 3)");
  expect(shown).toContain(`  add ${rig.codex.cwd}/a.txt`);
  expect(shown).toContain("  +one");
  expect(shown).toContain('  dispatch_list {"limit":5}');
});
