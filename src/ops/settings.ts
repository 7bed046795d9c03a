/** The settings of a thread: the flags of `new` and `fork`. A setting that is left out is not sent: Codex decides it. */

import * as v from "valibot";
import { fail } from "../base/error.ts";
import { jsonValue } from "../base/jsonobject.ts";
import { limits } from "../base/limits.ts";
import { cell, paint } from "../base/text.ts";
import { approvalPolicies, rulings, sandboxes } from "../contract/words.ts";
import { flag, type Mark, path, seen, text } from "./fields.ts";

const word = (description: string, value: string, mark: Mark = {}) =>
  v.optional(flag(v.pipe(v.string(), v.nonEmpty()), description, { value, ...mark }));

export const settingFields = {
  sandbox: v.optional(flag(v.picklist(sandboxes), "what commands may access")),
  approval_policy: v.optional(flag(v.picklist(approvalPolicies), "when Codex asks before it runs a command")),
  approvals_reviewer: word("who reviews approvals, by Codex's name", "NAME"),
  permission_profile: word("a permission profile of Codex, instead of a sandbox", "PROFILE"),
  model: word("the model; dispatch models lists them", "MODEL", { names: "model" }),
  model_provider: word("the provider, by its name in Codex's configuration", "NAME"),
  effort: word("reasoning effort", "EFFORT", { names: "effort" }),
  summary: word("reasoning summary", "KIND"),
  service_tier: word("service tier, or its name", "TIER", { names: "tier" }),
  base_instructions: v.optional(text("instructions that replace Codex's own")),
  developer_instructions: v.optional(text("instructions in addition to Codex's own")),
  requests: v.optional(flag(v.picklist(rulings), "the answer to its questions when no rule matches")),
  config: v.optional(
    flag(
      v.array(v.pipe(v.string(), v.regex(/^[^=\s]+=/, "must be KEY=VALUE"))),
      "a setting of Codex's configuration",
      { value: "KEY=VALUE", bytes_max: limits.input.configValueBytesMax },
    ),
  ),
};

/** Settings that a preset is the better place for. */
export const rareSettings = [
  "tools",
  "approvals_reviewer",
  "permission_profile",
  "model_provider",
  "summary",
  "service_tier",
  "base_instructions",
  "requests",
  "config",
  "may_write_home",
  "prefix",
  "send",
  "ephemeral",
  "output_schema",
] as const;

/** Only a flag, and not a key of the configuration: a person must decide it for each thread. */
export const mayWriteHome = v.optional(
  flag(v.boolean(), "allow a thread whose writable folders contain dispatch's own files"),
);

/** The name of a thread to be created. */
export const newName = flag(
  v.pipe(v.string(), v.trim(), v.nonEmpty(), v.maxLength(limits.input.titleCharsMax), seen),
  "the title, after its prefix; its slug is the @handle",
  { value: "NAME" },
);

/** The fields of `new`, which are also the keys of `[defaults]` and `[presets.NAME]` in a configuration file. */
export const choiceFields = {
  text: v.optional(text("the first text")),
  goal: v.optional(
    flag(
      v.pipe(v.string(), v.nonEmpty(), v.maxLength(limits.input.goalCharsMax), seen),
      "a goal, which becomes active when the text is delivered",
      { value: "OBJECTIVE" },
    ),
  ),
  cwd: v.optional(path("the agent's directory; default: the caller's", { value: "DIR" })),
  preset: v.optional(
    flag(v.array(v.pipe(v.string(), v.nonEmpty())), "a preset of the configuration; a later one wins", {
      value: "NAME",
      names: "preset",
    }),
  ),
  prefix: v.optional(
    flag(
      v.pipe(v.string(), v.maxLength(limits.input.titleCharsMax)),
      // biome-ignore lint/suspicious/noTemplateCurlyInString: these are the variables that people write
      "put before the name in the title; may contain ${DISPATCH.CWD.REPO}, ${DISPATCH.CWD.BASENAME}, ${DISPATCH.PRESET}",
      { value: "TEXT" },
    ),
  ),
  send: v.optional(flag(v.boolean(), "deliver the text (--no-send creates the thread only)")),
  ephemeral: v.optional(flag(v.boolean(), "Codex stores nothing of it, so it ends with Codex's process")),
  tools: v.optional(
    flag(v.boolean(), "give it tools to make, use and wait for other threads, without an MCP server"),
  ),
  output_schema: v.optional(text("a JSON Schema for the answer to the first text")),
  ...settingFields,
};

const choice = { field: v.string(), value: v.unknown(), source: v.string(), file: v.nullable(v.string()) };
export const choiceObject = v.object(choice);
/** A value of a repository's file that was not used, and why. */
export const droppedObject = v.object({ ...choice, why: v.string() });

/** The dropped values for a terminal, one line each. */
export function droppedLines(dropped: readonly v.InferOutput<typeof droppedObject>[]): string[] {
  return dropped.map(({ field, value, source, file, why }) => {
    const shown = cell(typeof value === "string" ? value : JSON.stringify(value), 60);
    return paint("yellow", `not used from ${source} (${cell(file)}): ${cell(field)} ${shown}: ${cell(why)}`);
  });
}

/** The flags of `new` and `fork` by field. Each `--config` becomes a field `config.KEY`. */
export function flagsOf({ config, ...flags }: Record<string, unknown> & { config?: string[] | undefined }) {
  const given = Object.entries(flags).filter(([, value]) => value !== undefined);
  const own = (config ?? []).map(pair).map(([key, value]) => [`config.${key}`, value] as const);
  return Object.fromEntries([...given, ...own]);
}

/** Splits KEY=VALUE. A value that is valid JSON is parsed; any other value is a text. */
export function pair(line: string): [string, unknown] {
  const at = line.indexOf("=");
  const key = line.slice(0, at);
  const value = line.slice(at + 1);
  if (key === "__proto__") fail("usage", `"${key}" is not a setting`);
  const parsed = jsonValue(value);
  return [key, parsed === undefined ? value : parsed];
}
