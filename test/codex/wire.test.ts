import { describe, expect, test } from "bun:test";
import { isDelta } from "../../src/codex/deltas.ts";
import { agentEvent } from "../../src/codex/events.ts";
import { helloOf } from "../../src/codex/hello.ts";
import { itemFacts } from "../../src/codex/items.ts";
import { streamMemory } from "../../src/codex/memory.ts";
import { resumeParams, startParams } from "../../src/codex/params.ts";
import { requestFacts } from "../../src/codex/requests.ts";
import { threadFacts, threadOpened, turnFacts } from "../../src/codex/wire.ts";

describe("threads and turns", () => {
  test("times in seconds become ms, and a status is its type", () => {
    expect(
      threadFacts({
        id: "T",
        name: null,
        preview: "p",
        cwd: "/w",
        path: "/r",
        createdAt: 1795351805,
        updatedAt: 1795351806,
        status: { type: "active", activeFlags: [] },
        source: { subAgent: "review" },
      }),
    ).toEqual({
      id: "T",
      name: null,
      preview: "p",
      cwd: "/w",
      path: "/r",
      status: "active",
      created_at: 1795351805000,
      updated_at: 1795351806000,
      source: "subAgent",
      parent_id: null,
      mark: null,
    });
  });

  test("a turn's error is its message and one word", () => {
    const error = { message: "boom", codexErrorInfo: { httpConnectionFailed: { httpStatusCode: 401 } } };
    const turn = turnFacts({
      id: "U",
      status: "failed",
      error,
      startedAt: 2,
      completedAt: null,
      items: [{ bad: 1 }],
    });
    expect(turn).toEqual({
      id: "U",
      status: "failed",
      error: { message: "boom", kind: "httpConnectionFailed" },
      started_at: 2000,
      completed_at: null,
      items: [],
    });
    expect(turnFacts({ id: "U", status: "interrupted" })!.error).toBeNull();
  });

  test("the answer to a start tells what will really be used", () => {
    const opened = threadOpened({
      thread: { id: "T" },
      cwd: "/w",
      sandbox: {
        type: "workspaceWrite",
        writableRoots: ["/other"],
        networkAccess: true,
        excludeSlashTmp: true,
        newField: [1],
      },
      approvalPolicy: { granular: { rules: true } },
      approvalsReviewer: "user",
      activePermissionProfile: { id: "mine", extends: ":workspace" },
      model: "m",
      modelProvider: "p",
      reasoningEffort: "high",
      serviceTier: "priority",
    });
    expect(opened!.effective).toEqual({
      cwd: "/w",
      sandbox: "workspace-write",
      approval_policy: "granular",
      approvals_reviewer: "user",
      permission_profile: "mine",
      profile_extends: ":workspace",
      model: "m",
      model_provider: "p",
      effort: "high",
      service_tier: "priority",
      approval_details: { rules: true },
      sandbox_details: {
        writable_roots: ["/other"],
        network_access: true,
        exclude_slash_tmp: true,
        exclude_tmpdir: false,
        more: { newField: [1] },
      },
    });
  });

  test("what has another shape is no thread, no turn and no item", () => {
    for (const value of [null, undefined, 3, "x", [], {}, { id: 4 }]) {
      expect(threadFacts(value)).toBeUndefined();
      expect(turnFacts(value)).toBeUndefined();
      expect(itemFacts(value)).toBeUndefined();
      expect(threadOpened({ thread: value })).toBeUndefined();
    }
  });
});

describe("items", () => {
  test("a user message has its whole text and the id it was sent with", () => {
    const content = [
      { type: "text", text: "one " },
      { type: "image", url: "data:" },
      { type: "text", text: "two" },
    ];
    expect(itemFacts({ type: "userMessage", id: "i", clientId: "c", content }, 5)).toMatchObject({
      type: "user_message",
      text: "one two",
      client_id: "c",
      at: 5,
    });
  });

  test("a command has its output, its exit code and codex's word for its end", () => {
    const item = {
      type: "commandExecution",
      id: "i",
      command: "ls",
      aggregatedOutput: "a\n",
      exitCode: 2,
      status: "failed",
    };
    expect(itemFacts({ ...item, completedAtMs: 9 }, 5)).toMatchObject({
      type: "command",
      text: "a\n",
      command: "ls",
      exit_code: 2,
      status: "failed",
      at: 9,
    });
  });

  test("a file change has every path with what is done to it, and one whole diff", () => {
    const changes = [
      { path: "/a", kind: { type: "add" }, diff: "1\n" },
      { path: "/b", kind: { type: "delete" }, diff: "2" },
    ];
    const add = "--- /dev/null\n+++ b/a\n@@ -0,0 +1,1 @@\n+1\n";
    const gone = "--- a/b\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-2\n\\ No newline at end of file\n";
    expect(itemFacts({ type: "fileChange", id: "i", changes, status: "completed" })).toMatchObject({
      type: "file_change",
      path: "/a",
      changes: [
        { path: "/a", kind: "add", to: null, diff: add },
        { path: "/b", kind: "delete", to: null, diff: gone },
      ],
      text: add + gone,
    });
  });

  test("what is not known is `other`, its text kept", () => {
    expect(itemFacts({ type: "somethingNew", id: "i", text: "t" })).toMatchObject({
      type: "other",
      text: "t",
    });
  });
});

describe("notifications", () => {
  const turn = { id: "U", status: "inProgress", startedAt: 2, items: [] };

  test.each([
    [
      "turn/started",
      { threadId: "T", turn },
      { kind: "turn_started", thread_id: "T", turn_id: "U", at: 2000 },
    ],
    [
      "thread/status/changed",
      { threadId: "T", status: { type: "active", activeFlags: ["waitingOnApproval"] } },
      { kind: "thread_status", thread_id: "T", status: "active", flags: ["waitingOnApproval"] },
    ],
    ["thread/closed", { threadId: "T" }, { kind: "thread_closed", thread_id: "T" }],
    ["thread/unarchived", { threadId: "T" }, { kind: "thread_archived", thread_id: "T", archived: false }],
    ["thread/name/updated", { threadId: "T" }, { kind: "thread_renamed", thread_id: "T", name: null }],
    [
      "error",
      { threadId: "T", turnId: "U", willRetry: true, error: { message: "Reconnecting... 1/2" } },
      { kind: "turn_retrying", thread_id: "T", turn_id: "U", message: "Reconnecting... 1/2" },
    ],
    [
      "account/rateLimits/updated",
      {
        rateLimits: {
          limitId: "codex",
          primary: { usedPercent: 100, windowDurationMins: 300, resetsAt: 1_795_825_342 },
          secondary: { usedPercent: 7, windowDurationMins: 10_080, resetsAt: null },
          rateLimitReachedType: "rate_limit_reached",
        },
      },
      {
        kind: "rate_limits",
        limits: {
          limit_id: "codex",
          windows: [
            { name: "primary", used_percent: 100, window_minutes: 300, resets_at: 1_795_825_342_000 },
            { name: "secondary", used_percent: 7, window_minutes: 10_080, resets_at: null },
          ],
          reached: "rate_limit_reached",
        },
      },
    ],
    [
      "account/rateLimits/updated",
      { rateLimits: { limitId: "codex", primary: null, secondary: null } },
      { kind: "rate_limits", limits: { limit_id: "codex", windows: [], reached: null } },
    ],
    [
      "thread/goal/updated",
      { threadId: "T", goal: { objective: "o", status: "active" } },
      {
        kind: "goal_changed",
        thread_id: "T",
        goal: { objective: "o", status: "active", token_budget: null, tokens_used: null },
      },
    ],
    ["thread/goal/cleared", { threadId: "T" }, { kind: "goal_changed", thread_id: "T", goal: null }],
    [
      "serverRequest/resolved",
      { threadId: "T", requestId: 0 },
      { kind: "request_resolved", thread_id: "T", rpc_id: 0 },
    ],
  ] as const)("%s", (method, params, event) => {
    expect(agentEvent(method, params as Record<string, unknown>)).toEqual(
      event as ReturnType<typeof agentEvent>,
    );
  });

  test("a failure that is not retried is left to the turn's completion", () => {
    expect(agentEvent("error", { threadId: "T", turnId: "U", willRetry: false, error: {} })).toBeUndefined();
  });

  test("what is malformed or unknown is nothing", () => {
    for (const method of [
      "turn/started",
      "turn/completed",
      "item/completed",
      "thread/status/changed",
      "toString",
      "new/thing",
    ])
      for (const params of [{}, { threadId: "T" }, { threadId: 1, turn: 2, item: 3, status: "idle" }])
        expect(agentEvent(method, params)).toBeUndefined();
  });
});

describe("requests of codex's", () => {
  const memory = streamMemory();

  test.each([
    ["item/commandExecution/requestApproval", "command_approval"],
    ["execCommandApproval", "command_approval"],
    ["item/fileChange/requestApproval", "file_change_approval"],
    ["applyPatchApproval", "file_change_approval"],
    ["item/permissions/requestApproval", "permissions_approval"],
    ["item/tool/requestUserInput", "user_input"],
    ["mcpServer/elicitation/request", "elicitation"],
    ["item/tool/call", "tool_call"],
    ["currentTime/read", "current_time"],
    ["attestation/generate", "other"],
    ["account/chatgptAuthTokens/refresh", "other"],
    ["constructor", "other"],
  ])("%s is %s", (method, kind) => {
    expect(requestFacts(0, method, {}, memory)).toMatchObject({
      rpc_id: 0,
      method,
      kind: kind as "other",
      thread_id: null,
    });
  });

  test("a command approval says what, where and why", () => {
    const where = { threadId: "T", turnId: "U", itemId: "I", cwd: "/w" };
    const params = { ...where, kind: "command", reason: "why", command: "touch x" };
    expect(requestFacts(3, "item/commandExecution/requestApproval", params, memory)).toMatchObject({
      thread_id: "T",
      turn_id: "U",
      item_id: "I",
      command: "touch x",
      cwd: "/w",
      changes: null,
      asks: { reason: "why", action: "command", permissions: null, network: null },
      auto_resolution_ms: null,
    });
  });

  test("what a command asks for on top of it is not lost", () => {
    const fileSystem = { read: null, write: ["/x"] };
    const params = {
      kind: "writeStdin",
      additionalPermissions: { network: null, fileSystem },
      networkApprovalContext: { host: "example.com", protocol: "https" },
    };
    expect(requestFacts(3, "item/commandExecution/requestApproval", params, memory).asks).toMatchObject({
      action: "writeStdin",
      permissions: { network: null, fileSystem },
      network: { host: "example.com", protocol: "https" },
    });
  });

  test("the approval of an MCP tool is told from an elicitation, though it comes as one", () => {
    const _meta = {
      codex_approval_kind: "mcp_tool_call",
      persist: ["session", "always"],
      tool_name: "echo",
      tool_description: "says it",
      tool_params: { text: "x" },
    };
    const params = { serverName: "s", mode: "form", _meta, message: "Allow?", requestedSchema: {} };
    expect(requestFacts(3, "mcpServer/elicitation/request", params, memory)).toMatchObject({
      kind: "mcp_tool_approval",
      asks: {
        tool: { server: "s", name: "echo", description: "says it", arguments: { text: "x" } },
        form: null,
        may_persist: true,
      },
    });
  });

  test("an elicitation says whose it is and what is to be filled in", () => {
    const requestedSchema = { type: "object", properties: { name: { type: "string" } } };
    const params = { serverName: "s", mode: "form", _meta: null, message: "Who?", requestedSchema };
    expect(requestFacts(3, "mcpServer/elicitation/request", params, memory)).toMatchObject({
      kind: "elicitation",
      asks: { form: { mode: "form", server: "s", message: "Who?", schema: requestedSchema, url: null } },
    });
  });

  test("questions are read with their options; one without an id is none", () => {
    const options = [{ label: "A", description: "a" }];
    const questions = [{ id: "q1", header: "H", question: "?", isOther: true, isSecret: false, options }, {}];
    expect(requestFacts(3, "item/tool/requestUserInput", { questions }, memory).asks.questions).toEqual([
      { id: "q1", header: "H", question: "?", options, is_other: true, is_secret: false },
    ]);
  });

  test("the first protocol's words are read too", () => {
    const params = { conversationId: "T", callId: "I", command: ["git", "push"] };
    expect(requestFacts(3, "execCommandApproval", params, memory)).toMatchObject({
      thread_id: "T",
      item_id: "I",
      command: "git push",
    });
  });

  const patchAsked = (seen: ReturnType<typeof streamMemory>, itemId: string) =>
    requestFacts(1, "item/fileChange/requestApproval", { threadId: "T", itemId }, seen).changes;
  const patch = (id: string, diff = "x\n") => ({
    type: "fileChange",
    id,
    changes: [{ path: "/a", kind: { type: "add" }, diff }],
  });

  test("a file change's files come from the item that started, until it is completed", () => {
    const seen = streamMemory();
    seen.note("item/started", { threadId: "T", item: patch("I") });
    expect(patchAsked(seen, "I")).toMatchObject([{ path: "/a", kind: "add" }]);
    expect(patchAsked(seen, "J")).toBeNull();
    seen.note("item/completed", { threadId: "T", item: patch("I") });
    expect(patchAsked(seen, "I")).toBeNull();
  });

  test("the patches that are kept are bounded in number and in size", () => {
    const seen = streamMemory();
    for (let at = 0; at < 1000; at++) seen.note("item/started", { threadId: "T", item: patch(`I${at}`) });
    expect([patchAsked(seen, "I0"), patchAsked(seen, "I999")?.length]).toEqual([null, 1]);
    const large = `${"x".repeat(30 * 1024 * 1024)}\n`;
    for (let at = 0; at < 3; at++) seen.note("item/started", { threadId: "T", item: patch(`L${at}`, large) });
    expect([patchAsked(seen, "L0"), patchAsked(seen, "L2")?.length]).toEqual([null, 1]);
  });

  test("the first protocol's patch brings its files with it", () => {
    const fileChanges = {
      "/new": { type: "add", content: "n\n" },
      "/old": { type: "delete", content: "o\n" },
      "/from": { type: "update", unified_diff: "@@ -1 +1 @@\n-a\n+b", move_path: "/to" },
    };
    const asked = { conversationId: "T", callId: "I", fileChanges };
    expect(requestFacts(1, "applyPatchApproval", asked, memory).changes).toEqual([
      { path: "/new", kind: "add", to: null, diff: "--- /dev/null\n+++ b/new\n@@ -0,0 +1,1 @@\n+n\n" },
      { path: "/old", kind: "delete", to: null, diff: "--- a/old\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-o\n" },
      {
        path: "/from",
        kind: "move",
        to: "/to",
        diff: "rename from /from\nrename to /to\n--- a/from\n+++ b/to\n@@ -1 +1 @@\n-a\n+b\n",
      },
    ]);
  });
});

describe("deltas", () => {
  const bytes = (value: string) => new TextEncoder().encode(value);

  test("they are told by the first bytes of their line", () => {
    for (const method of [
      "item/agentMessage/delta",
      "item/reasoning/textDelta",
      "item/commandExecution/outputDelta",
    ])
      expect(isDelta(bytes(`{"method":"${method}","params":{}}`))).toBe(true);
  });

  test("nothing else is taken for one", () => {
    const others = [
      '{"method":"item/completed","params":{}}',
      '{"id":1,"result":{"method":"item/agentMessage/delta"}}',
      "",
      "{",
    ];
    for (const line of others) expect(isDelta(bytes(line))).toBe(false);
    expect(isDelta(bytes('{"method":"item/agentMessage/deltaExtra"}'))).toBe(false);
  });
});

describe("settings", () => {
  const settings = {
    cwd: "/w",
    sandbox: "read-only",
    approval_policy: "on-request",
    approvals_reviewer: "user",
    model: "m",
    model_provider: "p",
    effort: "high",
    summary: "detailed",
    service_tier: "priority",
    base_instructions: "b",
    developer_instructions: "d",
    config: { model_verbosity: "low" },
    ephemeral: true,
  } as const;
  const sent = {
    cwd: "/w",
    sandbox: "read-only",
    approvalPolicy: "on-request",
    approvalsReviewer: "user",
    model: "m",
    modelProvider: "p",
    serviceTier: "priority",
    baseInstructions: "b",
    developerInstructions: "d",
    config: { model_verbosity: "low", model_reasoning_effort: "high", model_reasoning_summary: "detailed" },
  };

  test("a start carries them all, and says whose it is", () => {
    expect(startParams(settings)).toEqual({
      ...sent,
      ephemeral: true,
      threadSource: "dispatch",
      serviceName: "dispatch",
    });
  });

  test("a resume carries them all again, and no history", () => {
    expect(resumeParams("T", settings)).toEqual({ threadId: "T", ...sent, excludeTurns: true });
  });

  test("pinned details take the place of what the configuration says of them, as a table or key by key", () => {
    const sandbox_details = {
      writable_roots: ["/o"],
      network_access: false,
      exclude_slash_tmp: true,
      exclude_tmpdir: false,
    };
    const config = {
      model_verbosity: "low",
      sandbox_workspace_write: { network_access: true },
      "sandbox_workspace_write.network_access": true,
    };
    const settings = { cwd: "/w", sandbox: "workspace-write" as const, config, sandbox_details };
    expect(resumeParams("T", settings)["config"]).toEqual({
      model_verbosity: "low",
      "sandbox_workspace_write.writable_roots": ["/o"],
      "sandbox_workspace_write.network_access": false,
      "sandbox_workspace_write.exclude_slash_tmp": true,
      "sandbox_workspace_write.exclude_tmpdir_env_var": false,
    });
    // Of another sandbox they say nothing.
    expect(resumeParams("T", { ...settings, sandbox: "read-only" })["config"]).toEqual(config);
    const granular = { cwd: "/w", approval_policy: "granular", approval_details: { rules: true } };
    expect(resumeParams("T", granular)["approvalPolicy"]).toEqual({ granular: { rules: true } });
  });

  test("what was not asked for is not sent", () => {
    expect(resumeParams("T", { cwd: "/w" })).toEqual({ threadId: "T", cwd: "/w", excludeTurns: true });
    expect(resumeParams("T", { cwd: "/w", permission_profile: ":read-only" })["permissions"]).toBe(
      ":read-only",
    );
  });
});

test("the version stands in the user agent", () => {
  const userAgent = "dispatch/0.169.0 (Debian 12.0.0; x86_64) unknown (dispatch; 0.0.1)";
  expect(helloOf({ userAgent, codexHome: "/h" })).toEqual({ version: "0.169.0", codex_home: "/h" });
  expect(helloOf({ userAgent: "x/0.170.0-alpha.3 (y)" }).version).toBe("0.170.0-alpha.3");
  expect(helloOf({})).toEqual({ version: "unknown", codex_home: "" });
});
