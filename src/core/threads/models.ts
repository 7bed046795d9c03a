/** Codex's models: live when it runs, else as they were last seen. Checks the settings of a new thread against them. */

import { iso } from "../../base/clock.ts";
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Catalogue } from "../model/ports/agent.ts";
import type { ThreadSettings } from "../model/ports/thread.ts";

export interface Models {
  models: Catalogue["models"];
  /** The values of a thread that names none. */
  default: Catalogue["default"];
  /** Common names of tiers, and the tiers' own ids. */
  aliases: Record<string, string>;
  as_of: string | null;
  source: "live" | "registry";
}

/** The provider whose models the bundled catalogue lists. */
const catalogued = "openai";

export async function models(
  deps: CoreDeps,
  options: { refresh: boolean; hidden: boolean },
): Promise<Models> {
  const found = options.refresh ? await refreshed(deps) : known(deps);
  return { ...found, models: found.models.filter((model) => options.hidden || !model.hidden) };
}

async function refreshed(deps: CoreDeps): Promise<Models> {
  const { agent, store, journal, clock } = deps;
  await agent.ready(limits.codex.readyWaitMs);
  const catalogue = await agent.readCatalogue();
  const at = clock.now();
  journal.note(() => store.log.setCatalogue(catalogue, at));
  return { ...catalogue, aliases: aliasesOf(catalogue), as_of: iso(at), source: "live" };
}

/** Needs no Codex. Empty before the first refresh. */
function known({ store }: CoreDeps): Models {
  const kept = store.log.catalogue();
  const catalogue = kept?.catalogue ?? {
    models: [],
    default: { model: null, provider: null, effort: null, service_tier: null },
  };
  return {
    ...catalogue,
    aliases: aliasesOf(catalogue),
    as_of: kept ? iso(kept.at) : null,
    source: "registry",
  };
}

function aliasesOf({ models: all }: Catalogue): Record<string, string> {
  const tiers = all.flatMap((model) => model.service_tiers);
  return Object.fromEntries(
    tiers
      .filter((tier) => tier.name.toLowerCase() !== tier.id)
      .map((tier) => [tier.name.toLowerCase(), tier.id]),
  );
}

/**
 * Returns the settings with the tier's own id. Codex accepts any model name and fails the first turn (facts F37), so an
 * unknown model, effort or tier is refused here, before a thread exists, with the list of known ones. Throws `usage`.
 */
export async function checkedSettings(
  deps: CoreDeps,
  settings: ThreadSettings,
  refresh: boolean,
): Promise<ThreadSettings> {
  const { model: name, effort, service_tier: tier } = settings;
  if (name === undefined && effort === undefined && tier === undefined) return settings;
  const found = refresh ? await refreshed(deps) : known(deps);
  const provider = settings.model_provider ?? found.default.provider ?? catalogued;
  const resolved =
    tier === undefined ? settings : { ...settings, service_tier: found.aliases[tier.toLowerCase()] ?? tier };
  if (provider !== catalogued || found.models.length === 0) return resolved;
  const wanted = name ?? found.default.model;
  const model =
    found.models.find((entry) => entry.id === wanted) ??
    (name === undefined
      ? undefined
      : refuse(
          "model",
          name,
          found.models.filter((entry) => !entry.hidden).map((entry) => entry.id),
        ));
  if (!model) return resolved;
  if (effort !== undefined && !model.efforts.includes(effort)) refuse("effort", effort, model.efforts);
  const tiers = model.service_tiers.map((entry) => entry.id);
  if (resolved.service_tier !== undefined && !tiers.includes(resolved.service_tier))
    refuse("service tier", resolved.service_tier, tiers);
  return resolved;
}

function refuse(what: string, word: string, there: readonly string[]): never {
  fail(
    "usage",
    `unknown ${what} "${word}"; there ${there.length === 1 ? "is" : "are"}: ${there.join(", ") || "none"}`,
    { hint: "dispatch models" },
  );
}
