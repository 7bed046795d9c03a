/**
 * The durable log: every kind of event, with its data: ids, and previews of at most 200 characters, never a whole text.
 * Every kind has one meaning. README's table and `--kinds` are made from this.
 */
import * as v from "valibot";
import { orNull, time } from "./shape.ts";
import type { HoldReason } from "./words.ts";

type MessageEvent = {
  attempt?: number;
  mode: string;
  outcome?: string;
  error?: unknown;
  /** Who wrote it, when no caller did. */
  by?: string;
  /** The other machine that has it, and the thread there. */
  box?: string;
  remote?: string;
};
type TurnEnd = { origin: string; error?: unknown; crashed?: true };
type Nothing = Record<string, never>;

export interface EventData {
  "thread.created": { title: string; cwd?: string; thread_id?: string; source?: string; by: string | null };
  "thread.forked": { title: string; fork_of: string; by: string | null };
  "thread.ready": { thread_id: string };
  "thread.renamed": { title: string };
  "thread.archived": Nothing;
  "thread.restored": Nothing;
  "thread.gone": Nothing;
  "thread.taken": Nothing;
  "thread.given": Nothing;
  "thread.reverted": { turns: number };
  "thread.forgotten": { thread_id?: string | null; why?: string };
  "thread.blocked": { reason: string };
  "thread.unblocked": Nothing;
  "thread.warned": { warning: string; server: string | null; thread_id: string };
  "thread.unwarned": { server: string | null; thread_id: string };
  "thread.agents": { working: number; why?: string; reason?: HoldReason };
  "turn.started": Nothing;
  "turn.completed": TurnEnd;
  "turn.failed": TurnEnd;
  "turn.interrupted": TurnEnd;
  "turn.retrying": { reason: string };
  "turn.recovered": Nothing;
  "item.completed": {
    item_id: string | null;
    type: string;
    preview: string;
    status: string | null;
    exit_code: number | null;
  };
  "message.relayed": MessageEvent;
  "message.queued": MessageEvent;
  "message.claimed": MessageEvent;
  "message.sent": MessageEvent;
  "message.delivered": MessageEvent;
  "message.done": MessageEvent;
  "message.failed": MessageEvent;
  "message.cancelled": MessageEvent;
  "message.unsure": MessageEvent;
  "queue.held": { reason: string };
  "queue.released": { reason: string };
  "queue.moved": { to: number | string };
  "queue.native": { waiting: number };
  "request.opened": { request: string; kind: string; summary: string };
  "request.answered": {
    request?: string;
    kind?: string;
    decision: string;
    by: string | null;
    method?: string;
    thread_id?: string | null;
    summary?: string;
    item_id?: string;
    sub_agent?: string;
    hooks?: { source: string | null; path: string | null }[];
  };
  "request.expired": { request: string; kind: string };
  "tool.called": { call: string; tool: string };
  "tool.answered": { call: string; tool: string; outcome: string };
  "tool.cancelled": { call: string; tool: string; why: string };
  "goal.changed": { status: string | null; by?: string; why?: string };
  "limit.reached": { provider: string; until: string; doubt?: string; error: { message: string } };
  "limit.ended": { provider: string; why: string };
  "limit.near": { limit: string; used: number; max: number };
  "limit.full": { limit: string; used: number; max: number };
  "trigger.fired": {
    trigger: string;
    face: string;
    name: string | null;
    slot: string;
    outcome: string;
    reason: string | null;
    about: string | null;
  };
  "trigger.paused": { trigger: string; face: string; name: string | null; reason: string };
  "relay.refused": { box: string; code: string; reason: string };
  "relay.event": { box: string; kind: string; remote: string | null; detail: string };
  "inbox.posted": { message: string; from: string | null };
  "codex.up": { epoch: number; version: string };
  "codex.down": { epoch: number; reason: string };
  "daemon.up": Nothing;
  "daemon.down": Nothing;
  gap: { epoch?: number };
  reconciled: { epoch: number | null };
  "op.called": { caller: unknown; op: string; outcome: string };
}

export type EventKind = keyof EventData;

/** The description of each kind in README. */
export const eventWords = {
  "thread.created": "a thread was made, or attached",
  "thread.forked": "a thread was made from another",
  "thread.ready": "its thread is durable in Codex",
  "thread.renamed": "its title changed",
  "thread.archived": "it was archived",
  "thread.restored": "it is no longer archived",
  "thread.gone": "Codex no longer has it",
  "thread.taken": "dispatch writes it now",
  "thread.given": "another app writes it now",
  "thread.reverted": "its last turns were reverted",
  "thread.forgotten": "dispatch no longer manages it",
  "thread.blocked": "its work waits until a person acts",
  "thread.unblocked": "its work goes on",
  "thread.warned": "Codex warns of it: an MCP server that does not start, among others",
  "thread.unwarned": "a warning of Codex is over",
  "thread.agents": "the number of its working sub-agents changed, and why if they were cut or one failed",
  "turn.started": "a turn began",
  "turn.completed": "a turn ended well",
  "turn.failed": "a turn failed",
  "turn.interrupted": "a turn was stopped, or cut by a crash",
  "turn.retrying": "Codex lost the provider and tries again",
  "turn.recovered": "the turn goes on after that",
  "item.completed": "a message, command, change or tool call of a turn",
  "message.relayed": "the relay has stored it for another machine",
  "message.queued": "a text was accepted, or waits again",
  "message.claimed": "a text is about to be sent",
  "message.sent": "Codex answered",
  "message.delivered": "it is in Codex's history",
  "message.done": "its turn is over",
  "message.failed": "it was not delivered",
  "message.cancelled": "it was cancelled",
  "message.unsure": "it is not known whether it was delivered",
  "queue.held": "a queue is held, and why",
  "queue.released": "a hold ended",
  "queue.moved": "a text was moved in its queue",
  "queue.native": "texts wait in Codex's own queue",
  "request.opened": "Codex sent a request",
  "request.answered": "a request was answered, and by whom",
  "request.expired": "Codex no longer waits for the answer",
  "tool.called": "a thread called one of dispatch's tools",
  "tool.answered": "that call was answered, and how",
  "tool.cancelled": "its turn or its Codex ended before the answer",
  "goal.changed": "the status of a goal changed",
  "limit.reached": "the account's usage limit was reached, and until when",
  "limit.ended": "the usage limit is over",
  "limit.near": "80 % of a limit of `[limits]` is used",
  "limit.full": "a limit of `[limits]` is used up: no turn starts",
  "trigger.fired": "a trigger or a subscription fired, was skipped or failed",
  "trigger.paused": "a trigger or a subscription was paused, and why",
  "relay.refused": "a message from another machine was refused, and why",
  "relay.event": "what happened on another machine to a message from here",
  "inbox.posted": "a message is in an inbox",
  "codex.up": "Codex runs",
  "codex.down": "Codex ended, and why",
  "daemon.up": "the daemon started",
  "daemon.down": "the daemon stopped",
  gap: "events of Codex may be missing from the log",
  reconciled: "what happened in a gap was read from Codex",
  "op.called": "who called which op, and how it ended",
} as const satisfies Record<EventKind, string>;

export const eventKinds = Object.keys(eventWords) as EventKind[];

/** Each turn has one of them at its end. */
export const turnEnds: readonly EventKind[] = ["turn.completed", "turn.failed", "turn.interrupted"];

/** `turn.*`: every kind of a group. */
const eventGroups = [
  ...new Set(eventKinds.filter((kind) => kind.includes(".")).map((kind) => kind.replace(/\..*/, ".*"))),
];

/**
 * What a trigger or a notification may wait for: not the calls of clients, since a program that is told of one may make
 * the next.
 */
export const watchableKinds = [...eventKinds, ...eventGroups].filter((kind) => !kind.startsWith("op."));

export const eventKindWords = [...eventKinds, ...eventGroups];

/** The kinds that the words of `--kinds` select. */
export function kindsOf(words: readonly string[]): EventKind[] {
  return eventKinds.filter((kind) =>
    words.some((word) => (word.endsWith(".*") ? kind.startsWith(word.slice(0, -1)) : kind === word)),
  );
}

const eventView = {
  seq: v.number(),
  cursor: v.string(),
  at: time,
  kind: v.string(),
  thread: orNull(v.string()),
  turn_id: orNull(v.string()),
  receipt: orNull(v.string()),
  data: v.record(v.string(), v.unknown()),
};

export const eventObject = v.object(eventView);

export type EventView = v.InferOutput<typeof eventObject>;
