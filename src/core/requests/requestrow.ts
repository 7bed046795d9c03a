/** The row of a new request: within its limits, with a count of what was left out. */
import { limits } from "../../base/limits.ts";
import { bounded, summaryOf as changesSummary } from "../model/changes.ts";
import { clip, clipBytes, jsonBytes } from "../model/clip.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Epoch } from "../model/ports/agent.ts";
import type { RequestFacts } from "../model/ports/request.ts";
import type { Lane, Request } from "../model/ports/rows.ts";
import { staysInside } from "../policy/sandboxed.ts";

/** `timeoutMs`: from the configuration, or null. `now`: epoch ms. */
export function requestRow(
  { files }: CoreDeps,
  id: string,
  lane: Lane,
  epoch: Epoch,
  facts: RequestFacts,
  timeoutMs: number | null,
  now: number,
): Request {
  const isSmall = jsonBytes(facts.asks) <= limits.request.bytesMax;
  const command = facts.command === null ? null : clipBytes(facts.command, limits.request.bytesMax);
  const changes = facts.changes === null ? null : bounded(facts.changes, limits.request.changesBytesMax);
  const endsInMs = Math.min(facts.auto_resolution_ms ?? Infinity, timeoutMs ?? Infinity);
  return {
    id,
    lane: lane.ref,
    epoch,
    rpc_id: facts.rpc_id,
    method: facts.method,
    kind: facts.kind,
    turn_id: facts.turn_id,
    item_id: facts.item_id,
    state: "open",
    summary: summaryOf(facts, lane.cwd),
    command: command?.text ?? null,
    cwd: facts.cwd,
    diff: null,
    changes: changes?.changes ?? null,
    inside_sandbox: staysInside(facts, lane, files.isInside),
    missing_bytes: (command?.missing ?? 0) + (changes?.missing ?? 0),
    asks: isSmall ? facts.asks : null,
    decision: null,
    answered_by: null,
    asked_at: now,
    expires_at: endsInMs === Infinity ? null : now + endsInMs,
    closed_at: null,
  };
}

/** One line for lists and events; a cut line ends in a mark. */
function summaryOf({ kind, method, command, changes, asks }: RequestFacts, cwd: string): string {
  const { reason, tool, form, questions, permissions } = asks;
  const charsMax = limits.thread.previewCharsMax;
  if (changes) return changesSummary(changes, cwd, charsMax);
  if (kind === "file_change_approval") return "change files: which, Codex did not say";
  if (tool) {
    const name = [tool.server, tool.name].filter((word) => word !== null).join("/");
    return clip(
      `run ${name}${tool.arguments === null ? "" : ` ${JSON.stringify(tool.arguments)}`}`,
      charsMax,
    );
  }
  const wider = kind === "permissions_approval" && permissions ? JSON.stringify(permissions) : null;
  if (wider) return clip(`more permissions: ${wider}`, charsMax);
  const words = command ?? questions?.[0]?.question ?? form?.message ?? reason ?? method;
  // Blanks must not move what follows behind the cut.
  return clip(words.replace(/\s{8,}/g, " … "), charsMax);
}
