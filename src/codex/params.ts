/** Turns settings into Codex's params. A field without a value is not sent: Codex's own configuration decides. */
import { isSandboxKey } from "../base/sandboxkey.ts";
import { namespaceText, type ToolText, toolNamespace, toolsV1 } from "../contract/tools.ts";
import type { ThreadSettings, TurnOverrides } from "../core/model/ports/thread.ts";
import type { Json } from "./read.ts";

export function startParams(settings: ThreadSettings): Json {
  return {
    ...settingsParams(settings),
    ...given("ephemeral", settings.ephemeral),
    ...given("dynamicTools", settings.tools ? dynamicTools() : undefined),
    // Codex records threads of an app-server with source "vscode". These two fields mark ours.
    threadSource: "dispatch",
    serviceName: "dispatch",
  };
}

/** One namespace of functions. Codex keeps it in the thread (facts F71). */
function dynamicTools(): Json[] {
  const tools = Object.entries<ToolText>(toolsV1).map(([name, { description, properties, required }]) => ({
    type: "function",
    name,
    description,
    inputSchema: { type: "object", properties, required, additionalProperties: false },
  }));
  return [{ type: "namespace", name: toolNamespace, description: namespaceText, tools }];
}

/**
 * Every setting again: a resume without settings can raise a thread's rights, from read-only to danger-full-access
 * (facts F24). `excludeTurns`: history is read in pages, only when it is needed.
 */
export function resumeParams(threadId: string, settings: ThreadSettings): Json {
  return { threadId, ...settingsParams(settings), excludeTurns: true };
}

/** Every kind of source. Without this list Codex returns only interactive threads (facts F39). */
export const sourceKinds = [
  "cli",
  "vscode",
  "exec",
  "appServer",
  "subAgent",
  "subAgentReview",
  "subAgentCompact",
  "subAgentThreadSpawn",
  "subAgentOther",
  "unknown",
];

/** Codex stores any `threadSource` and returns it later (facts F34). */
export function forkParams(
  threadId: string,
  { settings, last_turn_id, mark }: { settings: ThreadSettings; last_turn_id: string | null; mark: string },
): Json {
  const cut = last_turn_id === null ? {} : { lastTurnId: last_turn_id };
  const threadSource = `dispatch:${mark}`;
  return { threadId, ...settingsParams(settings), ...cut, threadSource, excludeTurns: true };
}

export function overrideParams(overrides: TurnOverrides): Json {
  // `effort: null` does not reset the effort of an earlier turn. The settings of the default mode do (facts F27).
  const reset = { model: overrides.model, reasoning_effort: null, developer_instructions: null };
  return {
    ...given("model", overrides.model),
    ...(overrides.effort === null
      ? { collaborationMode: { mode: "default", settings: reset } }
      : given("effort", overrides.effort)),
    ...given("serviceTier", overrides.service_tier),
    ...given("outputSchema", overrides.output_schema),
  };
}

/** One text as Codex's input list. */
export function textInput(text: string): Json[] {
  return [{ type: "text", text, text_elements: [] }];
}

function settingsParams(settings: ThreadSettings): Json {
  // Start and resume have no field for effort and summary, so they are sent as configuration.
  const config: Json = {
    ...configOf(settings),
    ...given("model_reasoning_effort", settings.effort),
    ...given("model_reasoning_summary", settings.summary),
  };
  return {
    cwd: settings.cwd,
    ...given("sandbox", settings.sandbox),
    ...given("approvalPolicy", approvalPolicy(settings)),
    ...given("approvalsReviewer", settings.approvals_reviewer),
    ...given("permissions", settings.permission_profile),
    ...given("model", settings.model),
    ...given("modelProvider", settings.model_provider),
    ...given("serviceTier", settings.service_tier),
    ...given("baseInstructions", settings.base_instructions),
    ...given("developerInstructions", settings.developer_instructions),
    ...(Object.keys(config).length === 0 ? {} : { config }),
  };
}

/** The stored details of the sandbox replace those in the thread's `config`, given as one table or key by key. */
function configOf(settings: ThreadSettings): Json {
  const pinned = pinnedSandbox(settings);
  if (Object.keys(pinned).length === 0) return settings.config ?? {};
  const rest = Object.entries(settings.config ?? {}).filter(([key]) => !isSandboxKey(key));
  return { ...Object.fromEntries(rest), ...pinned };
}

/** Only the kind of the sandbox has a field. These keys win over the user's configuration file (facts F25). */
function pinnedSandbox({ sandbox, sandbox_details: details }: ThreadSettings): Json {
  if (sandbox !== "workspace-write" || details === undefined) return {};
  return {
    "sandbox_workspace_write.writable_roots": details.writable_roots,
    "sandbox_workspace_write.network_access": details.network_access,
    "sandbox_workspace_write.exclude_slash_tmp": details.exclude_slash_tmp,
    "sandbox_workspace_write.exclude_tmpdir_env_var": details.exclude_tmpdir,
  };
}

function approvalPolicy({ approval_policy, approval_details }: ThreadSettings): unknown {
  return approval_policy === "granular" && approval_details
    ? { granular: approval_details }
    : approval_policy;
}

/** The field, or no field when the value is undefined: null often has its own meaning for Codex. */
export function given(name: string, value: unknown): Json {
  return value === undefined ? {} : { [name]: value };
}
