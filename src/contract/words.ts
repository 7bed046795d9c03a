/**
 * The word lists that several parts of the program use, each list once. Core derives its types from them, ops their
 * choices, and a test compares the registry's CHECKs with them.
 */
export const modes = ["send", "queue", "steer", "interject", "context"] as const;
export type Mode = (typeof modes)[number];

export const messageStates = [
  "relayed",
  "queued",
  "claimed",
  "sent",
  "delivered",
  "done",
  "failed",
  "cancelled",
  "unsure",
] as const;
export type MessageState = (typeof messageStates)[number];

/** What becomes of a message from another machine. `claiming` and `won`: it came for a pool. */
export const arrivalStates = ["claiming", "won", "taken", "over", "refused"] as const;
export type ArrivalState = (typeof arrivalStates)[number];

export const relayStates = ["connecting", "up", "down"] as const;
export type RelayState = (typeof relayStates)[number];

export const outcomes = ["completed", "failed", "interrupted"] as const;
export type Outcome = (typeof outcomes)[number];

/**
 * Why a queue is held. A completed turn ends a hold of the first three; a person, or the end of the cause, ends the
 * others.
 */
export const holdReasons = ["failed", "stopped", "crashed", "settings_differ", "unsure", "by_hand"] as const;
export type HoldReason = (typeof holdReasons)[number];

export const threadStatuses = [
  "idle",
  "busy",
  "waiting",
  "error",
  "blocked",
  "archived",
  "gone",
  "unknown",
] as const;
export type ThreadStatus = (typeof threadStatuses)[number];

export const confidences = ["live", "stale", "unknown"] as const;
export type Confidence = (typeof confidences)[number];

export const threadSources = ["own", "attached"] as const;
export type ThreadSource = (typeof threadSources)[number];

export const turnStatuses = ["in_progress", "completed", "failed", "interrupted"] as const;
export const turnOrigins = ["ours", "goal", "queue", "other"] as const;

export const requestKinds = [
  "command_approval",
  "file_change_approval",
  "permissions_approval",
  "mcp_tool_approval",
  "user_input",
  "elicitation",
  "tool_call",
  "current_time",
  "other",
] as const;
export type RequestKind = (typeof requestKinds)[number];

/** Of a call of dispatch's own tools by a thread. */
export const toolCallStates = ["running", "answered", "cancelled"] as const;
export type ToolCallState = (typeof toolCallStates)[number];

export const requestStates = ["open", "answered", "expired"] as const;
export type RequestState = (typeof requestStates)[number];

/** What a policy decides about a request. */
export const rulings = ["ask", "deny", "approve"] as const;
export type Ruling = (typeof rulings)[number];

/** The words that answer a request, in the order they are offered. */
export const decisions = ["approve", "approve_for_session", "deny", "cancel"] as const;
export type Decision = (typeof decisions)[number];

export const changeKinds = ["add", "delete", "update", "move"] as const;
export type ChangeKind = (typeof changeKinds)[number];

export const conditions = ["done", "idle", "waiting", "attention", "turn"] as const;
export type Condition = (typeof conditions)[number];

/** From the best to the worst. */
export const verdicts = [
  "ok",
  "turn_failed",
  "cancelled",
  "blocked",
  "needs_answer",
  "unsure",
  "timeout",
] as const;
export type Verdict = (typeof verdicts)[number];

export function worst(all: readonly Verdict[]): Verdict {
  return verdicts[Math.max(0, ...all.map((verdict) => verdicts.indexOf(verdict)))]!;
}

export const sandboxes = ["read-only", "workspace-write", "danger-full-access"] as const;
export type Sandbox = (typeof sandboxes)[number];

/** The policies that a caller may request; Codex has more. */
export const approvalPolicies = ["untrusted", "on-request", "never"] as const;

/** How far agents may go, as `[policy] agents` says. */
export const agentPolicies = ["guarded", "read", "free"] as const;
export type AgentPolicy = (typeof agentPolicies)[number];

export const codexStates = ["starting", "running", "degraded", "stopped"] as const;
export type CodexState = (typeof codexStates)[number];

/** What acts by itself. */
export const automationFaces = ["trigger", "subscription", "notification"] as const;
export type AutomationFace = (typeof automationFaces)[number];

export const automationStates = ["active", "paused", "ended"] as const;
export type AutomationState = (typeof automationStates)[number];

/**
 * What triggers, subscriptions and notifications wait for, beside events: `failed` and `waiting` are each occurrence of
 * it.
 */
export const watchedConditions = ["done", "failed", "waiting", "attention", "idle"] as const;
export type WatchedCondition = (typeof watchedConditions)[number];

/** `open`: Codex is asked for it, and it has not ended. */
export const firingOutcomes = ["open", "fired", "skipped", "failed"] as const;
export type FiringOutcome = (typeof firingOutcomes)[number];

/** What becomes of moments that passed while nobody looked. */
export const catchUps = ["one", "none", "all"] as const;
export type CatchUp = (typeof catchUps)[number];

export const inboxStates = ["pending", "acked"] as const;
export type InboxState = (typeof inboxStates)[number];

export const outboxStates = ["waiting", "done", "failed"] as const;
export type OutboxState = (typeof outboxStates)[number];

/** Programs that take the plugin. */
export const pluginHosts = ["codex", "claude"] as const;

/**
 * missing: the program is not there; absent: the plugin is not installed; current, older, newer: the installed version
 * beside that of this dispatch; disabled: installed and switched off; broken: it cannot load, or its files are not ours;
 * unknown: the host did not say.
 */
export const pluginStates = [
  "missing",
  "absent",
  "current",
  "older",
  "newer",
  "disabled",
  "broken",
  "unknown",
] as const;

/**
 * absent: not installed; installed; broken: it cannot start, because its program or Codex is gone; other: the file is of
 * another home or of somebody else.
 */
export const serviceStates = ["absent", "installed", "broken", "other"] as const;
