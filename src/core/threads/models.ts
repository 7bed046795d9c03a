/** Codex's models: live when it runs, else as they were last seen; and what of a new thread they rule out beforehand. */

import { iso } from "../../base/clock.ts";
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Catalogue } from "../model/ports/agent.ts";
import type { ThreadSettings } from "../model/ports/thread.ts";

export interface Models {
  models: Catalogue["models"];
  /** What a thread gets that names nothing. */
  default: Catalogue["default"];
  /** Names people say for tiers, and the tiers' own ids. */
  aliases: Record<string, string>;
  as_of: string | null;
  source: "live" | "registry";
}

/** The provider that the bundled catalogue lists; of any other it says nothing. */
const catalogued = "openai";

export async function models(deps: CoreDeps, asked: { refresh: boolean; hidden: boolean }): Promise<Models> {
  const found = asked.refresh ? await refreshed(deps) : known(deps);
  return { ...found, models: found.models.filter((model) => asked.hidden || !model.hidden) };
}

async function refreshed(deps: CoreDeps): Promise<Models> {
  const { agent, store, journal, clock } = deps;
  await agent.ready(limits.codex.readyWaitMs);
  const catalogue = await agent.readCatalogue();
  const at = clock.now();
  journal.note(() => store.log.setCatalogue(catalogue, at));
  return { ...catalogue, aliases: aliasesOf(catalogue), as_of: iso(at), source: "live" };
}

/** No Codex needed. Empty before the first refresh. */
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
 * Settings with tiers by their own ids. Codex accepts any model name without complaint and fails the first turn
 * (measured), so an unknown model, effort or tier is refused here, before a thread exists, with what there is.
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
    found.models.find((one) => one.id === wanted) ??
    (name === undefined
      ? undefined
      : refuse(
          "model",
          name,
          found.models.filter((one) => !one.hidden).map((one) => one.id),
        ));
  if (!model) return resolved;
  if (effort !== undefined && !model.efforts.includes(effort)) refuse("effort", effort, model.efforts);
  const tiers = model.service_tiers.map((one) => one.id);
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
