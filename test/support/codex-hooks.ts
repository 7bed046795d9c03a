/** A hook of Codex, configured and trusted as a user does it. */
import { expect } from "bun:test";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawnAppServer } from "../live/facts/app-server.ts";
import type { Rig } from "./dispatch.ts";

/** Adds a command hook for this event to the rig's Codex home; answers the file that configures it. */
export async function trustedHook(rig: Rig, event: string, script: string): Promise<string> {
  const hook = join(rig.codex.home, `${event}.sh`);
  writeFileSync(hook, script);
  chmodSync(hook, 0o755);
  const config = join(rig.codex.home, "config.toml");
  const entry = `[[hooks.${event}]]\n[[hooks.${event}.hooks]]\ntype = "command"\ncommand = "${hook}"\n`;
  writeFileSync(config, `${readFileSync(config, "utf8")}\n${entry}`);
  await trust(rig);
  return config;
}

/** As Codex's own terminal does it: by the hash of what it shows. */
async function trust(rig: Rig): Promise<void> {
  const server = spawnAppServer(rig.codex.env);
  const clientInfo = { name: "test", title: "test", version: "0" };
  await server.call("initialize", { clientInfo, capabilities: { experimentalApi: true } });
  server.write(JSON.stringify({ method: "initialized" }));
  const { data } = (await server.call("hooks/list", { cwds: [rig.codex.cwd] })) as {
    data: { hooks: { key: string; currentHash: string }[] }[];
  };
  const value = Object.fromEntries(data[0]!.hooks.map((one) => [one.key, { trusted_hash: one.currentHash }]));
  const edits = [{ keyPath: "hooks.state", value, mergeStrategy: "replace" }];
  const write = { edits, filePath: null, expectedVersion: null, reloadUserConfig: true };
  expect(await server.call("config/batchWrite", write)).toMatchObject({ status: "ok" });
  await server.kill();
}
