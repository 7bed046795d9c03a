/** What a person reads of the shapes that many commands share. */
import { expect, test } from "bun:test";
import { plainLook, toTerminal } from "../../src/base/text.ts";
import type { Receipt } from "../../src/contract/receipt.ts";
import type { RequestView } from "../../src/contract/request.ts";
import type { ThreadSummary } from "../../src/contract/thread.ts";
import receiptList from "../../src/ops/receipt/list.ts";
import { requestPairs } from "../../src/ops/requestpairs.ts";
import tail from "../../src/ops/thread/tail.ts";
import wait from "../../src/ops/thread/wait.ts";
import { eventLine, receiptPairs, threadTable } from "../../src/ops/views.ts";

const look = plainLook(Date.parse("2026-01-01T12:00:00Z"));
const shown = (view: string) => toTerminal(view, { color: false });

test("an event says what it knows, and nothing of what it has not", () => {
  const at = "2026-01-01T11:22:33.000Z";
  const held = { at, thread: "abc123", kind: "queue.held", data: { reason: "crashed" } };
  expect(shown(eventLine(held, look))).toBe(`11:22:33  abc123  ${"queue.held".padEnd(28)}  reason crashed`);
  const item = { at, thread: "abc123", kind: "item.completed", data: { type: "user_message", preview: "" } };
  expect(shown(eventLine(item, look))).toEndWith("item.completed user_message   -");
});

test("a list with nothing in it claims no more than that", () => {
  expect(shown(threadTable([], look))).toStartWith("no threads; ");
});

const now = new Date(0).toISOString();

test("a held thread shows in a list, also when nothing waits behind the hold", () => {
  const row = (queue: ThreadSummary["queue"]) =>
    shown(
      threadTable(
        [
          {
            ref: "abc123",
            title: "docs",
            status: "idle",
            asks: [],
            queue,
            setup: null,
            limited_until: null,
          } as never,
        ],
        look,
      ),
    );
  const [held, free] = [
    { held: true, release: "dispatch queue release abc123", blocked: null },
    { held: false, reason: null, release: null, blocked: null },
  ];
  expect(row({ pending: 0, reason: "crashed", ...held })).toContain(" held: crashed ");
  expect(row({ pending: 2, reason: "by_hand", ...held })).toContain(" 2 held: by_hand ");
  expect(row({ pending: 2, ...free })).toContain("  2  ");
  const reason = "the 5 turns that [limits] turns allows are running";
  expect(row({ pending: 2, ...free, reason })).toContain("  2: the 5 turns that [limits] turns a… ");
  expect(row({ pending: 0, ...free })).toContain("  -  ");
});

test("a receipt list tells a turn that failed from a text that was not delivered, and names what releases", () => {
  const base = { receipt: "r-1", thread: "abc123", mode: "send", attempt: 1, updated_at: now, error: null };
  const row = (more: Partial<Receipt>) =>
    shown(
      receiptList.view(
        { receipts: [{ ...base, outcome: null, held: null, release: null, ...more }] } as never,
        look,
      ),
    );
  expect(row({ state: "done", outcome: "failed" })).toContain(" done: turn failed ");
  expect(row({ state: "done", outcome: "completed" })).toContain(" done: turn completed ");
  expect(row({ state: "failed" })).toContain(" failed: not delivered ");
  const held = { state: "queued", held: "by_hand", release: "dispatch queue release abc123" } as const;
  expect(row(held)).toContain("dispatch queue release abc123");
  expect(shown(receiptPairs({ ...base, outcome: null, ...held } as Receipt, look))).toContain(held.release);
});

test("a context that is delivered speaks of no turn", () => {
  const state = (mode: Receipt["mode"]) =>
    shown(
      receiptPairs({ receipt: "r-1", thread: "abc123", mode, state: "done", attempt: 1 } as Receipt, look),
    );
  expect(state("context")).toContain("done: delivered; it goes with the next text\n");
  expect(state("send")).toContain("done: delivered; the turn is over\n");
});

/** A question with nothing in it. */
const unasked = {
  thread: "bcdfgh",
  asked_at: "2026-01-01T11:22:33.000Z",
  command: null,
  cwd: null,
  outside_sandbox: false,
  changes: null,
  diff: null,
  reason: null,
  grant_root: null,
  permissions: null,
  network: null,
  tool: null,
  form: null,
  questions: null,
  summary: "",
  truncated: false,
  missing_bytes: 0,
} as unknown as RequestView;

test("no line of a question answers it when it is copied into a shell", () => {
  const request = {
    ...unasked,
    id: "abc123",
    kind: "command_approval",
    state: "open",
    options: ["approve", "deny"],
  };
  const lines = shown(requestPairs(request as RequestView, look));
  expect(lines).toContain("dispatch request answer abc123 with one of\n");
  expect(lines).toContain("--approve, --deny");
  expect(lines).not.toMatch(/answer abc123.*--approve/);
});

test("a wait does not call a turn failed that was only cut", () => {
  const out = { threads: [], timed_out: false, verdict: "turn_failed" };
  expect(shown(wait.view(out, look))).toBe("a turn or a sub-agent failed or was interrupted");
});

test("a tail shows commands with their exit, tool calls with what they were given, and diffs line by line", () => {
  const none = {
    turn_id: "t",
    item_id: "i",
    truncated: false,
    path: null,
    changes: null,
    status: "completed",
    at: null,
  };
  const item = { ...none, text: "", command: null, arguments: null, exit_code: null };
  const view = tail.view(
    {
      items: [
        { ...item, type: "command", command: "npm test", exit_code: 0, text: "fine\n" },
        { ...item, type: "command", command: "npm run lint", exit_code: 2 },
        {
          ...item,
          type: "mcp_tool_call",
          command: "dispatch.list",
          arguments: '{"limit":5}',
          text: "no threads",
        },
        { ...item, type: "tool_call", command: "send", arguments: "{}", status: "failed" },
        {
          ...item,
          type: "file_change",
          changes: [{ path: "/app/a.ts", kind: "update", to: null }],
          text: "@@ -1 +1 @@\n-old\n+new\n",
        },
      ],
      next_cursor: null,
    },
    look,
  );
  expect(
    shown(view)
      .split("\n")
      .map((line) => line.trimEnd()),
  ).toEqual([
    "command  -",
    "  $ npm test  (exit 0)",
    "  fine",
    "command  -",
    "  $ npm run lint  (exit 2)",
    "mcp tool call  -",
    '  dispatch.list {"limit":5}',
    "  no threads",
    "tool call  -",
    "  send {}  (failed)",
    "file change  -",
    "  update /app/a.ts",
    "  @@ -1 +1 @@",
    "  -old",
    "  +new",
  ]);
  const colored = toTerminal(view, { color: true });
  expect(colored).toContain("\u001b[32m+new\u001b[0m");
  expect(colored).toContain("\u001b[31m-old\u001b[0m");
});
