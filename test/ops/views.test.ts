/** What a person reads of the shapes that many commands share. */
import { expect, test } from "bun:test";
import { plainLook, toTerminal } from "../../src/base/text.ts";
import { requestPairs } from "../../src/ops/requestpairs.ts";
import type { Receipt, Request, Thread } from "../../src/ops/shapes.ts";
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
  expect(shown(threadTable([], look))).toStartWith("no threads here; ");
});

test("a held thread shows in a list, also when nothing waits behind the hold", () => {
  const row = (queue: Thread["queue"]) =>
    shown(
      threadTable(
        [{ ref: "abc123", title: "docs", status: "idle", requests: [], queue, setup: null } as never],
        look,
      ),
    );
  expect(row({ pending: 0, held: true, reason: "crashed" })).toContain(" held: crashed ");
  expect(row({ pending: 2, held: true, reason: "by_hand" })).toContain(" 2 held: by_hand ");
  expect(row({ pending: 2, held: false, reason: null })).toContain("  2  ");
  expect(row({ pending: 0, held: false, reason: null })).toContain("  -  ");
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
  permissions: null,
  network: null,
  tool: null,
  form: null,
  questions: null,
  summary: "",
  truncated: false,
  missing_bytes: 0,
} as unknown as Request;

test("no line of a question answers it when it is copied into a shell", () => {
  const request = {
    ...unasked,
    id: "abc123",
    kind: "command_approval",
    state: "open",
    options: ["approve", "deny"],
  };
  const lines = shown(requestPairs(request as Request, look));
  expect(lines).toContain("dispatch request answer abc123 with one of\n");
  expect(lines).toContain("--approve, --deny");
  expect(lines).not.toMatch(/answer abc123.*--approve/);
});

test("a wait does not call a turn failed that was only cut", () => {
  const out = { threads: [], timed_out: false, verdict: "turn_failed" };
  expect(shown(wait.view(out, look))).toEndWith("\na turn failed or was interrupted");
});
