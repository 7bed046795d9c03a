/**
 * The only way in which core changes the registry: one transaction with the events that report the change. After it
 * the readers of the log wake up. External effects (a reply to Codex, a delivery) run after the commit, never before.
 */
import type { Clock } from "../../base/clock.ts";
import { DispatchError, errorMessage } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import { macrotask } from "../../base/macrotask.ts";
import type { EventDraft } from "./events.ts";
import type { Store } from "./ports/store.ts";

export interface Change {
  append(event: EventDraft): void;
  /**
   * Runs after the transaction is on disk; not at all when it failed. An error of an effect is logged and not thrown,
   * because the change itself is stored.
   */
  after(effect: () => void): void;
  /** The time of the whole transaction; epoch ms. */
  now: number;
}

export interface Journal {
  /** The change is on disk when it returns. Throws `storage`; then nothing of it is stored. */
  commit<T>(fn: (change: Change) => T): T;
  /**
   * For a change that Codex's history can prove again, or that nobody is told of before `synced`. It survives the death
   * of any process, but a power cut only after the next commit or `synced`. This saves one fsync for each event of a turn.
   */
  note<T>(fn: (change: Change) => T): T;
  /** As `note`, in one transaction with the others of this moment. Rejects as `note` throws. */
  noteShared<T>(fn: (change: Change) => T): Promise<T>;
  /**
   * Resolves when every change so far is on disk. Callers of one moment share the fsync, which is most of a commit, and
   * the loop goes on meanwhile. Rejects with `storage`: the changes are stored, but the disk did not confirm them.
   */
  synced(): Promise<void>;
  /** For an event that may wait a moment for the next transaction. */
  later(event: EventDraft): void;
  /** Stores the events of `later` now. */
  flush(): void;
  /** The error message of the last write if the disk refused it; else null. */
  refusal(): string | null;
  /** Resolves when the log has grown past `seq`, or when `signal` aborts. */
  grown(seq: number, signal?: AbortSignal): Promise<void>;
}

export function journal(store: Store, clock: Clock, log: Log): Journal {
  const grown = waiters();
  let waiting: EventDraft[] = [];
  let shared: { run(change: Change): () => void; reject(thrown: unknown): void }[] = [];
  let refusal: string | null = null;

  function write<T>(fn: (change: Change) => T, how: "durable" | "soon"): T {
    const effects: (() => void)[] = [];
    let appended = waiting.length;
    const result = written(() => {
      const now = clock.now();
      for (const event of waiting) store.events.append(event, now);
      return fn({
        now,
        append(event) {
          store.events.append(event, now);
          appended++;
        },
        after: (effect) => effects.push(effect),
      });
    }, how);
    waiting = [];
    if (appended > 0) grown.wake();
    for (const effect of effects) {
      try {
        effect();
      } catch (thrown) {
        log.error("an effect after a commit failed", { thrown });
      }
    }
    return result;
  }

  function written<T>(fn: () => T, how: "durable" | "soon"): T {
    try {
      const result = store.tx(fn, how);
      refusal = null;
      return result;
    } catch (thrown) {
      if (thrown instanceof DispatchError && thrown.code === "storage") refusal = thrown.message;
      throw thrown;
    }
  }

  function flush(): void {
    if (waiting.length === 0) return;
    try {
      write(() => {}, "soon");
    } catch (thrown) {
      // Not kept: on a full disk they would grow with every call.
      waiting = [];
      log.error("events could not be stored", { thrown });
    }
  }

  function writeShared(): void {
    const some = shared;
    shared = [];
    try {
      const done = write((change) => some.map(({ run }) => run(change)), "soon");
      for (const resolve of done) resolve();
    } catch {
      // One of them, or the disk: each finds out for itself.
      for (const { run, reject } of some)
        try {
          write(run, "soon")();
        } catch (thrown) {
          reject(thrown);
        }
    }
  }

  return {
    commit: (fn) => write(fn, "durable"),
    note: (fn) => write(fn, "soon"),
    noteShared<T>(fn: (change: Change) => T) {
      return new Promise<T>((resolve, reject) => {
        if (shared.length === 0) macrotask().then(writeShared, reject);
        const run = (change: Change) => {
          const result = fn(change);
          return () => resolve(result);
        };
        shared.push({ run, reject });
      });
    },
    async synced() {
      try {
        await store.synced();
      } catch (thrown) {
        refusal = errorMessage(thrown);
        throw thrown;
      }
    },
    later(event) {
      if (waiting.length === 0) clock.after(limits.event.laterMs, flush);
      waiting.push(event);
    },
    flush,
    refusal: () => refusal,
    async grown(seq, signal) {
      while (store.log.last() <= seq && !signal?.aborted) await untilEither(grown.next(), signal);
    },
  };
}

function waiters(): { next(): Promise<void>; wake(): void } {
  let wake: (() => void) | undefined;
  let waiting: Promise<void> | undefined;
  return {
    next() {
      waiting ??= new Promise((resolve) => {
        wake = resolve;
      });
      return waiting;
    },
    wake() {
      const woken = wake;
      wake = waiting = undefined;
      woken?.();
    },
  };
}

/** Leaves no listener behind on a signal that outlives the wait. */
function untilEither(woken: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return woken;
  return new Promise((resolve) => {
    const end = () => {
      signal.removeEventListener("abort", end);
      resolve();
    };
    signal.addEventListener("abort", end, { once: true });
    woken.then(end, end);
  });
}
