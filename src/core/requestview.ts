/** A question as outputs show it. */
import { iso, isoOrNull } from "../base/clock.ts";
import type { Asks, FormAsked, Question, RequestKind, ToolAsked } from "./ports/request.ts";
import type { Request } from "./ports/rows.ts";
import { type Option, optionsOf } from "./reply.ts";

export interface RequestView {
  id: string;
  kind: RequestKind;
  thread: string;
  turn_id: string | null;
  sub_agent: string | null;
  state: "open" | "answered" | "expired";
  summary: string;
  reason: string | null;
  command: string | null;
  cwd: string | null;
  diff: string | null;
  permissions: Record<string, unknown> | null;
  network: Asks["network"];
  questions: Question[] | null;
  tool: ToolAsked | null;
  form: FormAsked | null;
  options: Option[];
  asked_at: string;
  expires_at: string | null;
  answered_by: string | null;
  decision: string | null;
}

export function requestView(request: Request): RequestView {
  const { asks } = request;
  return {
    id: request.id,
    kind: request.kind,
    thread: request.lane,
    turn_id: request.turn_id,
    sub_agent: asks?.sub_agent ?? null,
    state: request.state,
    summary: request.summary,
    reason: asks?.reason ?? null,
    command: request.command,
    cwd: request.cwd,
    diff: request.diff,
    permissions: asks?.permissions ?? null,
    network: asks?.network ?? null,
    questions: asks?.questions ?? null,
    tool: asks?.tool ?? null,
    form: asks?.form ?? null,
    options: [...optionsOf(request)],
    asked_at: iso(request.asked_at),
    expires_at: isoOrNull(request.expires_at),
    answered_by: request.answered_by,
    decision: request.decision,
  };
}
