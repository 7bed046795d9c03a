/** `dispatch plugin` with the real Codex and the real Claude Code: what it installs is listed, upgraded, repaired, removed. */
import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { version } from "../../../src/base/version.ts";
import { pluginFiles } from "../../../src/daemon/plugin/files.ts";
import { differenceIn } from "../../../src/daemon/plugin/unpack.ts";
import { dispatchRig, type Json, type Rig } from "../../support/dispatch.ts";
import { buildAs } from "../../support/dispatch-build.ts";
import { outputSchemas } from "../../support/dispatch-schema.ts";
import { type ClaudeHost, claudeHost } from "../../support/hosts/claude.ts";
import { type CodexHost, codexHost } from "../../support/hosts/codex.ts";
import { execute } from "../../support/hosts/execute.ts";
import { installMs } from "../../support/hosts/installed.ts";

setDefaultTimeout(120_000);

const root = resolve(import.meta.dir, "../../..");
const newer = "99.0.0";

let rig: Rig;
let claude: ClaudeHost;
let codex: CodexHost;
let newerFolder = "";

beforeAll(async () => {
  rig = dispatchRig({ hasPlugins: true });
  codex = codexHost(rig);
  claude = await claudeHost(rig);
  newerFolder = mkdtempSync(join(root, ".scratch/newer-"));
  await buildAs(newer, join(newerFolder, "dispatch"));
}, installMs);

afterAll(async () => {
  await claude?.dispose();
  await codex?.dispose();
  await rig?.dispose();
  rmSync(newerFolder, { recursive: true, force: true });
});

const copied = () => join(rig.codex.home, "plugins/cache/dispatch/dispatch");
const unpacked = () => join(rig.home, "plugin");

/** `dispatch plugin ...` on a machine with both hosts. */
const plugin = (args: readonly string[], env: Record<string, string | undefined> = {}) =>
  rig.run(["plugin", ...args], { env: { ...claude.env, ...env } });

async function rows(...args: string[]): Promise<Record<string, Json>> {
  const { code, json, stderr } = await plugin(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return Object.fromEntries(json.hosts.map((row: Json) => [row["host"], row]));
}

async function newly(...args: string[]): Promise<Json> {
  const { stdout } = await execute([join(newerFolder, "dispatch"), ...args], {
    cwd: rig.codex.cwd,
    env: claude.env,
  });
  return JSON.parse(stdout);
}

async function listed(): Promise<{ codex: string | undefined; claude: string | undefined }> {
  const of = (text: string) => JSON.parse(text) as Json[] & { installed: Json[] };
  const inCodex = of((await codex.run(["plugin", "list", "--json"])).stdout).installed;
  const inClaude = of((await claude.run(["plugin", "list", "--json"])).stdout);
  return {
    codex: inCodex.find((one) => one["pluginId"] === "dispatch@dispatch")?.["version"] as string | undefined,
    claude: inClaude.find((one) => one["id"] === "dispatch@dispatch")?.["version"] as string | undefined,
  };
}

const check = async (name: string) =>
  (await rig.run(["doctor", "--no-app-server"], { env: claude.env })).json.checks.find(
    (one: Json) => one["name"] === name,
  );

test.each(["plugins/dispatch", "."])(
  "Claude Code's own validation of %s has no complaint",
  async (folder) => {
    const { code, stdout, stderr } = await claude.run(["plugin", "validate", "--strict", join(root, folder)]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("Validation passed");
  },
);

describe("with nothing installed", () => {
  test("status and doctor say how to install it, and a dry run names the commands; none of them makes a file", async () => {
    const status = await rows("status");
    expect(status).toMatchObject({
      codex: { state: "absent", version: null, next: "dispatch plugin install --codex" },
      claude: { state: "absent", version: null, next: "dispatch plugin install --claude" },
    });
    const { codex: inCodex, claude: inClaude } = await rows("install", "--dry-run");
    expect(inCodex!["commands"]).toEqual([
      `${inCodex!["program"]} plugin marketplace add ${unpacked()}`,
      `${inCodex!["program"]} plugin add dispatch@dispatch`,
    ]);
    expect(inClaude!["commands"]).toEqual([
      `${claude.executable} plugin marketplace add ${unpacked()}`,
      `${claude.executable} plugin install dispatch@dispatch`,
    ]);
    expect(await check("plugin")).toMatchObject({ status: "skipped", recovery: "dispatch plugin install" });
    expect(existsSync(rig.home)).toBe(false);
    expect(await listed()).toEqual({ codex: undefined, claude: undefined });
  });
});

test("a checkout is a marketplace of both hosts too", async () => {
  const commands = [
    ["plugin", "marketplace", "add", root],
    ["plugin", "add", "dispatch@dispatch"],
  ];
  for (const args of commands) expect(await codex.run(args)).toMatchObject({ code: 0 });
  const [add] = commands as [string[]];
  for (const args of [add, ["plugin", "install", "dispatch@dispatch"]])
    expect(await claude.run(args)).toMatchObject({ code: 0 });
  expect(await listed()).toEqual({ codex: version, claude: version });
  expect(await rows("remove")).toMatchObject({ codex: { state: "absent" }, claude: { state: "absent" } });
});

describe("installed", () => {
  beforeEach(async () => {
    await rows("install");
  });

  test("both hosts list it in this version, with all files, and doctor has no complaint", async () => {
    const status = await rows("status");
    expect(status).toMatchObject({
      codex: { state: "current", version },
      claude: { state: "current", version },
    });
    expect(await listed()).toEqual({ codex: version, claude: version });
    expect(differenceIn(join(copied(), version), pluginFiles)).toBeUndefined();
    expect(await check("plugin")).toMatchObject({
      status: "ok",
      summary: `codex has ${version}; claude has ${version}`,
    });
    (await outputSchemas(rig)).fits("plugin status", (await plugin(["status"])).json);
  });

  test("a session of Claude Code has its server, its tools and its skills", async () => {
    const { init } = await claude.session([{ say: "over" }]);
    expect(init["mcp_servers"]).toMatchObject([{ name: "plugin:dispatch:dispatch", status: "connected" }]);
    expect(init["tools"]).toContain("mcp__plugin_dispatch_dispatch__dispatch_wait");
    expect(init["skills"]).toEqual(expect.arrayContaining(["dispatch:dispatch", "dispatch:dm"]));
  });

  test("a session of Codex has its tools and its skills", async () => {
    const { first } = await codex.session([{ say: "over" }]);
    const namespace = first.tools!.find(({ name }) => name === "mcp__dispatch") as unknown as {
      tools: Json[];
    };
    expect(namespace.tools.map(({ name }) => name)).toContain("dispatch_wait");
    expect(JSON.stringify(first.input)).toContain("- dispatch:dm: ");
  });

  test("a newer dispatch finds it older, installs its own over it, and is then the newer one for this dispatch", async () => {
    expect((await newly("plugin", "status"))["hosts"]).toMatchObject([
      { host: "codex", state: "older", version, next: "dispatch plugin install --codex" },
      { host: "claude", state: "older", version, next: "dispatch plugin install --claude" },
    ]);
    const { checks } = (await newly("doctor", "--no-app-server")) as { checks: Json[] };
    expect(checks.find(({ name }) => name === "plugin")).toMatchObject({
      status: "warn",
      summary: `in codex it is older (${version}); in claude it is older (${version})`,
      recovery: "dispatch plugin install",
    });
    await newly("plugin", "install");
    expect(await listed()).toEqual({ codex: newer, claude: newer });
    expect(existsSync(join(copied(), version))).toBe(false);
    expect(await rows("status")).toMatchObject({ codex: { state: "newer" }, claude: { state: "newer" } });
    await rows("install");
    expect(await listed()).toEqual({ codex: version, claude: version });
  });

  test("a copy that lost a file is broken, and install repairs it", async () => {
    rmSync(join(copied(), version, "skills/dm/SKILL.md"));
    expect(await rows("status")).toMatchObject({
      codex: { state: "broken", detail: expect.stringContaining("skills/dm/SKILL.md") },
      claude: { state: "current" },
    });
    expect(await check("plugin")).toMatchObject({
      status: "warn",
      recovery: "dispatch plugin install --codex",
    });
    expect(await rows("install", "--codex")).toEqual({
      codex: expect.objectContaining({ state: "current" }),
    });
  });

  test("the folder of the marketplace that is gone breaks it in both, and install repairs both", async () => {
    rmSync(unpacked(), { recursive: true });
    const status = await rows("status");
    expect(status).toMatchObject({ codex: { state: "broken" }, claude: { state: "broken" } });
    expect(status["codex"]!["detail"]).toContain(unpacked());
    expect(await rows("install")).toMatchObject({
      codex: { state: "current" },
      claude: { state: "current" },
    });
  });

  test("remove undoes it in one host, then in the other, and then the folder is gone", async () => {
    expect(await rows("remove", "--codex")).toEqual({ codex: expect.objectContaining({ state: "absent" }) });
    expect(await listed()).toEqual({ codex: undefined, claude: version });
    expect(existsSync(unpacked())).toBe(true);
    const dry = await rows("remove", "--dry-run");
    expect(dry["claude"]!["state"]).toBe("current");
    expect(await rows("remove")).toMatchObject({ codex: { state: "absent" }, claude: { state: "absent" } });
    expect(await listed()).toEqual({ codex: undefined, claude: undefined });
    expect(existsSync(unpacked())).toBe(false);
    expect(readFileSync(join(rig.codex.home, "config.toml"), "utf8")).not.toContain("dispatch@dispatch");
    expect(readFileSync(join(claude.config, "settings.json"), "utf8")).not.toContain("dispatch@dispatch");
  });

  test("to remove what is not there is no failure", async () => {
    await rows("remove");
    expect(await rows("remove")).toMatchObject({ codex: { state: "absent" }, claude: { state: "absent" } });
  });
});

describe("a host that refuses", () => {
  beforeEach(async () => {
    await rows("remove");
  });

  /** Codex with another configuration; Claude Code is well. */
  async function withConfig(change: (text: string) => string, work: () => Promise<void>): Promise<void> {
    const file = join(rig.codex.home, "config.toml");
    const before = readFileSync(file, "utf8");
    writeFileSync(file, change(before));
    try {
      await work();
    } finally {
      writeFileSync(file, before);
    }
  }

  test("has its own row with what it says and what to type, and the other host is served", async () => {
    await withConfig(
      (text) => `${text}\nbroken = [\n`,
      async () => {
        const { code, json } = await plugin(["install"]);
        expect(code).toBe(19);
        const [inCodex, inClaude] = json.hosts;
        expect(inCodex.error.message).toContain("config.toml");
        expect(inCodex.error.message).not.toContain("backtrace");
        expect(inCodex).toMatchObject({ host: "codex", state: "unknown", error: { code: "agent" } });
        expect(inCodex.next).toEndWith("codex plugin list --json");
        expect(inClaude).toMatchObject({ host: "claude", state: "current", error: null });
      },
    );
  });

  test("because its plugins are off is told how to switch them on, and that works", async () => {
    await withConfig(
      (text) => text.replace("plugins = true", "plugins = false"),
      async () => {
        const { code, json } = await plugin(["install", "--codex"]);
        expect(code).toBe(19);
        const next = "codex features enable plugins, then dispatch plugin install --codex";
        expect(json.hosts).toMatchObject([{ state: "absent", next }]);
        expect((await codex.run(["features", "enable", "plugins"])).code).toBe(0);
        expect(await rows("install", "--codex")).toMatchObject({ codex: { state: "current" } });
      },
    );
  });

  test("because it has another marketplace of this name is told how to remove that one", async () => {
    expect((await codex.run(["plugin", "marketplace", "add", root])).code).toBe(0);
    const { code, json } = await plugin(["install", "--codex"]);
    expect(code).toBe(12);
    expect(json.hosts[0]).toMatchObject({
      error: { code: "conflict" },
      next: "codex plugin marketplace remove dispatch, then dispatch plugin install --codex",
    });
    expect((await codex.run(["plugin", "marketplace", "remove", "dispatch"])).code).toBe(0);
    expect(await rows("install", "--codex")).toMatchObject({ codex: { state: "current" } });
  });
});

describe("a host that is not there", () => {
  const without = { PATH: dirname(process.execPath), DISPATCH_CODEX: undefined };

  test("is left out, unless it is named: then that is the error", async () => {
    const only = { PATH: without.PATH };
    const { code, json } = await plugin(["status"], only);
    expect(code).toBe(0);
    expect(json.hosts).toMatchObject([
      { host: "codex" },
      { host: "claude", state: "missing", program: null, error: null },
    ]);
    const named = await plugin(["install", "--claude"], only);
    expect(named).toMatchObject({ code: 4, error: { hint: "npm install -g @anthropic-ai/claude-code" } });
  });

  test("is an error when there is no other", async () => {
    const { code, error } = await plugin(["install"], without);
    expect({ code, error }).toMatchObject({ code: 4, error: { code: "not_found" } });
    expect(error.hint).toContain("@openai/codex");
    expect(error.hint).toContain("@anthropic-ai/claude-code");
    const named = await plugin(["install", "--codex"], without);
    expect(named).toMatchObject({ code: 11, error: { code: "agent_down" } });
  });
});
