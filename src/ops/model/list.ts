import * as v from "valibot";
import { table } from "../../base/table.ts";
import { cell, paint } from "../../base/text.ts";
import { flag } from "../fields.ts";
import { op } from "../op.ts";

const model = v.object({
  id: v.string(),
  name: v.string(),
  description: v.string(),
  is_default: v.boolean(),
  hidden: v.boolean(),
  efforts: v.array(v.string()),
  default_effort: v.nullable(v.string()),
  service_tiers: v.array(v.object({ id: v.string(), name: v.string() })),
});
const word = v.nullable(v.string());

export default op({
  name: "model.list",
  cli: "models",
  group: "thread",
  task: "look",
  summary: "List Codex's models, efforts and service tiers",
  intent: "read",
  repeat: "safe",
  rare: ["include_hidden", "refresh"],
  input: v.strictObject({
    refresh: v.optional(flag(v.boolean(), "read them from Codex (--no-refresh: from the registry)"), true),
    include_hidden: v.optional(flag(v.boolean(), "also models that Codex hides"), false),
  }),
  output: v.object({
    models: v.array(model),
    default: v.object({ model: word, provider: word, effort: word, service_tier: word }),
    aliases: v.record(v.string(), v.string()),
    as_of: word,
    source: v.picklist(["live", "registry"]),
  }),
  asksCodex: true,
  examples: [
    {
      given: "nothing",
      input: {},
      output: { source: "live", aliases: { fast: "priority" }, default: { model: "gpt-5.5" } },
    },
    { given: "Codex is down", input: { refresh: false }, output: { source: "registry", models: [] } },
    { given: "Codex is down", input: {}, error: "agent_down" },
  ],
  // From the registry: completion must be fast, so it does not call Codex.
  lists: {
    model: {
      input: { refresh: false },
      words: ({ models }) => models.map(({ id, description }) => ({ word: id, about: description })),
    },
    effort: {
      input: { refresh: false },
      words: ({ models }) => models.flatMap(({ efforts }) => efforts.map((word) => ({ word }))),
    },
    tier: {
      input: { refresh: false },
      words: ({ models, aliases }) => [
        ...models.flatMap(({ service_tiers }) =>
          service_tiers.map(({ id, name }) => ({ word: id, about: name })),
        ),
        ...Object.entries(aliases).map(([word, about]) => ({ word, about })),
      ],
    },
  },
  run: ({ refresh, include_hidden }, { core }) => core.models({ refresh, hidden: include_hidden }),
  view({ models, default: chosen, aliases, source }, look) {
    if (models.length === 0)
      return source === "registry"
        ? `no models known yet; to read them from Codex: ${paint("bold", "dispatch models")}`
        : "Codex lists no models";
    const rows = models.map(({ id, efforts, default_effort, service_tiers, description }) => [
      id === chosen.model ? paint("bold", cell(id)) : cell(id),
      efforts.map((effort) => (effort === default_effort ? `${effort}*` : effort)).join(" "),
      service_tiers.map((tier) => cell(tier.id)).join(" ") || "-",
      cell(description),
    ]);
    const names = Object.entries(aliases).map(([alias, id]) => `${cell(alias)} = ${cell(id)}`);
    return `${table(rows, look, { header: ["model", "efforts", "tiers", ""], shrink: 3 })}${names.length > 0 ? `\n${paint("dim", names.join(", "))}` : ""}`;
  },
});
