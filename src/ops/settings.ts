/** How a thread is set up: the flags of `new` and `fork`. What is left out is not sent: Codex decides it. */
import * as v from "valibot";
import { fail } from "../base/error.ts";
import type { ThreadSettings } from "../core/ports/agent.ts";
import { flag, text } from "./fields.ts";

const word = (description: string, value: string) =>
  v.optional(flag(v.pipe(v.string(), v.nonEmpty()), description, { value }));

export const settingFields = {
  sandbox: v.optional(
    flag(v.picklist(["read-only", "workspace-write", "danger-full-access"]), "what commands may touch"),
  ),
  approval_policy: v.optional(
    flag(v.picklist(["untrusted", "on-request", "never"]), "when Codex asks before it runs a command"),
  ),
  approvals_reviewer: word("who reviews approvals, by Codex's name for it", "NAME"),
  permission_profile: word("a permission profile of Codex's, instead of a sandbox", "PROFILE"),
  model: word("the model; dispatch models lists them", "MODEL"),
  model_provider: word("the provider, by its name in Codex's configuration", "NAME"),
  effort: word("reasoning effort", "EFFORT"),
  summary: word("reasoning summary", "KIND"),
  service_tier: word("service tier, or its name", "TIER"),
  base_instructions: v.optional(text("instead of Codex's own instructions")),
  developer_instructions: v.optional(text("beside Codex's own instructions")),
  config: v.optional(
    flag(
      v.array(v.pipe(v.string(), v.regex(/^[^=\s]+=/, "must be KEY=VALUE"))),
      "a setting of Codex's own, repeatable",
      { value: "KEY=VALUE" },
    ),
  ),
};

const plain = [
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
] as const;

type Asked = { [K in (typeof plain)[number]]?: ThreadSettings[K] | undefined } & {
  config?: string[] | undefined;
};

/** Only what was asked for. Throws `usage` for two settings that exclude each other. */
export function settingsOf(asked: Asked): Partial<ThreadSettings> {
  if (asked.sandbox !== undefined && asked.permission_profile !== undefined) {
    fail("usage", "a permission profile decides the sandbox: give one of --sandbox and --permission-profile");
  }
  const given = plain.filter((name) => asked[name] !== undefined).map((name) => [name, asked[name]]);
  const config = asked.config ? { config: Object.fromEntries(asked.config.map(pair)) } : {};
  return { ...Object.fromEntries(given), ...config };
}

/** A value that reads as JSON is that; anything else is the text it is. */
function pair(line: string): [string, unknown] {
  const at = line.indexOf("=");
  const key = line.slice(0, at);
  const value = line.slice(at + 1);
  if (key === "__proto__") fail("usage", `"${key}" is not a setting`);
  try {
    return [key, JSON.parse(value)];
  } catch {
    return [key, value];
  }
}
