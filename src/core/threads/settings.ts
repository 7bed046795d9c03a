/** Converts choices to the settings that are sent to Codex. */

import { fail } from "../../base/error.ts";
import { refuseUnsendable } from "../../base/jsonobject.ts";
import { limits } from "../../base/limits.ts";
import { isSandboxKey } from "../../base/sandboxkey.ts";
import type { Values } from "../model/config.ts";
import type { ThreadSettings } from "../model/ports/thread.ts";
import { type Choice, resolve } from "./choices.ts";

const copiedFields = [
  "sandbox",
  "approval_policy",
  "approvals_reviewer",
  "permission_profile",
  "model",
  "model_provider",
  "effort",
  "summary",
  "service_tier",
  "base_instructions",
  "developer_instructions",
  "ephemeral",
  "tools",
  "may_write_home",
] as const satisfies readonly (keyof ThreadSettings)[];

/** Throws `usage` for a configuration key or value that Codex would not answer (facts F10, F11). */
export function settingsFrom(choices: Iterable<Choice>): Omit<ThreadSettings, "cwd"> {
  const settings: Record<string, unknown> = {};
  const config: Record<string, unknown> = {};
  for (const { field, value, source } of choices) {
    if ((copiedFields as readonly string[]).includes(field)) settings[field] = value;
    if (field === "service_tier") settings["service_tier_from"] = source === "flag" ? "flag" : "config";
    if (field.startsWith("config.")) {
      const key = field.slice("config.".length);
      refuseUnanswerable(key, value);
      config[key] = value;
    }
  }
  return { ...settings, ...(Object.keys(config).length > 0 ? { config } : {}) };
}

function refuseUnanswerable(key: string, value: unknown): void {
  if (key.split(".").length > limits.wire.configKeyPartsMax)
    fail("usage", `a key of Codex's configuration has more than ${limits.wire.configKeyPartsMax} parts`, {
      hint: "--config KEY=VALUE",
    });
  refuseUnsendable(value);
}

/** The settings of a thread with flags over them. Throws `usage` for two flags that exclude each other. */
export function settingsOver(settings: ThreadSettings, flags: Values): ThreadSettings {
  const { cwd, config = {}, service_tier_from, sandbox_details, approval_details, ...own } = settings;
  const ownConfig = Object.entries(config).map(([key, value]) => [`config.${key}`, value] as const);
  const layer = { file: null, confinedTo: null };
  const { chosen } = resolve(
    [
      { ...layer, source: "thread", values: { ...own, ...Object.fromEntries(ownConfig) } },
      { ...layer, source: "flag", values: flags },
    ],
    () => false,
  );
  const from = flags["service_tier"] === undefined && service_tier_from ? { service_tier_from } : {};
  const made = settingsFrom(chosen.values());
  const isDecided = Object.keys(flags).some((field) => isSandboxKey(field.replace(/^config\./, "")));
  return {
    ...made,
    ...from,
    // The details belong to the kind: with another kind they mean nothing. A flag about them replaces them.
    ...(sandbox_details && made.sandbox === settings.sandbox && !isDecided ? { sandbox_details } : {}),
    ...(approval_details && made.approval_policy === settings.approval_policy ? { approval_details } : {}),
    cwd,
  };
}
