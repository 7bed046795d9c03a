/** Turns Codex's threads, turns and settings into core's types. Tolerant, because the protocol changes monthly. */

import { fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Sandbox } from "../contract/words.ts";
import type { Catalogue, ModelFacts } from "../core/model/ports/agent.ts";
import type { RateLimits, TokensReport } from "../core/model/ports/agentevent.ts";
import type {
  EffectiveSettings,
  GoalFacts,
  SandboxDetails,
  ThreadFacts,
  ThreadOpened,
  ThreadStatus,
  TurnError,
  TurnFacts,
  TurnStatus,
} from "../core/model/ports/thread.ts";
import type { Spent } from "../core/model/ports/usage.ts";
import { itemFacts } from "./items.ts";
import { type Json, list, msOfSeconds, number, object, row, text, word } from "./read.ts";

export function threadFacts(value: unknown): ThreadFacts | undefined {
  const thread = object(value);
  const id = text(thread?.["id"]);
  if (thread === undefined || id === null) return undefined;
  return {
    id,
    name: text(thread["name"]),
    preview: text(thread["preview"]) ?? "",
    cwd: text(thread["cwd"]) ?? "",
    path: text(thread["path"]),
    status: threadStatus(thread["status"]) ?? "not_loaded",
    created_at: msOfSeconds(thread["createdAt"]) ?? 0,
    updated_at: msOfSeconds(thread["updatedAt"]) ?? 0,
    source: sourceOf(thread["source"]),
    parent_id: parentOf(thread),
    mark: /^dispatch:(.+)$/.exec(text(thread["threadSource"]) ?? "")?.[1] ?? null,
  };
}

/** A spawned agent names its parent only in its source; its `parentThreadId` is null (facts C6). */
function parentOf(thread: Json): string | null {
  const spawn = object(object(object(thread["source"])?.["subAgent"])?.["thread_spawn"]);
  return text(thread["parentThreadId"]) ?? text(spawn?.["parent_thread_id"]);
}

const statuses: Record<string, ThreadStatus> = {
  notLoaded: "not_loaded",
  idle: "idle",
  active: "active",
  systemError: "system_error",
};

/** Only `type` decides: `activeFlags` is empty during a normal turn. */
export function threadStatus(value: unknown): ThreadStatus | undefined {
  return row(statuses, object(value)?.["type"]);
}

export function statusFlags(value: unknown): string[] {
  return list(object(value)?.["activeFlags"]).filter((flag) => typeof flag === "string");
}

/** `vscode`, `cli` and so on. Sub-agents are `{"subAgent": kind}` in some answers and `{"subagent": ...}` in others. */
function sourceOf(value: unknown): string {
  const kind = word(value) ?? "unknown";
  if (kind === "custom") return text(object(value)?.["custom"]) ?? "custom";
  return kind === "subagent" ? "subAgent" : kind;
}

const turnStatuses: Record<string, TurnStatus> = {
  inProgress: "in_progress",
  completed: "completed",
  failed: "failed",
  interrupted: "interrupted",
};

export function turnFacts(value: unknown): TurnFacts | undefined {
  const turn = object(value);
  const id = text(turn?.["id"]);
  const status = row(turnStatuses, turn?.["status"]);
  if (turn === undefined || id === null || status === undefined) return undefined;
  return {
    id,
    status,
    error: turnError(turn["error"]),
    started_at: msOfSeconds(turn["startedAt"]),
    completed_at: msOfSeconds(turn["completedAt"]),
    items: list(turn["items"]).flatMap((item) => itemFacts(item) ?? []),
  };
}

function turnError(value: unknown): TurnError | null {
  const error = object(value);
  if (error === undefined) return null;
  return { message: text(error["message"]) ?? "", kind: word(error["codexErrorInfo"]) };
}

export function tokenUsage(value: unknown): TokensReport | undefined {
  const usage = object(value);
  const total = object(usage?.["total"]);
  if (usage === undefined || total === undefined) return undefined;
  return {
    total: spent(total),
    last: spent(object(usage["last"]) ?? {}),
    context_window: number(usage["modelContextWindow"]),
  };
}

function spent(tokens: Json): Spent {
  return {
    total: number(tokens["totalTokens"]) ?? 0,
    input: number(tokens["inputTokens"]) ?? 0,
    cached: number(tokens["cachedInputTokens"]) ?? 0,
    output: number(tokens["outputTokens"]) ?? 0,
    reasoning: number(tokens["reasoningOutputTokens"]) ?? 0,
  };
}

export function rateLimits(value: unknown): RateLimits | undefined {
  const limited = object(value);
  if (limited === undefined) return undefined;
  return {
    limit_id: text(limited["limitId"]),
    windows: (["primary", "secondary"] as const).flatMap((name) => {
      const window = object(limited[name]);
      const used_percent = number(window?.["usedPercent"]);
      if (used_percent === null) return [];
      const window_minutes = number(window?.["windowDurationMins"]);
      return [{ name, used_percent, window_minutes, resets_at: msOfSeconds(window?.["resetsAt"]) }];
    }),
    reached: text(limited["rateLimitReachedType"]),
  };
}

export function goalFacts(value: unknown): GoalFacts | null {
  const goal = object(value);
  const objective = text(goal?.["objective"]);
  if (goal === undefined || objective === null) return null;
  return {
    objective,
    status: text(goal["status"]) ?? "unknown",
    token_budget: number(goal["tokenBudget"]),
    tokens_used: number(goal["tokensUsed"]),
  };
}

export function modelFacts(value: unknown): ModelFacts | undefined {
  const model = object(value);
  const id = text(model?.["id"]);
  if (model === undefined || id === null) return undefined;
  return {
    id,
    name: text(model["displayName"]) ?? id,
    description: text(model["description"]) ?? "",
    is_default: model["isDefault"] === true,
    hidden: model["hidden"] === true,
    efforts: list(model["supportedReasoningEfforts"]).flatMap(
      (effort) => text(object(effort)?.["reasoningEffort"]) ?? [],
    ),
    default_effort: text(model["defaultReasoningEffort"]),
    service_tiers: list(model["serviceTiers"]).flatMap((value) => {
      const tier = object(value);
      const tierId = text(tier?.["id"]);
      return tierId === null ? [] : [{ id: tierId, name: text(tier?.["name"]) ?? tierId }];
    }),
  };
}

/** The defaults of the configuration, else the model that the catalogue marks as the default. */
export function defaultsOf(config: Json | undefined, models: readonly ModelFacts[]): Catalogue["default"] {
  const model = text(config?.["model"]) ?? models.find(({ is_default }) => is_default)?.id ?? null;
  return {
    model,
    provider: text(config?.["model_provider"]),
    effort: text(config?.["model_reasoning_effort"]),
    service_tier: text(config?.["service_tier"]),
  };
}

/** The answer to thread/start and thread/resume. */
export function threadOpened(answer: Json): ThreadOpened | undefined {
  const thread = threadFacts(answer["thread"]);
  return thread === undefined ? undefined : { thread, effective: effectiveSettings(answer) };
}

const sandboxes: Record<string, Sandbox> = {
  readOnly: "read-only",
  workspaceWrite: "workspace-write",
  dangerFullAccess: "danger-full-access",
};

function effectiveSettings(answer: Json): EffectiveSettings {
  return {
    cwd: text(answer["cwd"]) ?? "",
    sandbox: row(sandboxes, object(answer["sandbox"])?.["type"]) ?? null,
    approval_policy: word(answer["approvalPolicy"]),
    approvals_reviewer: text(answer["approvalsReviewer"]),
    permission_profile: text(object(answer["activePermissionProfile"])?.["id"]),
    model: text(answer["model"]),
    model_provider: text(answer["modelProvider"]),
    effort: text(answer["reasoningEffort"]),
    service_tier: text(answer["serviceTier"]),
    sandbox_details: sandboxDetails(object(answer["sandbox"])),
    approval_details: object(object(answer["approvalPolicy"])?.["granular"]) ?? null,
    profile_extends: text(object(answer["activePermissionProfile"])?.["extends"]),
  };
}

/** From the answer to a start (camelCase), or from a turn's line in the rollout (snake_case). */
export function sandboxDetails(policy: Json | undefined): SandboxDetails | null {
  if (policy === undefined) return null;
  const {
    type: _type,
    writableRoots,
    writable_roots = writableRoots,
    networkAccess,
    network_access = networkAccess,
    excludeSlashTmp,
    exclude_slash_tmp = excludeSlashTmp,
    excludeTmpdirEnvVar,
    exclude_tmpdir_env_var = excludeTmpdirEnvVar,
    ...more
  } = policy;
  // The details are stored with the thread, sent with each resume and shown in each row.
  if (JSON.stringify(policy).length > limits.wire.sandboxCharsMax)
    fail("too_large", "the sandbox of the thread has too many folders to store", {
      hint: "give fewer sandbox_workspace_write.writable_roots",
    });
  return {
    writable_roots: list(writable_roots).filter((root) => typeof root === "string"),
    // For an external sandbox it is a string.
    network_access: network_access === true || network_access === "enabled",
    exclude_slash_tmp: exclude_slash_tmp === true,
    exclude_tmpdir: exclude_tmpdir_env_var === true,
    ...(Object.keys(more).length === 0 ? {} : { more }),
  };
}
