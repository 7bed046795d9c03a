/** Calls of dispatch's own tools by a thread, and who carries them out. */
import type { ToolCallState } from "../../../contract/words.ts";
import type { Epoch } from "./agent.ts";
import type { Ref } from "./rows.ts";

/** The record of one call. It has no arguments: they may hold whole texts. */
export interface ToolCallRow {
  id: string;
  lane: Ref;
  epoch: Epoch;
  rpc_id: string | number;
  turn_id: string | null;
  /** Codex's id of the call; the model made it. */
  call_id: string | null;
  /** `dispatch_v1.dispatch_send` */
  tool: string;
  state: ToolCallState;
  /** `ok`, or the code of the error; null while it runs and when it was cancelled. */
  outcome: string | null;
  asked_at: number;
  closed_at: number | null;
}

export interface ThreadToolCall {
  /** The thread that calls, as Codex reports it. */
  thread_id: string;
  turn_id: string | null;
  call_id: string | null;
  namespace: string | null;
  name: string;
  arguments: unknown;
  /** The directory of that thread. */
  cwd: string;
}

export interface ToolAnswer {
  /** What the model reads. */
  text: string;
  /** `ok`, or the code of the error. */
  outcome: string;
}

export interface ToolRunner {
  /** Never rejects: a failure is an answer too. An abort ends it early, and its answer is not used then. */
  run(call: ThreadToolCall, signal: AbortSignal): Promise<ToolAnswer>;
}

export interface ToolCallStore {
  add(call: ToolCallRow): void;
  find(id: string): ToolCallRow | undefined;
  findByWire(epoch: Epoch, rpcId: string | number): ToolCallRow | undefined;
  close(id: string, change: Pick<ToolCallRow, "state" | "outcome" | "closed_at">): void;
  listRunning(): ToolCallRow[];
  /** Deletes up to `limit` that ended before `before`. Returns how many. */
  prune(before: number, limit: number): number;
}
