/** The text views of shared shapes. Every string from outside goes through `cell` or `block`. */

import { pairs, table } from "../base/table.ts";
import { ago, cell, type Look, paint, type Style } from "../base/text.ts";
import type { EventView } from "../contract/events.ts";
import type { Receipt } from "../contract/receipt.ts";
import type { ThreadSummary, ThreadView } from "../contract/thread.ts";

const statusStyle: Partial<Record<string, Style>> = {
  busy: "cyan",
  waiting: "yellow",
  error: "red",
  blocked: "red",
  gone: "red",
  idle: "green",
  unknown: "yellow",
};

export function statusWord({ status, setup }: Pick<ThreadView, "status" | "setup">): string {
  const style = statusStyle[status];
  const word = setup === null || status === "blocked" ? status : setup;
  return style ? paint(style, word) : word;
}

/** The summary row of a full thread view. */
export function summaryOf(thread: ThreadView): ThreadSummary {
  const { queue, blocked, requests, agents, latest_turn, goal, last_message } = thread;
  return {
    ...thread,
    queue: { ...queue, blocked: blocked?.reason ?? null },
    asks: requests.map(({ id }) => id),
    agents: agents.length,
    retrying: latest_turn?.status === "in_progress" && latest_turn.retrying_since !== null,
    goal: goal?.resume ? "interrupted" : (goal?.status ?? null),
    limited_until: thread.limited?.until ?? null,
    last: last_message?.text ?? null,
    last_at: last_message?.at ?? null,
  };
}

/** A table, and below it what shows the rest of a list that was cut. */
export function withMore(drawn: string, next_cursor: string | null | undefined): string {
  return next_cursor ? `${drawn}\n${moreLine("more", `--cursor ${next_cursor}`)}` : drawn;
}

/** For a list that has no cursor. */
export const largerLimit = (most: number) => `\n${moreLine("more", `--limit ${most}`)}`;

export function moreLine(word: string, flags: string): string {
  return `${paint("dim", `${word}: the same command with`)} ${paint("bold", cell(flags))}`;
}

export function threadTable(threads: readonly ThreadSummary[], look: Look): string {
  if (threads.length === 0)
    return `no threads; to create one: ${paint("bold", "dispatch new --name NAME --text TEXT")}`;
  const rows = underParents(threads).map(({ row: thread, depth }) => [
    thread.ref,
    statusWord(thread),
    `${"  ".repeat(depth)}${cell(thread.title)}`,
    noteOf(thread, look),
    cell(thread.last),
    ago(thread.updated_at, look),
  ]);
  return table(rows, look, {
    header: ["ref", "status", "title", "queue", "last message", "activity"],
    shrink: 4,
  });
}

/** Orders sub-agents under the thread that spawned them, if it is among the rows. Otherwise the order stays. */
export function underParents<T extends { id: string | null; parent_id: string | null }>(
  rows: readonly T[],
): { row: T; depth: number }[] {
  const ids = new Set(rows.map((row) => row.id));
  const under = Map.groupBy(rows, (row) => row.parent_id ?? "");
  const shown = new Set<T>();
  const branch = (row: T, depth: number): { row: T; depth: number }[] => {
    if (shown.has(row)) return [];
    shown.add(row);
    const children = row.id === null ? [] : (under.get(row.id) ?? []);
    return [{ row, depth }, ...children.flatMap((child) => branch(child, depth + 1))];
  };
  const roots = rows.filter((row) => row.parent_id === null || !ids.has(row.parent_id));
  // A row that is its own ancestor has no root. It must not be lost.
  return [...roots, ...rows].flatMap((row) => branch(row, 0));
}

/** The most important fact about a thread besides its status. */
function noteOf(thread: ThreadSummary, look: Look): string {
  const { asks, retrying, queue, agents, goal, status, limited_until } = thread;
  const { pending, held, reason } = queue;
  if (asks.length > 0) return paint("yellow", `asks ${asks[0]}`);
  if (retrying) return paint("yellow", "retrying");
  if (agents > 0 && status !== "busy") return paint("cyan", `${agents} sub-agents`);
  if (goal === "interrupted" && !held) return paint("yellow", "goal interrupted");
  // Also with an empty queue: after a crash only the hold distinguishes this thread from a finished one.
  if (held) return paint("yellow", `${pending > 0 ? `${pending} ` : ""}held: ${reason}`);
  const waits = pending > 0 ? String(pending) : "-";
  // `get` has the whole reason.
  if (limited_until === null)
    return pending > 0 && reason !== null ? paint("yellow", `${waits}: ${cell(reason, 40)}`) : waits;
  const ends = `limited, ends ${ago(limited_until, look)}`;
  return paint("yellow", pending > 0 ? `${waits} ${ends}` : ends);
}

const stateWords: Record<Receipt["state"], string> = {
  relayed: "the relay has stored it; the other machine has not taken it yet",
  queued: "stored; it waits for its turn",
  claimed: "stored; it is being sent to Codex",
  sent: "Codex answered; delivery is not proven yet",
  delivered: "delivered; the turn runs",
  done: "delivered; the turn is over",
  failed: "not delivered",
  cancelled: "cancelled; never sent",
  unsure: "it is not known whether it was delivered",
};

function stateLine({ mode, state }: Receipt): string {
  return mode === "context" && state === "done" ? "delivered; it goes with the next text" : stateWords[state];
}

/** State and outcome in a few words. A failed turn differs from a text that was not delivered. */
export function outcomeOf({ mode, state, outcome }: Receipt): string {
  if (state === "failed") return "failed: not delivered";
  if (state !== "done") return state;
  if (outcome !== null) return `done: turn ${outcome}`;
  return mode === "context" ? "done: added" : state;
}

/** `by`: who wrote the message. */
export function receiptPairs(receipt: Receipt, look: Look, by: string | null = null): string {
  const rows: [string, string][] = [
    ["receipt", receipt.receipt],
    ["thread", receipt.thread],
    [
      "state",
      `${paint("bold", receipt.state)}: ${stateLine(receipt)}${receipt.outcome ? ` (${receipt.outcome})` : ""}`,
    ],
  ];
  if (by !== null) rows.push(["by", cell(by)]);
  if (receipt.held) rows.push(["held", `${cell(receipt.held)}\n${paint("bold", cell(receipt.release))}`]);
  if (receipt.waits) rows.push(["waits", cell(receipt.waits)]);
  if (receipt.joined) rows.push(["joined", "it joined a turn that was running already"]);
  if (receipt.attempt > 1) rows.push(["attempt", String(receipt.attempt)]);
  if (receipt.turn_id) rows.push(["turn", cell(receipt.turn_id)]);
  if (receipt.error) rows.push(["error", cell(receipt.error.message)]);
  if (receipt.caveat && receipt.outcome === null) rows.push(["caveat", cell(receipt.caveat)]);
  if (receipt.state === "unsure")
    rows.push(["settle", paint("bold", `dispatch receipt reconcile ${receipt.receipt}`)]);
  rows.push(["accepted", ago(receipt.created_at, look)]);
  return pairs(rows, look);
}

/** One line per event, with fixed columns so that a stream can be read while it runs: `watch --follow`. */
export function eventLine(row: Partial<EventView>, look: Look): string {
  const what = typeof row.data?.["type"] === "string" ? `${row.kind} ${row.data["type"]}` : (row.kind ?? "");
  const head = `${paint("dim", (row.at ?? "").slice(11, 19))}  ${(row.thread ?? "-").padEnd(6)}  ${paint(kindStyle(what), cell(what).padEnd(28))}`;
  return `${head}  ${cell(detailOf(row.data ?? {}), Math.max(20, look.width - 48))}`;
}

function kindStyle(kind: string): Style {
  if (/failed|unsure|down|gap|expired/.test(kind)) return "red";
  if (/request|held|interrupted/.test(kind)) return "yellow";
  return kind.startsWith("turn") ? "cyan" : "bold";
}

/** The readable part of an event's data: its text if there is one, else its short values. */
function detailOf(data: Record<string, unknown>): string {
  const { preview, summary, error, outcome, attempt, type: _type, item_id: _item, ...rest } = data;
  if (typeof preview === "string" && preview !== "") return preview;
  if (typeof summary === "string")
    return rest["decision"] ? `${rest["decision"]} by ${rest["by"]}: ${summary}` : summary;
  const message =
    typeof error === "object" && error !== null && "message" in error ? String(error.message) : "";
  const first = { outcome, ...rest, attempt: attempt === 1 ? null : attempt };
  const words = Object.entries(first).filter(
    ([, value]) => value !== undefined && value !== null && value !== false && typeof value !== "object",
  );
  return [...words.map(([name, value]) => `${name} ${value}`), message]
    .filter((word) => word !== "")
    .join(", ");
}

export function eventLines(events: readonly EventView[], look: Look): string {
  return events.length === 0 ? "no events" : events.map((row) => eventLine(row, look)).join("\n");
}
