/** What the board says of a thread, and the order of the rows. Pure. */
import { limits } from "../../base/limits.ts";
import { cell, paint, type Style } from "../../base/text.ts";
import type { ThreadView } from "../../contract/thread.ts";
import { underParents } from "../../ops/views.ts";

/** Smaller is nearer to the top. */
const ranks = { asks: 0, blocked: 1, failed: 2, held: 3, busy: 4, rest: 5, gone: 6 } as const;

export const isRunning = ({ latest_turn }: ThreadView) => latest_turn?.status === "in_progress";

function rankOf(thread: ThreadView): number {
  const { status, requests, blocked, queue, goal, agents } = thread;
  if (requests.length > 0 || status === "waiting") return ranks.asks;
  if (blocked || status === "blocked") return ranks.blocked;
  if (status === "error") return ranks.failed;
  if ((queue.held && queue.pending > 0) || goal?.resume) return ranks.held;
  if (status === "busy" || isRunning(thread) || agents.length > 0) return ranks.busy;
  return status === "gone" ? ranks.gone : ranks.rest;
}

const styles: Partial<Record<string, Style>> = {
  busy: "cyan",
  waiting: "yellow",
  error: "red",
  blocked: "red",
  gone: "red",
  idle: "green",
  unknown: "yellow",
};

/** The product's word for its status, and the colour that goes with it. */
export function statusOf({ status, setup }: ThreadView): { word: string; style: Style | undefined } {
  return { word: setup === null || status === "blocked" ? status : setup, style: styles[status] };
}

/** ms of the wall clock: since when it asks, its turn runs, or nothing has happened. */
export function sinceOf(thread: ThreadView): number {
  const [ask] = thread.requests;
  const { latest_turn, updated_at } = thread;
  return Date.parse(ask?.asked_at ?? (isRunning(thread) ? latest_turn!.started_at : updated_at));
}

/** How long its running turn runs; undefined: none runs. */
export const turnStart = (thread: ThreadView) =>
  isRunning(thread) ? Date.parse(thread.latest_turn!.started_at) : undefined;

/** `3 held`, `2 limited`, or the number alone. */
export function queueOf({ queue, limited, blocked }: ThreadView): string {
  const why = queue.held ? "held" : limited ? "limit" : blocked && queue.pending > 0 ? "stuck" : "";
  return [queue.pending > 0 ? String(queue.pending) : "", why].filter((word) => word !== "").join(" ");
}

/** The most important fact besides its status, on one line: what it asks, why it does not go on, what it said last. */
export function lineOf(thread: ThreadView): string {
  const { requests, blocked, latest_turn: turn, queue, limited, goal, agents, last_message } = thread;
  const [ask] = requests;
  const more = requests.length > 1 ? ` (+${requests.length - 1})` : "";
  if (ask) return `${paint("yellow", `asks ${ask.id}${more}`)} ${cell(ask.summary)}`;
  if (blocked) return paint("red", cell(blocked.reason));
  if (thread.status === "error" && turn?.error) return paint("red", cell(turn.error.message));
  if (turn?.retrying_since && isRunning(thread))
    return paint("yellow", `retrying: ${cell(turn.retrying_reason)}`);
  if (queue.held && queue.pending > 0)
    return `${paint("yellow", `held: ${cell(queue.reason?.replaceAll("_", " "))}`)}`;
  if (limited && queue.pending > 0) return paint("yellow", cell(limited.reason));
  if (goal?.resume) return paint("yellow", "goal interrupted");
  const helpers = agents.length > 0 ? `${paint("cyan", `${agents.length} sub-agents`)} ` : "";
  const text = last_message?.text.slice(0, limits.top.lineCharsMax).toWellFormed();
  return text ? `${helpers}${cell(text)}` : helpers.trimEnd();
}

/** Archived threads are not on the board. */
export const isShown = ({ status }: ThreadView) => status !== "archived";

/** True if a part of its title, its names, its folder or its status is `filter`. */
export function fits(thread: ThreadView, filter: string): boolean {
  const wanted = filter.trim().toLowerCase();
  const { title, ref, handle, cwd, status } = thread;
  return [title, ref, handle ? `@${handle}` : "", cwd, status, statusOf(thread).word].some((word) =>
    word.toLowerCase().includes(wanted),
  );
}

/** Refs in the order of the board: first what needs a person, then what works, then the rest, newest first. */
export function ordered(threads: Iterable<ThreadView>): string[] {
  const all = [...threads];
  const byId = new Map(all.flatMap((thread) => (thread.id === null ? [] : [[thread.id, thread] as const])));
  // A family is where its most urgent member is.
  const best = new Map(all.map((thread) => [thread.ref, placeOf(thread)]));
  for (const thread of all) {
    const seen = new Set([thread.ref]);
    for (let up = parentOf(thread, byId); up && !seen.has(up.ref); up = parentOf(up, byId)) {
      seen.add(up.ref);
      if (compare(placeOf(thread), best.get(up.ref)!) < 0) best.set(up.ref, placeOf(thread));
    }
  }
  return all
    .toSorted((a, b) => compare(best.get(a.ref)!, best.get(b.ref)!) || (a.ref < b.ref ? -1 : 1))
    .map(({ ref }) => ref);
}

type Position = readonly [rank: number, at: number];

/** Who waits longest is first. A turn keeps its place while it runs. Of the rest, what happened last is first. */
function placeOf(thread: ThreadView): Position {
  const rank = rankOf(thread);
  if (rank === ranks.asks) return [rank, sinceOf(thread)];
  if (rank === ranks.busy) return [rank, -(turnStart(thread) ?? 0)];
  return [rank, -Date.parse(thread.updated_at)];
}

const compare = (a: Position, b: Position) => a[0] - b[0] || a[1] - b[1];

/** A sub-agent belongs to the thread that spawned it, another thread to the agent that made it. */
function parentOf(
  { parent_id, created_by }: ThreadView,
  byId: ReadonlyMap<string, ThreadView>,
): ThreadView | undefined {
  return byId.get(parent_id ?? created_by ?? "");
}

export interface TreeRow {
  thread: ThreadView;
  depth: number;
}

/** The rows in this order, children under their parents. */
export function treeOf(threads: readonly ThreadView[]): TreeRow[] {
  const rows = threads.map((thread) => ({
    thread,
    id: thread.id,
    parent_id: thread.parent_id ?? thread.created_by,
  }));
  return underParents(rows).map(({ row, depth }) => ({ thread: row.thread, depth }));
}
