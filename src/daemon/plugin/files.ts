/** The plugin that this program carries: the files of `plugins/dispatch` and of both marketplaces, as text. */
import agentsMarketplace from "../../../.agents/plugins/marketplace.json";
import claudeMarketplace from "../../../.claude-plugin/marketplace.json";
import claudeManifest from "../../../plugins/dispatch/.claude-plugin/plugin.json";
import codexManifest from "../../../plugins/dispatch/.codex-plugin/plugin.json";
import servers from "../../../plugins/dispatch/.mcp.json";
import icon from "../../../plugins/dispatch/assets/dispatch.svg" with { type: "text" };
import readme from "../../../plugins/dispatch/README.md" with { type: "text" };
import dispatchSkill from "../../../plugins/dispatch/skills/dispatch/SKILL.md" with { type: "text" };
import dmSkill from "../../../plugins/dispatch/skills/dm/SKILL.md" with { type: "text" };
import { version } from "../../base/version.ts";

const plugin: Readonly<Record<string, string>> = {
  ".claude-plugin/plugin.json": json({ ...claudeManifest, version }),
  ".codex-plugin/plugin.json": json({ ...codexManifest, version }),
  ".mcp.json": json(servers),
  "README.md": readme,
  "assets/dispatch.svg": icon,
  "skills/dispatch/SKILL.md": dispatchSkill,
  "skills/dm/SKILL.md": dmSkill,
};

/** The files of the plugin by their paths in its folder. A host copies them as they are. */
export const pluginFiles: ReadonlyMap<string, string> = new Map(Object.entries(plugin));

/** The files of the marketplace, with the plugin inside, by their paths in the marketplace's folder. */
export const marketplaceFiles: ReadonlyMap<string, string> = new Map([
  [".agents/plugins/marketplace.json", json(agentsMarketplace)],
  [".claude-plugin/marketplace.json", json(claudeMarketplace)],
  ...[...pluginFiles].map(([path, text]) => [`plugins/dispatch/${path}`, text] as const),
]);

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
