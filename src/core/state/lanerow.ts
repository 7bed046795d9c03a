/** The row of a new lane. */

import type { Mint } from "../model/deps.ts";
import type { Lane, Ref } from "../model/ports/rows.ts";
import type { Store } from "../model/ports/store.ts";
import type { ThreadSettings } from "../model/ports/thread.ts";

export interface LaneDraft {
  title: string;
  source: Lane["source"];
  settings: ThreadSettings;
  /** Null: another app created the thread. */
  created_by: string | null;
}

/** Chooses a ref that no lane ever had. */
export function laneRow(store: Store, mint: Mint, now: number, draft: LaneDraft): Lane {
  let ref = mint.ref();
  while (store.lanes.isRefTaken(ref)) ref = mint.ref();
  return {
    ...draft,
    ref: ref as Ref,
    thread_id: null,
    parent_id: null,
    setup: "starting",
    durable_at: null,
    handle: null,
    cwd: draft.settings.cwd,
    effective: null,
    rollout_path: null,
    hold_reason: null,
    blocked_reason: null,
    goal: null,
    goal_setup: null,
    overridden: false,
    pending: 0,
    tokens: null,
    last_message: null,
    create_key: null,
    create_digest: null,
    named_by_agent: false,
    cause_id: null,
    requests: null,
    evidence_at: now,
    archived_at: null,
    gone_at: null,
    created_at: now,
    updated_at: now,
  };
}
