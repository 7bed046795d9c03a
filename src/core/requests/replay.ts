/** What a set of rules would have decided on every question that was asked, beside what was decided then. */

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
  /** A file of rules; null: those that hold now. */
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
  /** Also where it is not known: of what was recorded before. */
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
  /** Older ones than the newest so many were not looked at. */
  truncated: boolean;
  next_cursor: string | null;
}

/** The counts are of all since then, whatever page is asked for. Throws `usage`: a file of rules that is broken or missing. */
export function replay(deps: CoreDeps, { file, ref, since, limit, cursor }: Replay): ReplayPage {
  const rules = file === null ? deps.policy().rules : deps.rulesIn(file);
  const askers = new Map<Ref, RequestingThread>();
  const asked = deps.store.requests
    .listSince({ since, limit: limits.request.replayMax + 1, ...(ref === null ? {} : { lane: ref }) })
    // What dispatch refuses by itself no rule decides.
    .filter((request) => optionsOf(request).length > 0);
  const all = asked.slice(0, limits.request.replayMax).map((request) => {
    const asker = askers.get(request.lane) ?? askerOf(deps, request.lane);
    askers.set(request.lane, asker);
    return judged(request, asker, rules, deps.files.isInside);
  });
  const from = cursor === null ? 0 : placeOf(cursor, all);
  const page = all.slice(from, from + limit);
  return {
    requests: page,
    counts: {
      total: all.length,
      ask: all.filter((one) => one.would === "ask").length,
      deny: all.filter((one) => one.would === "deny").length,
      approve: all.filter((one) => one.would === "approve").length,
      against: all.filter(isAgainst).length,
    },
    truncated: asked.length > limits.request.replayMax,
    next_cursor: from + limit < all.length ? page.at(-1)!.id : null,
  };
}

/** As the thread is known now; of one that was forgotten, its ref. */
function askerOf({ store }: CoreDeps, ref: Ref): RequestingThread {
  return (
    store.lanes.find(ref) ?? { ref, thread_id: null, handle: null, named_by_agent: false, requests: null }
  );
}

function judged(request: Request, asker: RequestingThread, rules: Rules, isInside: IsInside): Replayed {
  const { id, lane, kind, summary, state, decision, answered_by } = request;
  const { ruling, by } = decide(request, asker, rules, isInside);
  const asked_at = iso(request.asked_at);
  const outside_sandbox = !request.inside_sandbox;
  const past = { id, thread: lane, kind, summary, outside_sandbox, asked_at, state, decision, answered_by };
  return { ...past, would: ruling, by };
}

/** Yes to what was refused, or no to what was let. */
function isAgainst({ would, decision }: Replayed): boolean {
  if (would === "approve") return decision === "deny" || decision === "cancel";
  return would === "deny" && decision !== null && decision !== "deny" && decision !== "cancel";
}

/** Behind the one that a page ended with. */
function placeOf(cursor: string, all: readonly Replayed[]): number {
  const at = all.findIndex(({ id }) => id === cursor);
  if (at < 0)
    fail("usage", `"${cursor}" is not a cursor of this replay`, {
      hint: "leave --cursor out to start again",
    });
  return at + 1;
}
