/** Resolves every value of `new`, with its source, before anything is created. */

import { fail } from "../../base/error.ts";
import { jsonObject } from "../../base/jsonobject.ts";
import { limits } from "../../base/limits.ts";
import type { Ruling } from "../../contract/words.ts";
import { refuseOwnFiles } from "../loading/ownfiles.ts";
import type { ConfigFiles, Values } from "../model/config.ts";
import type { CoreDeps } from "../model/deps.ts";
import { slug } from "../state/handle.ts";
import { type Choice, type Dropped, isTextFile, type Layer, resolve } from "./choices.ts";
import { checkNameless, checkNew, type NewThread } from "./create.ts";
import { checkedSettings } from "./models.ts";
import { settingsFrom } from "./settings.ts";

export interface PlanRequest {
  name: string;
  /** From left to right; empty: those that the defaults name. */
  presets: readonly string[];
  flags: Values;
  /** The caller's directory. */
  cwd: string;
  key: string | null;
  created_by: string;
}

export interface Plan {
  draft: NewThread;
  handle: string | null;
  presets: readonly string[];
  choices: readonly Choice[];
  dropped: readonly Dropped[];
}

/** Throws `usage`. Stores nothing, and needs no Codex. */
export function plan(deps: CoreDeps, request: PlanRequest): Plan {
  const { files } = deps;
  const flags: Layer = { source: "flag", file: null, confinedTo: null, values: request.flags };
  const start = String(request.flags["cwd"] ?? request.cwd);
  const config = deps.config(start);
  const defaults = defaultLayers(config);
  const byDefault = resolve(defaults, files.isInside).chosen.get("preset")?.value as string[] | undefined;
  const presets = request.presets.length > 0 ? request.presets : (byDefault ?? []);
  const base: Layer = {
    source: "caller",
    file: null,
    confinedTo: null,
    values: { cwd: request.cwd, send: true },
  };
  const layers = [base, ...defaults, ...presets.flatMap((name) => presetLayers(config, name)), flags];
  const { chosen, dropped } = resolve(layers, files.isInside);
  const choices = [...chosen.values()]
    .filter((choice) => choice.field !== "preset")
    .map((choice) => read(deps, choice));
  const draft = draftOf(deps, request, presets, choices);
  return { draft, handle: slug(draft.name) || null, presets, choices, dropped };
}

/** The plan; throws whatever `new` would refuse beforehand. Uses the newest catalogue that it can get. */
export async function checkedPlan(deps: CoreDeps, request: PlanRequest): Promise<Plan> {
  const made = plan(deps, request);
  checkNew(deps, made.draft);
  refuseOwnFiles(deps, made.draft.settings, made.draft.settings.may_write_home);
  const settings = await checkedSettings(deps, made.draft.settings, deps.live.epoch() !== null);
  return { ...made, draft: { ...made.draft, settings } };
}

/** Throws what can be refused, without Codex and without a name that is sure, of a thread that a trigger is to make. */
export function refusePlan(
  deps: CoreDeps,
  { preset, name, text }: { preset: string | null; name: string; text: string },
): void {
  const presets = preset === null ? [] : [preset];
  const request = { name, presets, flags: { text }, key: null, created_by: "trigger", cwd: deps.home };
  const { draft } = plan(deps, request);
  checkNameless(deps, draft);
  refuseOwnFiles(deps, draft.settings, draft.settings.may_write_home);
}

function defaultLayers({ own, repository }: ConfigFiles): Layer[] {
  const { file, defaults } = own;
  const ours: Layer = { source: "defaults", file, confinedTo: null, values: defaults };
  if (!repository) return [ours];
  const { confinedTo } = repository;
  return [
    ours,
    { source: "repository defaults", file: repository.file, confinedTo, values: repository.defaults },
  ];
}

function presetLayers({ own, repository }: ConfigFiles, name: string): Layer[] {
  const source = `preset ${name}`;
  const layers: Layer[] = [];
  if (Object.hasOwn(own.presets, name))
    layers.push({ source, file: own.file, confinedTo: null, values: own.presets[name]! });
  if (repository && Object.hasOwn(repository.presets, name)) {
    const { file, confinedTo, presets } = repository;
    layers.push({ source, file, confinedTo, values: presets[name]! });
  }
  if (layers.length > 0) return layers;
  const there = [...new Set([...Object.keys(own.presets), ...Object.keys(repository?.presets ?? {})])];
  return fail(
    "usage",
    `no preset "${name}"; there ${there.length === 1 ? "is" : "are"}: ${there.join(", ") || "none"}`,
    {
      hint: `write [presets.${/^[\w-]+$/.test(name) ? name : "NAME"}] in ${own.file}`,
    },
  );
}

function read({ files }: CoreDeps, choice: Choice): Choice {
  if (!isTextFile(choice.value)) return choice;
  return { ...choice, value: files.readText(choice.value.file) };
}

function draftOf(
  deps: CoreDeps,
  request: PlanRequest,
  presets: readonly string[],
  choices: readonly Choice[],
): NewThread {
  const values = new Map(choices.map(({ field, value }) => [field, value]));
  const of = <T>(field: string) => values.get(field) as T | undefined;
  const cwd = of<string>("cwd")!;
  const name = titled(deps, of<string>("prefix") ?? "", request.name, { cwd, presets });
  const goal = of<string>("goal") ?? null;
  const settings = settingsFrom(choices);
  if (settings.ephemeral && goal !== null)
    fail("usage", "an ephemeral thread has no goal: Codex keeps none for it", {
      hint: "give one of --ephemeral and --goal",
    });
  const text = of<boolean>("send") ? (of<string>("text") ?? null) : null;
  return {
    name,
    text,
    goal,
    settings: { ...settings, cwd },
    requests: of<Ruling>("requests") ?? null,
    output_schema: text === null ? null : schemaOf(of<string>("output_schema")),
    key: request.key,
    created_by: request.created_by,
  };
}

/** `${DISPATCH.CWD.REPO}`: the name of the repository; without one, that of the directory. */
function titled(
  { files }: CoreDeps,
  prefix: string,
  name: string,
  where: { cwd: string; presets: readonly string[] },
): string {
  const last = (path: string) => path.slice(path.lastIndexOf("/") + 1);
  const variables: Record<string, string> = {
    "DISPATCH.CWD.REPO": last(files.repositoryOf(where.cwd) ?? where.cwd),
    "DISPATCH.CWD.BASENAME": last(where.cwd),
    "DISPATCH.PRESET": where.presets.join("+"),
  };
  const filled = prefix.replace(/\$\{([^}]*)\}/g, (_, variable: string) => {
    if (Object.hasOwn(variables, variable)) return variables[variable]!;
    return fail("usage", `prefix: no variable \${${variable}}`, {
      hint: `there are ${Object.keys(variables)
        .map((name) => `\${${name}}`)
        .join(", ")}`,
    });
  });
  const title = `${filled}${name}`.trim();
  if (title.length > limits.input.titleCharsMax)
    fail("usage", `the title, with its prefix, is over ${limits.input.titleCharsMax} characters`, {
      hint: "--prefix ''",
    });
  return title;
}

function schemaOf(source: string | undefined): Record<string, unknown> | null {
  if (source === undefined) return null;
  return (
    jsonObject(source) ??
    fail("usage", "the output schema is not a JSON object", { hint: "--output-schema-file schema.json" })
  );
}
