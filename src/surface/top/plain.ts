/**
 * The board for a screen reader, a pipe or a log: a line for each thread, then one for each change. The cursor never
 * moves back. A slow reader gets the newest state of each thread, not all of them.
 */
import { type Clock, iso } from "../../base/clock.ts";
import { errorMessage } from "../../base/error.ts";
import { onInterrupt, writeErr, writeOut } from "../../base/stdio.ts";
import { cell, toJsonLine, toTerminal, unpainted } from "../../base/text.ts";
import type { ThreadView } from "../../contract/thread.ts";
import type { Row } from "../wire.ts";
import type { Calls } from "./daemon.ts";
import { openFeed } from "./feed.ts";
import type { DaemonFacts, Link } from "./model.ts";
import { lineOf, ordered, queueOf, statusOf } from "./threads.ts";
import type { Report } from "./update.ts";

export interface PlainOptions {
  isJson: boolean;
  clock: Clock;
  stop: AbortController;
}

/** Ends with 0 at Ctrl-C, and when the reader has gone. */
export async function runPlain(calls: Calls, { isJson, clock, stop }: PlainOptions): Promise<number> {
  const lines = changes();
  const waiting = new Map<string, Row>();
  let writing: Promise<void> | undefined;
  const { promise: broken, reject: fail } = Promise.withResolvers<never>();

  const write = async () => {
    for (let [first] = waiting; first && !stop.signal.aborted; [first] = waiting) {
      const [key, row] = first;
      waiting.delete(key);
      const whole = { at: iso(clock.now()), ...row };
      const line = isJson ? toJsonLine(whole) : toTerminal(textOf(whole), { color: false });
      if (!(await writeOut(`${line}\n`))) stop.abort();
    }
  };
  const report = (happened: Report) => {
    for (const [key, row] of lines(happened)) {
      waiting.delete(key);
      waiting.set(key, row);
    }
    writing ??= write()
      .catch(fail)
      .finally(() => {
        writing = undefined;
      });
  };
  const feed = openFeed({ ...calls, clock, report, touched: () => {} });
  const restore = onInterrupt(() => stop.abort());
  try {
    const followed = async () => {
      await feed.begin();
      calls.forbidStart();
      await feed.follow(stop.signal);
    };
    await Promise.race([followed(), broken]);
    await writing;
    return 0;
  } catch (thrown) {
    if (stop.signal.aborted) await writeErr(`${errorMessage(thrown)}\n`);
    throw thrown;
  } finally {
    restore();
  }
}

/** The rows that a report changes, by the thread or the part that they are about. */
function changes(): (report: Report) => [key: string, row: Row][] {
  const shown = new Map<string, string>();
  const known = new Map<string, ThreadView>();
  const changed = (key: string, row: Row): [string, Row][] => {
    // The event of a message and its thread have different times of it.
    const words = JSON.stringify({ ...row, last_at: null });
    if (shown.get(key) === words) return [];
    shown.set(key, words);
    return [[key, row]];
  };
  const gone = (ref: string): [string, Row][] => {
    const title = known.get(ref)?.title ?? null;
    known.delete(ref);
    return shown.delete(ref) ? [[ref, { thread: ref, title, status: "gone from the list" }]] : [];
  };
  const of = (thread: ThreadView): [string, Row][] => {
    if (thread.status === "archived") return gone(thread.ref);
    known.set(thread.ref, thread);
    return changed(thread.ref, threadRow(thread));
  };
  return (report) => {
    switch (report.is) {
      case "threads": {
        const byRef = new Map(report.threads.map((thread) => [thread.ref, thread]));
        const left = [...known.keys()].filter((ref) => !byRef.has(ref));
        return [...ordered(report.threads).flatMap((ref) => of(byRef.get(ref)!)), ...left.flatMap(gone)];
      }
      case "changed":
        return [...report.threads.flatMap(of), ...report.gone.flatMap(gone)];
      case "said":
        return report.messages.flatMap(({ ref, ...last_message }) => {
          const thread = known.get(ref);
          return thread ? of({ ...thread, last_message }) : [];
        });
      case "daemon":
        return changed("daemon", daemonRow(report.daemon));
      case "link":
        return changed("link", linkRow(report.link));
    }
  };
}

function threadRow(thread: ThreadView): Row {
  const { ref, title, parent_id, cwd, queue, limited, blocked, latest_turn, last_message, requests } = thread;
  return {
    thread: ref,
    title,
    status: statusOf(thread).word,
    line: unpainted(lineOf(thread)),
    asks: requests.map(({ id, kind, summary }) => ({ id, kind, summary })),
    queue: { pending: queue.pending, held: queue.held, reason: queue.reason },
    limited_until: limited?.until ?? null,
    blocked: blocked?.reason ?? null,
    turn: latest_turn && {
      id: latest_turn.id,
      status: latest_turn.status,
      started_at: latest_turn.started_at,
    },
    last_at: last_message?.at ?? null,
    parent_id,
    cwd,
    waits: queueOf(thread),
  };
}

function daemonRow({ version, codex, limits, degraded }: DaemonFacts): Row {
  const problems = [...degraded, ...limits.map(({ until, reason }) => `limited until ${until}: ${reason}`)];
  return { daemon: version, codex: codex.state, codex_version: codex.version, problems };
}

function linkRow(link: Link): Row {
  return link.isUp ? { link: "up" } : { link: "down", why: link.why, hint: link.hint };
}

/** `09:01:10  b1kft3  waiting  builder  asks mhrxk6 npm test`. */
function textOf(row: Row): string {
  const at = String(row["at"]).slice(11, 19);
  if ("link" in row)
    return `${at}  daemon  ${row["link"]}${row["why"] ? `: ${cell(String(row["why"]))}; ${cell(String(row["hint"]))}` : ""}`;
  if ("daemon" in row) {
    const problems = (row["problems"] as string[]).map((problem) => `; ${cell(problem)}`).join("");
    return `${at}  codex  ${row["codex"]} ${cell(row["codex_version"] as string | null)}${problems}`;
  }
  const waits = row["waits"] ? `  queue ${row["waits"]}` : "";
  return `${at}  ${row["thread"]}  ${row["status"]}  ${cell(row["title"] as string)}${waits}  ${cell(row["line"] as string | undefined)}`;
}
