/** An automation as it begins: active, and never fired. */
import type { Automation, Guards } from "../model/ports/automation.ts";

export const noGuards: Guards = {
  idle_only: false,
  min_interval: null,
  dedupe: false,
  max_fires: null,
  until: null,
  catch_up: "one",
  jitter: 0,
};

type Given = "id" | "face" | "lane" | "when" | "action" | "since" | "caller";

export function automationRow(
  given: Pick<Automation, Given> & Partial<Omit<Automation, Given>>,
  now: number,
): Automation {
  return {
    name: null,
    guards: noGuards,
    state: "active",
    reason: null,
    slot_at: null,
    due_at: null,
    fired: 0,
    failures: 0,
    last_fired_at: null,
    last_receipt: null,
    created_at: now,
    updated_at: now,
    ...given,
  };
}
