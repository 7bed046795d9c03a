/** What must be remembered of earlier lines to understand a line. Bounded; one instance per child. */
import { limits } from "../base/limits.ts";
import type { AgentEvent } from "../core/model/ports/agentevent.ts";
import type { FileChange } from "../core/model/ports/filechange.ts";
import { changesOf } from "./changes.ts";
import { hookMemory } from "./hooks.ts";
import { type Json, object, text } from "./read.ts";
import { subagents } from "./subagents.ts";

export interface StreamMemory {
  /** Records a line. Returns the events that follow from it together with earlier lines. */
  note(method: string, params: Json): AgentEvent[];
  /** True while a turn reconnects. Then deltas are decoded too, because any line of the turn shows its recovery. */
  isRetrying(): boolean;
  /** The turn that started last in a thread, ended or not. */
  lastTurnOf(threadId: string): string | undefined;
  /** The changes of an open file change, which the question about it does not contain. Null when they are not known. */
  changesOf(threadId: string | null, itemId: string | null): FileChange[] | null;
}

export function streamMemory(): StreamMemory {
  const turns = new Map<string, string>();
  const changes = openChanges();
  const hooks = hookMemory();
  const agents = subagents();
  /** By thread: the turn that lost its stream and has not continued yet. */
  const retrying = new Map<string, string>();

  const recovered = (method: string, thread: string, params: Json): AgentEvent | undefined => {
    const turn_id = retrying.get(thread);
    if (method === "error" && params["willRetry"] === true) {
      const turn = text(params["turnId"]);
      if (turn !== null) retrying.set(thread, turn);
    } else if (turn_id !== undefined && ofTurn.test(method)) {
      retrying.delete(thread);
      return { kind: "turn_recovered", thread_id: thread, turn_id };
    }
    return undefined;
  };

  return {
    note(method, params) {
      const thread = text(params["threadId"]);
      if (thread === null) return [];
      const recovery = recovered(method, thread, params);
      if (method === "turn/started") {
        const turn = text(object(params["turn"])?.["id"]);
        if (turn !== null) turns.set(thread, turn);
      } else if (method === "thread/closed") turns.delete(thread);
      else changes.note(method, thread, params);
      const events = [recovery, hooks.note(method, thread, params)].filter((event) => event !== undefined);
      return [...events, ...agents(method, thread, params)];
    },
    isRetrying: () => retrying.size > 0,
    lastTurnOf: (threadId) => turns.get(threadId),
    changesOf: (threadId, itemId) => changes.get(`${threadId} ${itemId}`),
  };
}

/** Notifications that prove that a turn continues. A status, a warning or a hook does not. */
const ofTurn = /^(item\/|turn\/|thread\/tokenUsage\/|thread\/closed$)/;

interface OpenChanges {
  note(method: string, thread: string, params: Json): void;
  get(key: string): FileChange[] | null;
}

/** Bounded by dropping the oldest: a question about a dropped change reports that its files are not known. */
function openChanges(): OpenChanges {
  const open = new Map<string, { changes: FileChange[]; chars: number }>();
  let chars = 0;

  const drop = (key: string) => {
    chars -= open.get(key)?.chars ?? 0;
    open.delete(key);
  };

  return {
    note(method, thread, params) {
      const item = object(params["item"]);
      if (text(item?.["type"]) !== "fileChange") return;
      const isStart = method === "item/started";
      if (!isStart && method !== "item/completed") return;
      const key = `${thread} ${text(item?.["id"])}`;
      drop(key);
      const changes = isStart ? changesOf(item?.["changes"]) : null;
      if (changes === null) return;
      const size = changes.reduce((sum, { path, diff }) => sum + path.length + diff.length, 0);
      open.set(key, { changes, chars: size });
      chars += size;
      while (open.size > limits.wire.openChangesMax || chars > limits.wire.openChangesCharsMax) {
        const [oldest] = open.keys();
        if (oldest === undefined) return;
        drop(oldest);
      }
    },
    get: (key) => open.get(key)?.changes ?? null,
  };
}
