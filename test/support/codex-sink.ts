import type { Log } from "../../src/base/log.ts";
import type { AgentSink, ChildIdentity, Epoch } from "../../src/core/model/ports/agent.ts";
import type { AgentEvent } from "../../src/core/model/ports/agentevent.ts";

/** A sink that remembers everything, and the order of it. */
export interface RecordingSink extends AgentSink {
  births: ChildIdentity[];
  ups: { epoch: Epoch; version: string; codex_home: string }[];
  downs: { epoch: Epoch; reason: string }[];
  batches: { epoch: Epoch; events: AgentEvent[] }[];
  events(): AgentEvent[];
  /** `born`, `up`, `batch`, `down`, in the order they came. */
  order: string[];
}

export function recordingSink(over: Partial<AgentSink> = {}): RecordingSink {
  const sink: RecordingSink = {
    births: [],
    ups: [],
    downs: [],
    batches: [],
    order: [],
    events: () => sink.batches.flatMap((batch) => batch.events),
    onSpawn(child) {
      sink.order.push("born");
      const epoch = sink.births.push(child);
      return over.onSpawn?.(child) ?? epoch;
    },
    onReady(epoch, hello) {
      sink.order.push("up");
      sink.ups.push({ epoch, ...hello });
      over.onReady?.(epoch, hello);
    },
    onEvents(epoch, events) {
      sink.order.push("batch");
      sink.batches.push({ epoch, events });
      over.onEvents?.(epoch, events);
    },
    onExit(epoch, reason, isLeft) {
      sink.order.push("down");
      sink.downs.push({ epoch, reason });
      return over.onExit?.(epoch, reason, isLeft) ?? false;
    },
  };
  return sink;
}

export const quietLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** Waits until it holds, in real time; the deadline fails the test with what was waited for. */
export async function until(what: string, holds: () => boolean, deadlineMs = 10_000): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`waited ${deadlineMs} ms for: ${what}`);
    await Bun.sleep(3);
  }
}
