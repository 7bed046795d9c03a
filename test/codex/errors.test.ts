import { expect, test } from "bun:test";
import { correctConfig, isRefusal, refusalOf, refusedError } from "../../src/codex/errors.ts";
import { forkParams, sourceKinds, startParams } from "../../src/codex/params.ts";

const id = "01a2034e-7df6-7000-8000-000000000000";

test.each([
  [-32600, `thread not found: ${id}`, "not_loaded"],
  [-32600, `thread not loaded: ${id}`, "no_rollout"],
  [-32600, `no rollout found for thread id ${id}`, "no_rollout"],
  [-32600, `no archived rollout found for thread id ${id}`, "no_rollout"],
  [
    -32603,
    `failed to read thread: invalid thread-store request: no rollout found for thread id ${id}`,
    "no_rollout",
  ],
  [-32600, `invalid paginated history lineage for ${id}: missing source rollout`, "no_history"],
  [-32600, `thread ${id} already has an active writer`, "active_writer"],
  [-32600, `session ${id} is archived. Run codex unarchive ${id} ...`, "archived"],
  [-32600, "no active turn to steer", "no_active_turn"],
  [-32600, "no active turn to interrupt", "no_active_turn"],
  [-32600, "expected active turn id `X` but found `Y`", "turn_mismatch"],
  [-32600, "invalid thread id: invalid character", "bad_thread_id"],
  [-32001, "Server overloaded; retry later.", "overloaded"],
  [-32602, "Input exceeds the maximum length of 1048576 characters.", "too_large"],
  [-32600, "failed to load configuration: Model provider `nope` not found", "bad_config"],
  [-32600, "failed to reload config: /h/config.toml:21:5: unclosed table", "bad_config"],
  [-32600, "failed to read configuration layers: /h/config.toml:21:5: unclosed table", "bad_config"],
])("%i %s is %s", (code, message, reason) => {
  expect(refusalOf({ code, message })).toBe(reason as ReturnType<typeof refusalOf>);
});

test("a too large input is told by its data, whatever the words", () => {
  expect(refusalOf({ code: -32602, message: "?", data: { input_error_code: "input_too_large" } })).toBe(
    "too_large",
  );
});

test("a refusal names the call, and its words are cut", () => {
  const error = refusedError("thread/foo", { code: -32600, message: "x".repeat(9000) });
  expect(error.message).toStartWith("codex refused thread/foo: xxx");
  expect(String(error.data!["words"])).toHaveLength(500);
  expect(isRefusal(error, "other")).toBe(true);
  expect(isRefusal(error, "archived")).toBe(false);
  expect(isRefusal(new Error("x"), "other")).toBe(false);
});

test("an error without a message is still a refusal", () => {
  expect(refusedError("m", {}).data).toEqual({ reason: "other", words: "no reason given" });
});

test("a method that it does not know is told as that, without the list of all that it knows", () => {
  const message =
    "Invalid request: unknown variant `thread/revert`, expected one of `initialize`, `thread/start`";
  const error = refusedError("thread/revert", { code: -32600, message });
  expect([error.message, error.hint]).toEqual([
    "codex refused thread/revert: it does not know this method",
    expect.stringContaining("dispatch doctor"),
  ]);
  const param = "Invalid request: unknown variant `dispatch`, expected one of `user`, `subagent`";
  expect(refusedError("thread/start", { code: -32600, message: param }).message).toContain("`dispatch`");
});

test.each<[string, Record<string, unknown>, string, string]>([
  ["thread/fork", { lastTurnId: "zzz" }, "turn not found: zzz", "not_found"],
  [
    "thread/start",
    { modelProvider: "nobody" },
    "failed to load configuration: Model provider `nobody` not found",
    "usage",
  ],
  [
    "thread/fork",
    { config: { model_provider: "nobody" } },
    "failed to load configuration: Model provider `nobody` not found",
    "usage",
  ],
  [
    "thread/start",
    { config: { approval_policy: "zzz" } },
    "failed to load configuration: unknown variant `zzz`, expected one of `never`\nin `approval_policy`\n",
    "usage",
  ],
  [
    "thread/start",
    { config: { sandbox_workspace_write: { network_access: 5 } } },
    "failed to load configuration: invalid type: integer `5`, expected a boolean\nin `sandbox_workspace_write.network_access`\n",
    "usage",
  ],
  [
    "thread/start",
    { config: { model_verbosity: 5 } },
    "failed to load configuration: invalid type: integer `5`, expected a string\nin `model_verbosity`\n",
    "usage",
  ],
  [
    "thread/start",
    { config: { model_instructions_file: "/no.md" } },
    "failed to load configuration: failed to read model instructions file /no.md: No such file or directory",
    "usage",
  ],
  ["thread/list", { cursor: "zzz" }, "invalid cursor: zzz", "usage"],
  ["thread/list", { cursor: "" }, "invalid cursor: ", "usage"],
  ["thread/list", { cursor: "2:01a2" }, "invalid cursor: 2:01a2", "usage"],
  ["thread/turns/list", { cursor: "{}" }, "invalid cursor: anchor turn is no longer present", "usage"],
  ["thread/search", { searchTerm: "x", cursor: "zzz" }, "invalid cursor: zzz", "usage"],
  // What dispatch itself put into the call, and looked up for it.
  [
    "thread/start",
    startParams({ cwd: "/repo" }),
    "Invalid request: unknown variant `dispatch`, expected one of `user`, `subagent`",
    "agent",
  ],
  [
    "thread/fork",
    forkParams(id, { settings: { cwd: "/repo" }, last_turn_id: null, mark: "abc.1" }),
    "Invalid request: unknown variant `dispatch:abc.1`, expected one of `user`",
    "agent",
  ],
  ["thread/fork", { threadId: id, cwd: "/repo" }, `cannot fork: ${id}`, "agent"],
  [
    "thread/list",
    { cursor: null, sourceKinds, sortKey: "updated_at" },
    "Invalid request: unknown variant `subAgentReview`, expected one of `cli`",
    "agent",
  ],
  ["thread/search", { searchTerm: "x", sortDirection: "asc" }, "unknown variant `asc`", "agent"],
  // Of the user's own file, which may allow what the user named, of stored settings that a resume repeats, and of something else.
  [
    "thread/start",
    { model: "m" },
    "failed to load configuration: Model provider `nobody` not found",
    "agent",
  ],
  [
    "thread/resume",
    { modelProvider: "nobody" },
    "failed to load configuration: Model provider `nobody` not found",
    "agent",
  ],
  [
    "thread/start",
    { approvalPolicy: "never" },
    "failed to load configuration: /h/config.toml:3:19: unknown variant `zzz`, expected one of `untrusted`, `never`",
    "agent",
  ],
  [
    "thread/start",
    { cwd: "/repo" },
    "failed to load configuration: /repo/.codex/config.toml:1:1: bad",
    "agent",
  ],
])("%s with %p refused by %p is %s", (method, params, message, code) => {
  const error = refusedError(method, { code: -32600, message }, params);
  expect(error.code).toBe(code as typeof error.code);
  const isConfig = message.startsWith("failed to load configuration");
  expect(error.data).toMatchObject({ reason: isConfig ? "bad_config" : "other" });
  if (code !== "agent") expect(error.hint).not.toBeNull();
});

const load = (method: string, params: Record<string, unknown>, problem: string) =>
  refusedError(method, { code: -32600, message: `failed to load configuration: ${problem}` }, params);
const noTable = "default_permissions requires a `[permissions]` table";

test.each<[Record<string, unknown>, string]>([
  [{ permissions: "nope" }, noTable],
  [{ config: { default_permissions: "nope" } }, noTable],
  [{ permissions: "nope" }, "default_permissions refers to undefined profile `nope`"],
  [{ permissions: ":nope" }, "default_permissions refers to unknown built-in profile `:nope`"],
])("an unknown permission profile is named, with where the known ones are: %p, %p", (params, problem) => {
  for (const method of ["thread/start", "thread/fork"])
    expect(load(method, params, problem).body).toMatchObject({
      code: "usage",
      message: expect.stringMatching(/no permission profile `:?nope`/),
      hint: expect.stringContaining("dispatch permissions"),
      retry: "no",
    });
  const stored = load("thread/resume", params, problem);
  expect(stored.code).toBe("agent");
  expect(stored.message).toMatch(/no permission profile `:?nope`/);
});

test.each([
  [
    "/my home/config.toml:21:5: unclosed table, expected `]`",
    "correct /my home/config.toml:21 and try again",
  ],
  [
    "Error parsing project config file /repo/.codex/config.toml: TOML parse error at line 3, column 9\n  |\n",
    "correct /repo/.codex/config.toml:3 and try again",
  ],
  [
    "Failed to read config file /h/config.toml: path `/h/config.toml` is not a file",
    "correct /h/config.toml and try again",
  ],
  [
    noTable,
    "correct Codex's config.toml or the settings of the thread, and try again; dispatch doctor checks the file",
  ],
])("a configuration that Codex cannot load leads to its file: %p", (problem, hint) => {
  for (const method of ["thread/start", "thread/resume", "thread/fork"])
    expect(load(method, { cwd: "/repo", sandbox: "read-only" }, problem)).toMatchObject({
      code: "agent",
      hint,
    });
  const refused = load("thread/start", {}, problem).message;
  if (problem !== noTable) expect(correctConfig(refused, "/elsewhere")).toBe(hint);
});

test("where Codex names no file, its home is enough", () => {
  expect(correctConfig(noTable, "/h")).toBe("correct /h/config.toml and try again");
  expect(correctConfig("/repo/.codex/config.toml:1:1: bad", "/h")).toStartWith("correct /repo/");
});

test("a refusal by what the user named is never retried later", () => {
  const error = refusedError("thread/list", { message: "invalid cursor: zzz" }, { cursor: "zzz" });
  expect(error.body.retry).toBe("no");
});

test("a folder that Codex may not write to sends to doctor, which names it", () => {
  const message =
    "failed to open thread writer lock /c/thread-writer-locks/x.lock: Permission denied (os error 13)";
  expect(refusedError("thread/start", { message }).body).toMatchObject({
    code: "agent",
    hint: "dispatch doctor",
  });
});
