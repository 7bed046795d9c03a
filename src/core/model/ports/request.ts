/** The requests of Codex while a turn runs, and their answers. */
import type { RequestKind } from "../../../contract/words.ts";
import type { FileChange } from "./filechange.ts";

export interface Question {
  id: string;
  header: string;
  question: string;
  options: { label: string; description: string }[] | null;
  /** Any other text is accepted too. */
  is_other: boolean;
  is_secret: boolean;
}

export interface ToolCall {
  server: string | null;
  name: string;
  description: string | null;
  arguments: unknown;
}

export interface FormRequest {
  /** Codex's term: `form`, `url`, ... */
  mode: string;
  server: string;
  message: string;
  /** JSON Schema of the answer. */
  schema: Record<string, unknown> | null;
  url: string | null;
}

/** The details of a request besides a command and a diff. A field that its kind does not have is null. */
export interface RequestDetails {
  reason: string | null;
  /** For a command approval; Codex's term: `command`, `writeStdin`, ... */
  action: string | null;
  /** As Codex sent them: they are granted back unchanged. */
  permissions: Record<string, unknown> | null;
  network: { host: string; protocol: string } | null;
  /** For a file change: the folder that is to stay writable. */
  grant_root: string | null;
  questions: Question[] | null;
  tool: ToolCall | null;
  form: FormRequest | null;
  /** For a tool: Codex accepts an approval for the session. */
  may_persist: boolean;
  /** The thread id of the sub-agent that asks; null: the thread itself asks. */
  sub_agent: string | null;
}

/** A request of Codex. `rpc_id` is valid only in its epoch. */
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
  /** For a file change: from the item that started before with the same id. Null: not known. */
  changes: FileChange[] | null;
  asks: RequestDetails;
  /** ms until Codex answers by itself, or null. */
  auto_resolution_ms: number | null;
}

export interface AgentReply {
  rpc_id: string | number;
  /** The JSON-RPC `result`, or an error that Codex turns into a failed item. */
  result?: Record<string, unknown>;
  error?: { code: number; message: string };
}
