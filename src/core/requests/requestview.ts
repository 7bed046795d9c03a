/** A request as outputs show it. */

import { iso, isoOrNull } from "../../base/clock.ts";
import type { RowKey } from "../../base/cursor.ts";
import { limits } from "../../base/limits.ts";
import type { RequestView } from "../../contract/request.ts";
import { bounded, wholeDiff } from "../model/changes.ts";
import { clipBytes, jsonBytes } from "../model/clip.ts";
import type { Ref, Request } from "../model/ports/rows.ts";
import type { Store } from "../model/ports/store.ts";
import { optionsOf } from "./reply.ts";

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
    outside_sandbox: !request.inside_sandbox,
    changes: request.changes,
    diff: request.changes === null ? request.diff : wholeDiff(request.changes),
    grant_root: asks?.grant_root ?? null,
    permissions: asks?.permissions ?? null,
    network: asks?.network ?? null,
    questions: asks?.questions ?? null,
    tool: asks?.tool ?? null,
    form: asks?.form ?? null,
    options: [...optionsOf(request)],
    truncated: request.missing_bytes > 0 || asks === null,
    missing_bytes: request.missing_bytes,
    asked_at: iso(request.asked_at),
    expires_at: isoOrNull(request.expires_at),
    answered_by: request.answered_by,
    decision: request.decision,
  };
}

export interface RequestFilter {
  ref: Ref | null;
  /** The answered and expired ones too. */
  all: boolean;
  after?: RowKey | null;
  limit: number;
}

/** Behind that key: the open ones with the oldest first, all with the newest first. */
export function requestsOf(store: Store, { ref, all, after = null, limit }: RequestFilter): Request[] {
  const lane = ref === null ? {} : { lane: ref };
  if (all) return store.requests.list({ ...lane, after, limit });
  const isBehind = ({ asked_at, id }: Request) =>
    after === null || asked_at > after[0] || (asked_at === after[0] && id > after[1]);
  return store.requests.listOpen(lane).filter(isBehind).slice(0, limit);
}

/** For a list, where many must fit into one answer: long texts are cut and marked; `request get` returns them whole. */
export function requestViews(requests: readonly Request[]): RequestView[] {
  const { listBytesMax, listEachBytesMax } = limits.request;
  const bytesMax = Math.min(listEachBytesMax, Math.floor(listBytesMax / Math.max(1, requests.length)));
  return requests.map((request) => shortView(request, bytesMax));
}

function shortView(request: Request, bytesMax: number): RequestView {
  const textMax = Math.floor(bytesMax / 6);
  const cut = request.changes && bounded(request.changes, textMax);
  const view = requestView(cut ? { ...request, changes: cut.changes } : request);
  if (cut && cut.missing > 0) view.truncated = true;
  if (jsonBytes(view) <= bytesMax) return view;
  const text = (whole: string | null) => (whole === null ? null : clipBytes(whole, textMax).text);
  const fits = <T>(part: T): T | null => (jsonBytes(part) <= textMax ? part : null);
  const { tool } = view;
  return {
    ...view,
    reason: text(view.reason),
    command: text(view.command),
    cwd: text(view.cwd),
    diff: cut ? view.diff : text(view.diff),
    grant_root: text(view.grant_root),
    permissions: fits(view.permissions),
    questions: fits(view.questions),
    tool:
      fits(tool) ?? (tool && { ...tool, description: null, arguments: text(JSON.stringify(tool.arguments)) }),
    form: fits(view.form),
    truncated: true,
  };
}
