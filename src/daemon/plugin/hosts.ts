/** The plugin commands of Codex and of Claude Code, as both were measured (`test/live/hosts/plugin.test.ts`). */
import { homedir } from "node:os";
import { join } from "node:path";
import { look } from "../../base/directory.ts";
import { fail } from "../../base/error.ts";
import { version } from "../../base/version.ts";
import { findCodex } from "../../codex/find.ts";
import { pluginFiles } from "./files.ts";
import { type Host, type Installed, marketplace, pluginId } from "./host.ts";
import { differenceIn } from "./unpack.ts";

const unknownCommand = /unrecognized subcommand|unexpected argument|unknown (?:command|option)/;

/** `configured` reads `[app_server] command`, and throws when the configuration is broken. */
export function codexHost(configured: () => string | undefined): Host {
  return {
    name: "codex",
    find: async (env) =>
      findCodex({ named: env["DISPATCH_CODEX"], configured: configured(), path: env["PATH"] }),
    configFolder: codexHome,
    list: ["plugin", "list", "--json"],
    read(stdout, env) {
      const { installed } = JSON.parse(stdout) as { installed: CodexPlugin[] };
      const found = installed.find((plugin) => plugin.pluginId === pluginId);
      if (!found) return undefined;
      const { version, enabled } = found;
      // Codex copies the plugin when it is added, and uses the copy.
      const folder = join(codexHome(env), "plugins/cache", marketplace, "dispatch", version);
      return { version, isEnabled: enabled, fault: null, folder };
    },
    // It adds what is installed again, and then drops the old copy.
    install: (folder) => [
      { args: ["plugin", "marketplace", "add", folder] },
      { args: ["plugin", "add", pluginId] },
    ],
    remove: [
      { args: ["plugin", "remove", pluginId], isDone: /not (?:installed|configured)/ },
      { args: ["plugin", "marketplace", "remove", marketplace], isDone: /is not configured or installed/ },
    ],
    refusals: [
      { what: unknownCommand, code: "agent", next: "npm install -g @openai/codex@latest" },
      {
        what: /already added from a different source/,
        code: "conflict",
        next: `codex plugin marketplace remove ${marketplace}, then dispatch plugin install --codex`,
      },
      {
        // With the feature `plugins` off, every marketplace looks empty.
        what: /was not found in marketplace/,
        code: "agent",
        next: "codex features enable plugins, then dispatch plugin install --codex",
      },
    ],
  };
}

interface CodexPlugin {
  pluginId: string;
  version: string;
  enabled: boolean;
}

export const claudeHost: Host = {
  name: "claude",
  async find(env) {
    return (
      Bun.which("claude", { PATH: env["PATH"] ?? "" }) ??
      fail("not_found", "Claude Code is not installed: no executable `claude` on PATH", {
        hint: "npm install -g @anthropic-ai/claude-code",
      })
    );
  },
  configFolder: (env) => env["CLAUDE_CONFIG_DIR"] || join(env["HOME"] || homedir(), ".claude"),
  list: ["plugin", "list", "--json"],
  read(stdout) {
    const plugins = (JSON.parse(stdout) as ClaudePlugin[]).filter(({ id }) => id === pluginId);
    const found = plugins.find(({ scope }) => scope === "user") ?? plugins[0];
    if (!found) return undefined;
    return {
      version: found.folderVersion ?? found.version,
      isEnabled: found.enabled,
      fault: found.errors?.join("; ") ?? null,
      // It reads the plugin of a local marketplace from that folder, not from its copy.
      folder: found.readFromFolder ?? null,
    };
  },
  install: (folder, isInstalled) => [
    { args: ["plugin", "marketplace", "add", folder] },
    // Only `update` notes the new version, and only `install` installs.
    { args: ["plugin", isInstalled ? "update" : "install", pluginId] },
  ],
  remove: [
    { args: ["plugin", "uninstall", pluginId], isDone: /not found in installed plugins/ },
    { args: ["plugin", "marketplace", "remove", marketplace], isDone: /Marketplace '.*' not found/ },
  ],
  refusals: [
    { what: unknownCommand, code: "agent", next: "npm install -g @anthropic-ai/claude-code@latest" },
  ],
};

interface ClaudePlugin {
  id: string;
  scope: string;
  version: string;
  enabled: boolean;
  errors?: string[];
  readFromFolder?: string;
  folderVersion?: string;
}

/** The installed files, where they can be seen, beside those of this dispatch. Only the same version has the same files. */
export function withFilesChecked(installed: Installed | undefined): Installed | undefined {
  if (!installed?.folder || installed.fault !== null || installed.version !== version) return installed;
  if (look(installed.folder) === undefined) return installed;
  const path = differenceIn(installed.folder, pluginFiles);
  return path === undefined
    ? installed
    : { ...installed, fault: `${join(installed.folder, path)} is not that of this dispatch` };
}

function codexHome(env: Record<string, string | undefined>): string {
  return env["CODEX_HOME"] || join(env["HOME"] || homedir(), ".codex");
}
