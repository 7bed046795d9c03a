/** Threads, requests and boards for the tests of the board. */
import { toTerminal, widthOf } from "../../../src/base/text.ts";
import type { RequestView } from "../../../src/contract/request.ts";
import type { ThreadView } from "../../../src/contract/thread.ts";
import type { Key } from "../../../src/surface/top/keys.ts";
import { type Board, type Effect, emptyBoard } from "../../../src/surface/top/model.ts";
import { render } from "../../../src/surface/top/render.ts";
import { type Happened, update } from "../../../src/surface/top/update.ts";

export const now = Date.parse("2026-01-02T12:00:00.000Z");
export const secondsAgo = (seconds: number) => new Date(now - seconds * 1000).toISOString();

/** The letters and digits of a title: `docsxx`. Titles that differ have other refs. */
function refOf(title: string): string {
  const plain = title.replace(/[^a-z0-9]/g, "");
  return plain.length <= 6 ? plain.padEnd(6, "x") : `${plain.slice(0, 3)}${plain.slice(-3)}`;
}

export function threadOf(title: string, more: Partial<ThreadView> = {}): ThreadView {
  return {
    ref: refOf(title),
    id: `id-${title}`,
    parent_id: null,
    title,
    handle: null,
    source: "own",
    status: "idle",
    as_of: secondsAgo(1),
    confidence: "live",
    setup: null,
    ephemeral: false,
    cwd: "/home/you/app",
    writable: true,
    write_locked_reason: null,
    latest_turn: null,
    last_message: { text: `${title} says so`, truncated: false, turn_id: "t", at: secondsAgo(60) },
    queue: { pending: 0, held: false, reason: null, release: null },
    limited: null,
    blocked: null,
    requests: [],
    agents: [],
    warnings: [],
    goal: null,
    model: {
      provider: "p",
      model: "m",
      effort: null,
      service_tier: { requested: null, resolved: null, source: "codex" },
    },
    sandbox: null,
    sandbox_details: null,
    approval_policy: null,
    approval_details: null,
    request_policy: null,
    tools: null,
    tokens: { total: 12_345, input: 0, output: 0, context_window: null },
    sync: {
      state: "complete",
      turns: 1,
      items: 1,
      bytes: 1,
      last_synced_at: null,
      source: null,
      truncated: false,
      error: null,
    },
    created_by: "cli",
    created_at: secondsAgo(3600),
    updated_at: secondsAgo(60),
    ...more,
  };
}

export function busy(title: string, seconds: number, more: Partial<ThreadView> = {}): ThreadView {
  return threadOf(title, {
    status: "busy",
    latest_turn: {
      id: "turn",
      status: "in_progress",
      origin: "ours",
      error: null,
      started_at: secondsAgo(seconds),
      completed_at: null,
      retrying_since: null,
      retrying_reason: null,
    },
    ...more,
  });
}

export function asking(title: string, seconds: number, id = "req001"): ThreadView {
  const requests = [{ id, kind: "command_approval", summary: "npm test", asked_at: secondsAgo(seconds) }];
  return busy(title, seconds + 5, { status: "waiting", requests });
}

export function requestOf(more: Partial<RequestView> = {}): RequestView {
  return {
    id: "req001",
    kind: "command_approval",
    thread: "asksxx",
    turn_id: "turn",
    sub_agent: null,
    state: "open",
    summary: "npm test",
    reason: null,
    command: "npm test",
    cwd: "/home/you/app",
    outside_sandbox: true,
    changes: null,
    diff: null,
    grant_root: null,
    permissions: null,
    network: null,
    questions: null,
    tool: null,
    form: null,
    options: ["approve", "approve_for_session", "deny", "cancel"],
    truncated: false,
    missing_bytes: 0,
    asked_at: secondsAgo(9),
    expires_at: null,
    answered_by: null,
    decision: null,
    ...more,
  };
}

export interface Driven {
  board: Board;
  effects: Effect[];
  /** `up`, `ctrl-c`, or characters. */
  press(...names: string[]): Driven;
  type(text: string): Driven;
  happen(happened: Happened, at?: number): Driven;
  /** As a terminal shows it, without colours. */
  lines(): string[];
}

/** A board that is driven by hand. `effects` are those of the last step. */
export function driven(threads: readonly ThreadView[], size = { columns: 80, rows: 24 }): Driven {
  let time = now;
  const key = (name: string): Key => (name.length === 1 ? { name, text: name } : { name });
  const self: Driven = {
    board: emptyBoard(size, now),
    effects: [],
    happen(happened, at = time) {
      time = at;
      const { board, effects } = update(self.board, happened, at);
      self.board = board;
      self.effects = [...effects];
      return self;
    },
    press(...names) {
      for (const name of names) self.happen({ is: "key", key: key(name) });
      return self;
    },
    type(text) {
      return self.press(...text);
    },
    lines: () => shownLines(self.board, time),
  };
  return self.happen({ is: "threads", threads, isTruncated: false });
}

export function shownLines(board: Board, at = now): string[] {
  const { lines } = render(board, at);
  return lines.map((line) => toTerminal(line, { color: false }));
}

export const widest = (lines: readonly string[]) => Math.max(...lines.map(widthOf));
