/** `dispatch plugin` with programs that only pretend to be hosts: what they are given, and answers that no real one gave. */
import { expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { daemonEnv } from "../../src/base/env.ts";
import { pathsOf } from "../../src/base/paths.ts";
import { toTerminal } from "../../src/base/text.ts";
import { version } from "../../src/base/version.ts";
import { marketplaceFiles, pluginFiles } from "../../src/daemon/plugin/files.ts";
import { foundHosts, pluginOf } from "../../src/daemon/plugin/plugin.ts";
import { differenceIn } from "../../src/daemon/plugin/unpack.ts";
import { reportText } from "../../src/ops/pluginview.ts";

const codexList = (version: string) =>
  JSON.stringify({ installed: [{ pluginId: "dispatch@dispatch", version, enabled: true }] });
const claudeList = (row: object) =>
  JSON.stringify([
    { id: "other@other", version: "9.9.9", scope: "user", enabled: true },
    { id: "dispatch@dispatch", version, scope: "user", enabled: true, ...row },
  ]);
const none = { codex: JSON.stringify({ installed: [] }), claude: "[]" };

/** Hosts that answer `plugin list` with the content of a file, note their arguments, and run `script` for the rest. */
function place(scripts: { codex?: string; claude?: string } = { codex: "exit 0", claude: "exit 0" }) {
  const root = mkdtempSync(join(tmpdir(), "plugin ü "));
  const bin = join(root, "bin");
  for (const folder of ["bin", "codex", "claude"]) mkdirSync(join(root, folder));
  for (const [name, script] of Object.entries(scripts)) {
    const list = join(root, `${name}.json`);
    writeFileSync(list, none[name as keyof typeof none]);
    const text = `#!/bin/sh\necho "${name} $*" >> '${root}/calls'\n[ "$2" = list ] && exec cat '${list}'\n${script}\n`;
    writeFileSync(join(bin, name), text, { mode: 0o755 });
  }
  writeFileSync(join(bin, "dispatch"), "#!/bin/sh\n", { mode: 0o755 });
  const paths = pathsOf({ DISPATCH_HOME: join(root, "home") });
  const env = {
    PATH: `${bin}:/usr/bin:/bin`,
    HOME: root,
    CODEX_HOME: join(root, "codex"),
    CLAUDE_CONFIG_DIR: join(root, "claude"),
  };
  return {
    root,
    bin,
    paths,
    env,
    plugin: pluginOf(paths, env),
    folder: join(paths.home, "plugin"),
    lists: (name: "codex" | "claude", text: string) => writeFileSync(join(root, `${name}.json`), text),
    /** What was run since the last look, without the lists. */
    calls() {
      const file = join(root, "calls");
      const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
      writeFileSync(file, "");
      return lines.filter((line) => line !== "" && !line.endsWith("plugin list --json"));
    },
  };
}

const all = { dry_run: false };

test("this program carries every file of the plugin's folder as it is, in this version", () => {
  const root = resolve(import.meta.dir, "../..");
  const folder = join(root, "plugins/dispatch");
  const kept = [...new Bun.Glob("**/*").scanSync({ cwd: folder, dot: true })];
  expect([...pluginFiles.keys()].toSorted()).toEqual(kept.toSorted());
  for (const [path, text] of marketplaceFiles) {
    const source = readFileSync(join(root, path), "utf8");
    if (path.endsWith(".json")) expect(JSON.parse(text)).toEqual(JSON.parse(source));
    else expect(text).toBe(source);
  }
  expect(JSON.parse(pluginFiles.get(".codex-plugin/plugin.json")!).version).toBe(version);
});

test("its MCP server has no path of a machine, and names only variables that the daemon takes over", () => {
  const { dispatch } = JSON.parse(pluginFiles.get(".mcp.json")!).mcpServers;
  expect(dispatch).toMatchObject({ command: "dispatch", args: ["mcp"] });
  expect(JSON.stringify(dispatch)).not.toContain("/");
  const before = { ...process.env };
  try {
    for (const name of dispatch.env_vars) process.env[name] = "set";
    const taken = daemonEnv([]);
    // The client itself obeys this one.
    const others = dispatch.env_vars.filter((name: string) => name !== "DISPATCH_NO_START");
    expect(others.filter((name: string) => taken[name] !== "set")).toEqual([]);
  } finally {
    for (const name of dispatch.env_vars) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  }
});

test("each host gets its marketplace first and then the plugin, by its own commands", async () => {
  const { plugin, folder, calls } = place();
  const { hosts } = await plugin.install(all);
  const given = calls();
  expect(given).toEqual([
    `codex plugin marketplace add ${folder}`,
    "codex plugin add dispatch@dispatch",
    `claude plugin marketplace add ${folder}`,
    "claude plugin install dispatch@dispatch",
  ]);
  // The path has a blank, so what is shown is quoted for a shell.
  expect(hosts[0]!.commands[0]).toEndWith(`codex' plugin marketplace add '${folder}'`);
  expect(differenceIn(folder, marketplaceFiles)).toBeUndefined();
  expect(lstatSync(folder).mode & 0o777).toBe(0o700);
  expect(lstatSync(join(folder, ".claude-plugin/marketplace.json")).mode & 0o777).toBe(0o600);
});

test("where it is installed already, Claude Code updates it and Codex adds it again", async () => {
  const { plugin, lists, calls } = place();
  lists("codex", codexList("0.0.1"));
  lists("claude", claudeList({ version: "0.0.1" }));
  await plugin.install(all);
  expect(calls().filter((line) => !line.includes("marketplace"))).toEqual([
    "codex plugin add dispatch@dispatch",
    "claude plugin update dispatch@dispatch",
  ]);
});

test("on a terminal each host has its line, its commands, its error and the next command", async () => {
  const { plugin, lists, bin } = place({ codex: "echo full >&2; exit 3", claude: "exit 0" });
  lists("claude", claudeList({}));
  const seen = reportText(await plugin.install(all)).replaceAll(bin, "BIN");
  const lines = toTerminal(seen, { color: false }).split("\n");
  expect(lines[0]).toBe("codex   absent");
  expect(lines[2]).toStartWith("        agent: ");
  expect(lines[2]).toEndWith("ended with status 3: full");
  expect(lines[3]).toStartWith("        -> 'BIN/codex' plugin marketplace add ");
  expect(lines[4]).toBe(`claude  current  ${version}`);
  expect(lines.at(-1)).toBe(`this dispatch carries ${version}`);
});

test("a named host is the only one, and one that is ruled out is not there", async () => {
  const { plugin, calls } = place();
  await plugin.remove({ ...all, claude: true });
  expect(calls()).toEqual([
    "claude plugin uninstall dispatch@dispatch",
    "claude plugin marketplace remove dispatch",
  ]);
  await plugin.remove({ ...all, claude: false });
  expect(calls()).toEqual([
    "codex plugin remove dispatch@dispatch",
    "codex plugin marketplace remove dispatch",
  ]);
});

test("a dry run runs nothing and writes nothing", async () => {
  const { plugin, paths, calls } = place();
  const { hosts } = await plugin.install({ dry_run: true });
  expect(hosts.map(({ commands }) => commands.length)).toEqual([2, 2]);
  await plugin.remove({ dry_run: true });
  expect(calls()).toEqual([]);
  expect(existsSync(paths.home)).toBe(false);
});

test("a host that prints much says why, and not what it printed before", async () => {
  const { plugin } = place({
    codex: "yes note | head -200; echo 'Error: disk full'; exit 3",
    claude: "exit 0",
  });
  const { hosts } = await plugin.install(all);
  expect(hosts[0]!.error!.message).toEndWith("ended with status 3: Error: disk full");
});

test("a step that fails ends that host's row with the reason and the next command, and not the other's", async () => {
  const refused = '[ "$2" = marketplace ] && exit 0\necho "✘ Failed: the disk is full" >&2\nexit 3';
  const { plugin, calls, folder } = place({ codex: refused, claude: "exit 0" });
  const { hosts } = await plugin.install(all);
  const [codex, claude] = hosts;
  expect(codex!.error!.code).toBe("agent");
  expect(codex!.error!.message).toEndWith(
    "plugin add dispatch@dispatch ended with status 3: Failed: the disk is full",
  );
  expect(codex!.next).toEndWith("codex' plugin add dispatch@dispatch");
  expect(claude!.error).toBeNull();
  expect(calls()).toContain(`claude plugin marketplace add ${folder}`);
});

test.each([
  ["claude", "error: unknown option '--json'", "npm install -g @anthropic-ai/claude-code@latest"],
  ["codex", "error: unrecognized subcommand 'plugin'", "npm install -g @openai/codex@latest"],
] as const)("a %s that is too old for plugins is named, with the upgrade", async (name, says, next) => {
  const { bin, plugin, calls } = place();
  writeFileSync(join(bin, name), `#!/bin/sh\necho "${says}" >&2\nexit 1\n`);
  const row = (await plugin.install({ ...all, [name]: true })).hosts[0]!;
  expect(row.error!.message).toEndWith(says);
  expect(row).toMatchObject({ state: "unknown", next, commands: [] });
  expect(calls()).toEqual([]);
});

test("an answer that is no list, or no end of it, is an error of that host", async () => {
  const { plugin, lists } = place();
  lists("codex", "Welcome to Codex!");
  lists("claude", `[${'{"id":"x"},'.repeat(200_000)}`);
  const { hosts } = await plugin.status({});
  expect(hosts.map(({ state }) => state)).toEqual(["unknown", "unknown"]);
  for (const { error } of hosts) expect(error!.message).toEndWith("printed no list of plugins");
});

test("a host that hangs is left after the time that doctor has", async () => {
  const { bin, paths, env } = place();
  writeFileSync(join(bin, "claude"), "#!/bin/sh\nexec sleep 60\n");
  const rows = await foundHosts(paths, env, 200);
  expect(rows.map(({ host, state, error }) => [host, state, error?.code])).toEqual([
    ["codex", "absent", undefined],
    ["claude", "unknown", "timeout"],
  ]);
});

test("each state of an installed plugin is told by its version, its switch and what the host says of it", async () => {
  const { plugin, lists } = place();
  const stateOf = async (row: object) => {
    lists("claude", claudeList(row));
    const { state, version, next } = (await plugin.status({ claude: true })).hosts[0]!;
    return [state, version, next];
  };
  const install = "dispatch plugin install --claude";
  expect(await stateOf({})).toEqual(["current", version, null]);
  expect(await stateOf({ version: "0.0.1" })).toEqual(["older", "0.0.1", install]);
  expect(await stateOf({ version: "99.0.0" })).toEqual(["newer", "99.0.0", install]);
  // Read from its folder: that version is the one that runs.
  expect(await stateOf({ version: "0.0.1", folderVersion: version })).toEqual(["current", version, null]);
  expect(await stateOf({ enabled: false })).toEqual(["disabled", version, null]);
  expect(await stateOf({ errors: ["cache-miss"] })).toEqual(["broken", version, install]);
});

test("a host that was never used is not asked, because it would make its folder", async () => {
  const { root, paths, env, calls, lists } = place();
  lists("codex", codexList(version));
  const unused = { ...env, CODEX_HOME: join(root, "none"), CLAUDE_CONFIG_DIR: join(root, "none") };
  const { hosts } = await pluginOf(paths, unused).status({});
  expect(hosts.map(({ state }) => state)).toEqual(["absent", "absent"]);
  expect(existsSync(join(root, "calls"))).toBe(false);
  expect(calls()).toEqual([]);
});

test("a dispatch that the hosts would not find is noted, with the fix", async () => {
  const { paths, env, bin, lists } = place({ claude: "exit 0" });
  lists("claude", claudeList({}));
  const elsewhere = mkdtempSync(join(tmpdir(), "plugin-"));
  symlinkSync(join(bin, "claude"), join(elsewhere, "claude"));
  const { hosts } = await pluginOf(paths, { ...env, PATH: `${elsewhere}:/usr/bin:/bin` }).status({
    claude: true,
  });
  expect(hosts[0]).toMatchObject({ state: "current", next: expect.stringContaining("export PATH=") });
});

test.each([
  ["a file", (path: string) => writeFileSync(path, "mine")],
  ["a link", (path: string) => symlinkSync(tmpdir(), path)],
] as const)("%s where the folder belongs stays, and is named", async (_what, make) => {
  const { plugin, paths, folder, calls } = place();
  mkdirSync(paths.home, { mode: 0o700 });
  make(folder);
  const { hosts } = await plugin.install(all);
  for (const { error, next } of hosts) {
    expect(error!.code).toBe("usage");
    expect(next).toStartWith("mv ");
  }
  expect(lstatSync(folder).isDirectory()).toBe(false);
  expect(calls()).toEqual([]);
});
