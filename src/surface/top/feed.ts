/**
 * Keeps a board up to date without polling: one read of everything, then the event log from its cursor. A thread that an
 * event names is read again, together with the others of that moment. The event of an item is the exception: it has the
 * text that the board shows, so its thread is read rarely. A lost daemon is looked for until it is back.
 */
import type { Clock } from "../../base/clock.ts";
import { DispatchError, errorMessage } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { EventData, EventView } from "../../contract/events.ts";
import type { ThreadView } from "../../contract/thread.ts";
import type { Row } from "../wire.ts";
import type { Calls } from "./daemon.ts";
import type { DaemonFacts } from "./model.ts";
import type { Report, Said } from "./update.ts";

export interface FeedDeps extends Calls {
  clock: Clock;
  report(report: Report): void;
  /** An event of this thread came: what it says may have changed. */
  touched(ref: string): void;
}

/** Calls are reads that nothing on the board depends on; `daemon.*` and `codex.*` change what its first line says. */
const kinds = ["thread.*", "turn.*", "item.*", "message.*", "queue.*", "request.*", "goal.*", "limit.*"];
const ofDaemon = ["codex.*", "daemon.*", "gap", "reconciled"];

export interface Feed {
  /** Reads everything for the first time. Throws what the daemon says. */
  begin(): Promise<void>;
  /** Follows until `signal` aborts. */
  follow(signal: AbortSignal): Promise<void>;
}

export function openFeed(deps: FeedDeps): Feed {
  const { clock, call, report } = deps;
  const dirty = new Set<string>();
  /** Threads of which only the tokens may have changed. */
  const counting = new Set<string>();
  let countedAt = 0;
  /** By thread: what its agent said last. */
  const said = new Map<string, Said>();
  let isAllDirty = false;
  let isDaemonDirty = false;
  let flushing: Promise<void> | undefined;
  let timer: { at: number; cancel: () => void } | undefined;
  let nextAt = 0;
  let limit: number = limits.top.threadsMax;
  let cursor = "";

  const readDaemon = async () => {
    const status = await call("daemon.status", {});
    report({ is: "daemon", daemon: factsOf(status) });
    return String(status["cursor"]);
  };

  const readAll = async () => {
    const from = clock.monotonic();
    for (;;) {
      try {
        const { threads, truncated } = await call("thread.list", { full: true, limit });
        report({ is: "threads", threads: threads as ThreadView[], isTruncated: truncated === true });
        break;
      } catch (thrown) {
        // Long last messages of many threads do not fit one frame.
        if (!(thrown instanceof DispatchError) || thrown.code !== "too_large" || limit <= 1) throw thrown;
        limit = Math.floor(limit / 2);
      }
    }
    const took = clock.monotonic() - from;
    nextAt = Math.max(nextAt, clock.monotonic() + took * limits.top.readPauseFactor);
  };

  /** The thread; its ref when it is no more; undefined when it could not be read, and is read again later. */
  const readOne = async (ref: string): Promise<ThreadView | string | undefined> => {
    try {
      return (await call("thread.get", { thread: ref })) as unknown as ThreadView;
    } catch (thrown) {
      if (thrown instanceof DispatchError && thrown.code === "not_found") return ref;
      dirty.add(ref);
      return undefined;
    }
  };

  /** Together, so that they are ordered and drawn once. */
  const readSome = async (refs: readonly string[]) => {
    const read = await Promise.all(refs.map(readOne));
    report({
      is: "changed",
      threads: read.filter((thread) => typeof thread === "object"),
      gone: read.filter((thread) => typeof thread === "string"),
    });
  };

  /** When something is due next; undefined: nothing is. */
  const dueAt = () => {
    if (dirty.size > 0 || said.size > 0 || isAllDirty || isDaemonDirty) return nextAt;
    return counting.size > 0 ? Math.max(nextAt, countedAt) : undefined;
  };

  const flush = async () => {
    if (said.size > 0) report({ is: "said", messages: [...said.values()] });
    said.clear();
    if (countedAt <= clock.monotonic()) {
      for (const ref of counting) dirty.add(ref);
      countedAt = clock.monotonic() + limits.top.countEveryMs;
    }
    for (const ref of dirty) counting.delete(ref);
    const refs = [...dirty];
    const [all, daemon] = [isAllDirty || refs.length > limits.top.readsMax, isDaemonDirty];
    dirty.clear();
    isAllDirty = false;
    isDaemonDirty = false;
    if (daemon) await readDaemon();
    if (all) {
      counting.clear();
      await readAll();
    } else if (refs.length > 0) await readSome(refs);
  };

  const soon = () => {
    const at = dueAt();
    if (flushing || at === undefined || (timer && timer.at <= at)) return;
    timer?.cancel();
    timer = undefined;
    const wait = at - clock.monotonic();
    if (wait > 0) {
      const again = () => {
        timer = undefined;
        soon();
      };
      timer = { at, cancel: clock.after(wait, again) };
      return;
    }
    nextAt = clock.monotonic() + limits.top.readEveryMs;
    // A lost connection ends the stream as well, and then everything is read again.
    flushing = flush()
      .catch(() => {})
      .finally(() => {
        flushing = undefined;
        soon();
      });
  };

  const onEvent = (event: Row) => {
    const { kind, thread } = event;
    const word = String(kind);
    if (typeof thread === "string") {
      take(event as unknown as EventView, thread);
      deps.touched(thread);
    } else if (word === "gap" || word === "reconciled") isAllDirty = true;
    if (/^(?:codex|daemon|limit)\./.test(word)) isDaemonDirty = true;
    // A limit keeps turns from starting in many threads, and a new Codex knows none of their turns yet.
    if (/^(?:codex|limit)\./.test(word)) isAllDirty = true;
    soon();
  };

  const take = ({ kind, at, turn_id, data }: EventView, thread: string) => {
    if (kind !== "item.completed") return dirty.add(thread);
    const { type, preview } = data as EventData["item.completed"];
    if (type === "agent_message") {
      // A longer text is cut in the event.
      if (preview.length >= limits.thread.previewCharsMax) return dirty.add(thread);
      said.set(thread, { ref: thread, text: preview, truncated: false, turn_id: String(turn_id), at });
    }
    return counting.add(thread);
  };

  const begin = async () => {
    // The cursor first: what happens while the threads are read is an event after it.
    cursor = await readDaemon();
    await readAll();
  };

  return {
    begin,
    async follow(signal) {
      let downSince: number | undefined;
      let why: unknown;
      for (let isRead = true; !signal.aborted; isRead = false) {
        try {
          if (!isRead) await begin();
          downSince = undefined;
          report({ is: "link", link: { isUp: true } });
          const input = { follow: true, since: cursor, kinds: [...kinds, ...ofDaemon] };
          await deps.follow("event.list", input, onEvent, signal);
          why = undefined;
        } catch (thrown) {
          why = thrown;
        }
        if (signal.aborted) return;
        downSince ??= clock.now();
        report(downReport(why, downSince));
        await clock.sleep(limits.top.reconnectMs, signal);
      }
    },
  };
}

function downReport(thrown: unknown, since: number): Report {
  const isKnown = thrown instanceof DispatchError;
  const isDown = !isKnown || thrown.code === "daemon_down";
  return {
    is: "link",
    link: {
      isUp: false,
      since,
      why: isDown ? "no daemon answers" : errorMessage(thrown),
      hint: isKnown && !isDown ? thrown.hint : "dispatch up",
    },
  };
}

function factsOf(status: Row): DaemonFacts {
  const child = status["child"] as { state: string; version: string | null; last_error: string | null };
  const degraded = (status["degraded"] ?? []) as { message: string; hint: string | null }[];
  return {
    version: String(status["version"]),
    codex: { state: child.state, version: child.version, error: child.last_error },
    limits: (status["limits"] ?? []) as DaemonFacts["limits"],
    degraded: degraded.map(({ message, hint }) => (hint === null ? message : `${message}; ${hint}`)),
  };
}
