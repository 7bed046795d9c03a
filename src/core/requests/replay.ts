/** What a set of rules would have decided on past requests, beside what was decided then. */

import { iso } from "../../base/clock.ts";
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { Ruling } from "../../contract/words.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Ref, Request } from "../model/ports/rows.ts";
import type { IsInside, Rules } from "../model/ruling.ts";
import { decide, type RequestingThread } from "../policy/decide.ts";
import { optionsOf } from "./reply.ts";

export interface Replay {
  /** A file of rules; null: the present rules. */
  file: string | null;
  ref: Ref | null;
  /** Epoch ms. */
  since: number;
  limit: number;
  cursor: string | null;
}

export interface Replayed {
  id: string;
  thread: string;
  kind: Request["kind"];
  summary: string;
  /** True also when it is not known, as for old records. */
  outside_sandbox: boolean;
  asked_at: string;
  state: Request["state"];
  decision: string | null;
  answered_by: string | null;
  would: Ruling;
  by: string | null;
}

export interface ReplayPage {
  requests: Replayed[];
  counts: Record<Ruling, number> & { total: number; against: number };
  /** Requests older than the newest `replayMax` were left out. */
  truncated: boolean;
  next_cursor: string | null;
}

/**
 * The counts are of all requests since then, whatever the page. Throws `usage`: the file of rules is broken or missing.
 */
export function replay(deps: CoreDeps, { file, ref, since, limit, cursor }: Replay): ReplayPage {
  const rules = file === null ? deps.policy().rules : deps.rulesIn(file);
  const threads = new Map<Ref, RequestingThread>();
  const found = deps.store.requests
    .listSince({ since, limit: limits.request.replayMax + 1, ...(ref === null ? {} : { lane: ref }) })
    // No rule decides what dispatch refuses by itself.
    .filter((request) => optionsOf(request).length > 0);
  const all = found.slice(0, limits.request.replayMax).map((request) => {
    const thread = threads.get(request.lane) ?? requestingThread(deps, request.lane);
    threads.set(request.lane, thread);
    return replayRequest(request, thread, rules, deps.files.isInside);
  });
  const from = cursor === null ? 0 : indexAfter(cursor, all);
  const page = all.slice(from, from + limit);
  return {
    requests: page,
    counts: {
      total: all.length,
      ask: all.filter(({ would }) => would === "ask").length,
      deny: all.filter(({ would }) => would === "deny").length,
      approve: all.filter(({ would }) => would === "approve").length,
      against: all.filter(isAgainst).length,
    },
    truncated: found.length > limits.request.replayMax,
    next_cursor: from + limit < all.length ? page.at(-1)!.id : null,
  };
}

/** The thread as it is known now; only its ref when it was forgotten. */
function requestingThread({ store }: CoreDeps, ref: Ref): RequestingThread {
  return (
    store.lanes.find(ref) ?? { ref, thread_id: null, handle: null, named_by_agent: false, requests: null }
  );
}

function replayRequest(
  request: Request,
  thread: RequestingThread,
  rules: Rules,
  isInside: IsInside,
): Replayed {
  const { id, lane, kind, summary, state, decision, answered_by } = request;
  const { ruling, by } = decide(request, thread, rules, isInside);
  const asked_at = iso(request.asked_at);
  const outside_sandbox = !request.inside_sandbox;
  const past = { id, thread: lane, kind, summary, outside_sandbox, asked_at, state, decision, answered_by };
  return { ...past, would: ruling, by };
}

/** It would approve what was refused, or deny what was allowed. */
function isAgainst({ would, decision }: Replayed): boolean {
  if (would === "approve") return decision === "deny" || decision === "cancel";
  return would === "deny" && decision !== null && decision !== "deny" && decision !== "cancel";
}

/** The index behind the last request of the page before. */
function indexAfter(cursor: string, all: readonly Replayed[]): number {
  const at = all.findIndex(({ id }) => id === cursor);
  if (at < 0)
    fail("usage", `"${cursor}" is not a cursor of this replay`, {
      hint: "leave --cursor out to start again",
    });
  return at + 1;
}
