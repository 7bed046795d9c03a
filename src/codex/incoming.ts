/**
 * Reads the child's lines in order. The events of one read are one batch. An answer ends a batch, so that its caller
 * sees exactly the events before it: a `turn/started` before our answer is a turn that somebody else started.
 */
import { limits } from "../base/limits.ts";
import { type Oversize, textOf } from "../base/lines.ts";
import type { Log } from "../base/log.ts";
import { macrotask } from "../base/macrotask.ts";
import type { RawLine } from "../core/model/ports/agent.ts";
import type { AgentEvent } from "../core/model/ports/agentevent.ts";
import { deltaOf, isDelta } from "./deltas.ts";
import { agentEvent } from "./events.ts";
import type { StreamMemory } from "./memory.ts";
import { type Json, object, text } from "./read.ts";
import { requestFacts } from "./requests.ts";
import type { Rpc } from "./rpc.ts";
import { warningOf } from "./warnings.ts";

export type Taps = ReadonlySet<(line: RawLine) => void>;

export interface Incoming {
  onRead(lines: Uint8Array[]): Promise<void>;
  onOversize(oversize: Oversize): void;
}

export function incoming(to: {
  rpc: Rpc;
  memory: StreamMemory;
  taps: Taps;
  log: Log;
  batch(events: AgentEvent[]): void;
  warned(words: string): void;
  /** A line that is not of the protocol, where it is at hand. */
  garbage(line?: Uint8Array): void;
}): Incoming {
  let events: AgentEvent[] = [];

  const deliver = () => {
    if (events.length === 0) return;
    const batch = events;
    events = [];
    try {
      to.batch(batch);
    } catch (thrown) {
      // The database refused the batch. Core reads the threads again later. Meanwhile the child's output must be read.
      to.log.error("a batch of codex's events was not stored", { events: batch.length, thrown });
    }
  };

  const onMessage = (method: string, message: Json) => {
    const params = object(message["params"]) ?? {};
    const id = message["id"];
    if (to.taps.size > 0) {
      const delta = deltaOf(method, params);
      notifyTaps(to.taps, { method, thread_id: text(params["threadId"]), line: message, delta }, to.log);
    }
    events.push(...to.memory.note(method, params));
    const warning = warningOf(method, params);
    if (warning?.thread_id) events.push({ kind: "warned", ...warning, thread_id: warning.thread_id });
    else if (warning?.words) to.warned(warning.words);
    // Codex numbers its requests from 0: the ids collide with ours (facts F55), and 0 is falsy.
    const isRequest = typeof id === "string" || typeof id === "number";
    const event: AgentEvent | undefined = isRequest
      ? { kind: "request_opened", request: requestFacts(id, method, params, to.memory) }
      : agentEvent(method, params);
    if (event !== undefined) events.push(event);
  };

  const take = async (line: Uint8Array) => {
    if (to.taps.size === 0 && !to.memory.isRetrying() && isDelta(line)) return;
    const message = parsed(line);
    const method = text(message?.["method"]);
    if (message === undefined || (method === null && message["id"] === undefined)) return to.garbage(line);
    if (method !== null) return onMessage(method, message);
    deliver();
    if (!to.rpc.settle(message)) to.log.debug("codex answered an unknown or expired call");
    await macrotask();
  };

  return {
    async onRead(lines) {
      for (const line of lines) {
        try {
          await take(line);
        } catch (thrown) {
          // A line of an unexpected shape must not stop the reading of the others.
          to.garbage();
          to.log.error("a line of codex could not be read", { thrown });
        }
        if (events.length >= limits.wire.batchLinesMax) deliver();
      }
      deliver();
    },
    onOversize({ bytes, head }) {
      to.garbage();
      to.log.warn("a line of codex was over the limit and dropped", { bytes });
      const id = /^\{"id":(\d+),/.exec(textOf(head))?.[1];
      if (id !== undefined) to.rpc.dropAnswer(Number(id));
    },
  };
}

function parsed(line: Uint8Array): Json | undefined {
  try {
    return object(JSON.parse(textOf(line)));
  } catch {
    // The caller counts the line as garbage.
    return undefined;
  }
}

function notifyTaps(taps: Taps, line: RawLine, log: Log): void {
  for (const tap of taps) {
    try {
      tap(line);
    } catch (thrown) {
      log.error("a tap on codex's stream failed", { thrown });
    }
  }
}
