/** What Codex asks while a turn runs, and how it is answered. */
import type { RequestKind } from "../../../contract/words.ts";
import type { FileChange } from "./filechange.ts";

export interface Question {
  id: string;
  header: string;
  question: string;
  options: { label: string; description: string }[] | null;
  /** Any other text is an answer too. */
  is_other: boolean;
  is_secret: boolean;
}

export interface ToolAsked {
  server: string | null;
  name: string;
  description: string | null;
  arguments: unknown;
}

export interface FormAsked {
  /** `form`, `url`, ...: Codex's word. */
  mode: string;
  server: string;
  message: string;
  /** JSON Schema of the answer. */
  schema: Record<string, unknown> | null;
  url: string | null;
}

/** What a question asks beyond a command and a diff. What is not part of its kind is null. */
export interface Asks {
  reason: string | null;
  /** Of a command approval: `command`, `writeStdin`, ...: Codex's word. */
  action: string | null;
  /** Codex's own words: to be granted back as they were asked. */
  permissions: Record<string, unknown> | null;
  network: { host: string; protocol: string } | null;
  /** Of a file change: the folder that is to stay writable. */
  grant_root: string | null;
  questions: Question[] | null;
  tool: ToolAsked | null;
  form: FormAsked | null;
  /** Of a tool: Codex takes an approval for the session. */
  may_persist: boolean;
  /** The sub-agent's thread that asks, where it is not the thread itself. */
  sub_agent: string | null;
}

/** A question of Codex's. `rpc_id` is only good in its epoch. */
export interface RequestFacts {
  rpc_id: string | number;
  /** Codex's method, e.g. `item/commandExecution/requestApproval`. */
  method: string;
  kind: RequestKind;
  thread_id: string | null;
  turn_id: string | null;
  item_id: string | null;
  command: string | null;
  cwd: string | null;
  /** Of a file change: from the item that started before with the same id. Null: not known. */
  changes: FileChange[] | null;
  asks: Asks;
  /** ms until its own answer stands, or null. */
  auto_resolution_ms: number | null;
}

export interface AgentReply {
  rpc_id: string | number;
  /** The JSON-RPC `result`, or an error that Codex turns into a failed item. */
  result?: Record<string, unknown>;
  error?: { code: number; message: string };
}
