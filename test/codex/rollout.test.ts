import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rolloutHolds, rolloutPermissions, rolloutTools } from "../../src/codex/rollout.ts";

const folder = mkdtempSync(join(tmpdir(), "dispatch-rollout-"));
afterAll(() => rmSync(folder, { recursive: true }));

function written(...lines: (object | string)[]): string {
  const path = join(folder, `${crypto.randomUUID()}.jsonl`);
  const texts = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line)));
  writeFileSync(path, texts.join("\n"));
  return path;
}

const context = (sandbox: string, approval_policy: string, more: object = {}) => ({
  type: "turn_context",
  payload: { cwd: "/repo", approval_policy, sandbox_policy: { type: sandbox }, ...more },
});

test("what the newest turn runs with is told, whatever was said of it since", async () => {
  const said = { type: "response_item", payload: { text: 'a "turn_context" is a line of a rollout' } };
  const path = written(context("read-only", "untrusted"), context("workspace-write", "never"), said, "");
  expect(await rolloutPermissions(path)).toEqual({
    sandbox: "workspace-write",
    approval_policy: "never",
    cwd: "/repo",
    details: { writable_roots: [], network_access: false, exclude_slash_tmp: false, exclude_tmpdir: false },
  });
  const policy = { type: "workspace-write", writable_roots: ["/other"], network_access: true };
  const wide = context("workspace-write", "never", {
    sandbox_policy: { ...policy, exclude_slash_tmp: true },
  });
  expect((await rolloutPermissions(written(wide)))?.details).toEqual({
    writable_roots: ["/other"],
    network_access: true,
    exclude_slash_tmp: true,
    exclude_tmpdir: false,
  });
});

test("a line that was cut off says nothing: the one before it counts", async () => {
  const torn = JSON.stringify(context("danger-full-access", "never")).slice(0, -9);
  expect((await rolloutPermissions(written(context("read-only", "untrusted"), torn)))?.sandbox).toBe(
    "read-only",
  );
});

test("of a profile of the user's own, of words that are not known, and of nothing, nothing is told", async () => {
  const profile = { active_permission_profile: { id: "mine" } };
  const unsure = [
    written(context("read-only", "untrusted"), context("workspace-write", "never", profile)),
    written(context("read-only", "untrusted"), context("external-sandbox", "never")),
    written(context("read-only", "untrusted"), { type: "turn_context" }),
    written(""),
    join(folder, "none.jsonl"),
  ];
  for (const path of unsure) expect(await rolloutPermissions(path)).toBeNull();
});

test("an injected item is found by its id, and not in a file that is not there", async () => {
  const path = written({ type: "response_item", payload: { id: "item-1" } });
  expect([await rolloutHolds(path, "item-1"), await rolloutHolds(path, "item-")]).toEqual([true, false]);
  expect(await rolloutHolds(join(folder, "none.jsonl"), "item-1")).toBe(false);
});

test("of a policy of several parts each is told, and nobody ranks it", async () => {
  const line = context("read-only", "never", { approval_policy: { granular: { rules: true } } });
  expect(await rolloutPermissions(written(line))).toMatchObject({
    approval_policy: "granular",
    approval_details: { rules: true },
  });
});

test("the tools of dispatch that a thread was made with are in the first line, however long that is", async () => {
  const tool = (name: string) => ({ type: "namespace", name, tools: [] });
  const meta = (dynamic_tools: object[] | null, more: object = {}) => ({
    type: "session_meta",
    payload: { ...more, dynamic_tools },
  });
  const tools = [tool("dispatch_v1"), tool("theirs")];
  expect(await rolloutTools(written(meta(tools), "{}"))).toEqual(["dispatch_v1"]);
  const long = { base_instructions: { text: "x".repeat(200_000) } };
  expect(await rolloutTools(written(meta(tools, long), "{}"))).toEqual(["dispatch_v1"]);
  expect(await rolloutTools(written(meta(null), "{}"))).toEqual([]);
  const unknown = [written(""), written('{"type":"session_meta","pay'), written({ type: "turn_context" })];
  for (const path of [...unknown, join(folder, "none.jsonl"), null])
    expect(await rolloutTools(path)).toBeNull();
});
