/** How a thread is set up: the flags of `new` and `fork`. What is left out is not sent: Codex decides it. */

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
  sandbox: v.optional(flag(v.picklist(sandboxes), "what commands may touch")),
  approval_policy: v.optional(flag(v.picklist(approvalPolicies), "when Codex asks before it runs a command")),
  approvals_reviewer: word("who reviews approvals, by Codex's name for it", "NAME"),
  permission_profile: word("a permission profile of Codex's, instead of a sandbox", "PROFILE"),
  model: word("the model; dispatch models lists them", "MODEL", { names: "model" }),
  model_provider: word("the provider, by its name in Codex's configuration", "NAME"),
  effort: word("reasoning effort", "EFFORT", { names: "effort" }),
  summary: word("reasoning summary", "KIND"),
  service_tier: word("service tier, or its name", "TIER", { names: "tier" }),
  base_instructions: v.optional(text("instead of Codex's own instructions")),
  developer_instructions: v.optional(text("beside Codex's own instructions")),
  requests: v.optional(flag(v.picklist(rulings), "what becomes of its questions that no rule decides")),
  config: v.optional(
    flag(
      v.array(v.pipe(v.string(), v.regex(/^[^=\s]+=/, "must be KEY=VALUE"))),
      "a setting of Codex's own, repeatable",
      { value: "KEY=VALUE", bytes_max: limits.input.configValueBytesMax },
    ),
  ),
};

/** A person's word on the command line, and no configuration's: a file could not be asked whether it means it. */
export const mayWriteHome = v.optional(
  flag(v.boolean(), "let it write dispatch's own files, where a folder that it may write holds them"),
);

/** Of a thread to be made. */
export const newName = flag(
  v.pipe(v.string(), v.trim(), v.nonEmpty(), v.maxLength(limits.input.titleCharsMax), seen),
  "the title, after its prefix; its slug is the @handle",
  { value: "NAME" },
);

/** What `new` takes, and what `[defaults]` and `[presets.NAME]` of a configuration file may say, by the same names. */
export const choiceFields = {
  text: v.optional(text("the first text")),
  goal: v.optional(
    flag(
      v.pipe(v.string(), v.nonEmpty(), v.maxLength(limits.input.goalCharsMax), seen),
      "a native goal: active once the text is delivered",
      { value: "OBJECTIVE" },
    ),
  ),
  cwd: v.optional(path("where the agent works; left out, the caller's directory", { value: "DIR" })),
  preset: v.optional(
    flag(
      v.array(v.pipe(v.string(), v.nonEmpty())),
      "a preset of the configuration, repeatable: later ones win",
      { value: "NAME", names: "preset" },
    ),
  ),
  prefix: v.optional(
    flag(
      v.pipe(v.string(), v.maxLength(limits.input.titleCharsMax)),
      // biome-ignore lint/suspicious/noTemplateCurlyInString: these are the variables people write
      "before the name in the title; knows ${DISPATCH.CWD.REPO}, ${DISPATCH.CWD.BASENAME}, ${DISPATCH.PRESET}",
      { value: "TEXT" },
    ),
  ),
  send: v.optional(flag(v.boolean(), "deliver the text (--no-send creates the thread only)")),
  ephemeral: v.optional(flag(v.boolean(), "Codex keeps nothing of it: gone when its process ends")),
  output_schema: v.optional(text("a JSON Schema for the answer to the first text")),
  ...settingFields,
};

const choice = { field: v.string(), value: v.unknown(), source: v.string(), file: v.nullable(v.string()) };
export const choiceObject = v.object(choice);
/** What a repository's file asked for and did not get. */
export const droppedObject = v.object({ ...choice, why: v.string() });

/** One line each, for a person. */
export function droppedLines(dropped: readonly v.InferOutput<typeof droppedObject>[]): string[] {
  return dropped.map(({ field, value, source, file, why }) => {
    const shown = cell(typeof value === "string" ? value : JSON.stringify(value), 60);
    return paint("yellow", `not taken from ${source} (${cell(file)}): ${cell(field)} ${shown}: ${cell(why)}`);
  });
}

/** Of `new` and `fork`: what was said on the command line, by field. */
export function flagsOf({ config, ...asked }: Record<string, unknown> & { config?: string[] | undefined }) {
  const given = Object.entries(asked).filter(([, value]) => value !== undefined);
  const own = (config ?? []).map(pair).map(([key, value]) => [`config.${key}`, value] as const);
  return Object.fromEntries([...given, ...own]);
}

/** A value that reads as JSON is that; anything else is the text it is. */
export function pair(line: string): [string, unknown] {
  const at = line.indexOf("=");
  const key = line.slice(0, at);
  const value = line.slice(at + 1);
  if (key === "__proto__") fail("usage", `"${key}" is not a setting`);
  const parsed = jsonValue(value);
  return [key, parsed === undefined ? value : parsed];
}
