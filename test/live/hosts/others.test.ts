/** Hosts besides Codex and Claude Code, each with exactly the entry that README shows. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import listing from "../../../src/surface/mcp/listing.json";
import { dispatchRig, type Json, type Rig } from "../../support/dispatch.ts";
import { installMs } from "../../support/hosts/installed.ts";
import { geminiHost, type OtherHost, opencodeHost } from "../../support/hosts/other.ts";
import { jsonOf } from "../../support/hosts/readme.ts";
import { faultsIn, storyCalls } from "../../support/hosts/small-story.ts";

setDefaultTimeout(120_000);

const byName = (one: { name: string }, other: { name: string }) => one.name.localeCompare(other.name);

describe.each([
  ["opencode", opencodeHost],
  ["Gemini CLI", geminiHost],
] as const)("%s", (name, start) => {
  let rig: Rig;
  let host: OtherHost;

  beforeAll(async () => {
    rig = dispatchRig();
    host = await start(rig, jsonOf(name));
  }, installMs);

  afterAll(async () => {
    await host?.dispose();
    await rig?.dispose();
  });

  test("an agent makes a worker, waits, reads, meets an error and cleans up, with no question to a person", async () => {
    const calls = storyCalls((group) => host.toolNamed(group));
    const { outputs, tools, first } = await host.session([...calls, { say: "over" }]);
    expect(faultsIn(outputs)).toEqual([]);
    const { threads } = await rig.ask(["list", "--archived"]);
    expect(threads.map(({ title }: Json) => title).toSorted()).toEqual(["slow", "worker"]);

    const listed = listing.grouped.map((tool) => ({
      name: host.toolNamed(tool.name.replace("dispatch_", "")),
      description: tool.description,
    }));
    expect(tools.filter((tool) => tool.name.startsWith(host.toolNamed(""))).toSorted(byName)).toEqual(
      listed.toSorted(byName),
    );
    expect(first).toContain("dispatch runs other Codex agents");
  });
});
