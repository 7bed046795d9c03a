/** The log's kinds: one payload of each goes in and comes out as it is, and a misspelt kind is refused. */
import { expect, test } from "bun:test";
import * as v from "valibot";
import {
  type EventData,
  type EventKind,
  eventKinds,
  eventObject,
  kindsOf,
} from "../../src/contract/events.ts";
import type { EventDraft } from "../../src/core/model/events.ts";
import events from "../../src/ops/event/list.ts";
import watch from "../../src/ops/thread/watch.ts";
import { openStore } from "../../src/store/store.ts";

const message = { attempt: 1, mode: "send" };
const golden: { [Kind in EventKind]: EventData[Kind] } = {
  "thread.created": { title: "docs", cwd: "/repo", by: "cli" },
  "thread.forked": { title: "docs", fork_of: "bcdfgh", by: null },
  "thread.ready": { thread_id: "t" },
  "thread.renamed": { title: "new" },
  "thread.archived": {},
  "thread.restored": {},
  "thread.gone": {},
  "thread.taken": {},
  "thread.given": {},
  "thread.reverted": { turns: 2 },
  "thread.forgotten": { thread_id: null },
  "thread.blocked": { reason: "the folder is gone" },
  "thread.unblocked": {},
  "thread.warned": { warning: "no such file", server: "notes", thread_id: "t" },
  "thread.unwarned": { server: "notes", thread_id: "t" },
  "thread.agents": { working: 1 },
  "turn.started": {},
  "turn.completed": { origin: "ours" },
  "turn.failed": { origin: "ours", error: { message: "no", kind: null } },
  "turn.interrupted": { origin: "other", crashed: true },
  "turn.retrying": { reason: "no line" },
  "turn.recovered": {},
  "item.completed": { item_id: "i", type: "command", preview: "ls", status: "completed", exit_code: 0 },
  "message.relayed": message,
  "message.queued": message,
  "message.claimed": message,
  "message.sent": message,
  "message.delivered": message,
  "message.done": { ...message, outcome: "completed" },
  "message.failed": { ...message, error: { code: "agent", message: "no" } },
  "message.cancelled": message,
  "message.unsure": message,
  "queue.held": { reason: "failed" },
  "queue.released": { reason: "failed" },
  "queue.moved": { to: "front" },
  "queue.native": { waiting: 1 },
  "request.opened": { request: "abc123", kind: "command_approval", summary: "ls" },
  "request.answered": { request: "abc123", kind: "command_approval", decision: "approve", by: "cli" },
  "request.expired": { request: "abc123", kind: "command_approval" },
  "tool.called": { call: "abc123", tool: "dispatch_v1.dispatch_send" },
  "tool.answered": { call: "abc123", tool: "dispatch_v1.dispatch_send", outcome: "ok" },
  "tool.cancelled": { call: "abc123", tool: "dispatch_v1.dispatch_wait", why: "its turn ended" },
  "goal.changed": { status: "paused", by: "dispatch" },
  "limit.reached": { provider: "openai", until: "2026-01-01T00:00:00.000Z", error: { message: "used up" } },
  "limit.ended": { provider: "openai", why: "time" },
  "limit.near": { limit: "tokens_per_day", used: 80, max: 100 },
  "limit.full": { limit: "tokens_per_day", used: 100, max: 100 },
  "codex.up": { epoch: 1, version: "0.171.0" },
  "codex.down": { epoch: 1, reason: "killed" },
  "daemon.up": {},
  "daemon.down": {},
  gap: { epoch: 1 },
  reconciled: { epoch: 1 },
  "trigger.fired": {
    trigger: "bcdfgh",
    face: "trigger",
    name: "standup",
    slot: "2026-01-01T09:00:00.000Z",
    outcome: "fired",
    reason: null,
    about: null,
  },
  "trigger.paused": { trigger: "bcdfgh", face: "trigger", name: "standup", reason: "it failed 5 times" },
  "relay.refused": { box: "laptop", code: "not_found", reason: "no thread" },
  "relay.event": { box: "laptop", kind: "turn.failed", remote: "bcdfgh", detail: "{}" },
  "inbox.posted": { message: "m", from: null },
  "op.called": { caller: "cli", op: "thread.list", outcome: "ok" },
};

test("each kind keeps its data, and is an event of the contract", () => {
  const store = openStore(":memory:", 1);
  for (const kind of eventKinds) store.events.append({ kind, data: golden[kind] } as EventDraft, 1);
  const rows = store.events.list({ after: 0, limit: 100 });
  expect(rows.map(({ kind }) => kind)).toEqual(eventKinds);
  for (const { kind, data, seq } of rows) {
    expect(data).toEqual(golden[kind] as Record<string, unknown>);
    const view = { seq, cursor: `x:${seq}`, at: "", kind, thread: null, turn_id: null, receipt: null, data };
    expect(v.is(eventObject, view)).toBe(true);
  }
  store.close();
});

test("a misspelt kind is refused, and a group selects its kinds", () => {
  for (const { input } of [events, watch]) {
    expect(v.is(input, { kinds: ["turn.complete"] })).toBe(false);
    expect(v.is(input, { kinds: ["lane.changed"] })).toBe(false);
    expect(v.is(input, { kinds: ["turn.completed", "message.*"] })).toBe(true);
  }
  expect(kindsOf(["gap", "queue.*"])).toEqual([
    "queue.held",
    "queue.released",
    "queue.moved",
    "queue.native",
    "gap",
  ]);
});
