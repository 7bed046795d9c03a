/** The tools are in the history of threads for ever: what a version offers is never changed. */
import { expect, test } from "bun:test";
import { sha256 } from "../../src/base/digest.ts";
import { limits } from "../../src/base/limits.ts";
import { isToolNamespace, namespaceText, toolNamespace, toolsV1 } from "../../src/contract/tools.ts";
import { v1 } from "../../src/daemon/tools/v1.ts";

test("a new version gets a new namespace: this one is as it was released", () => {
  const fields = Object.entries(toolsV1).map(([name, { properties, required }]) => [
    name,
    Object.entries(properties).map(([field, { description: _, ...schema }]) => [field, schema]),
    required,
  ]);
  expect([toolNamespace, sha256(JSON.stringify(fields))]).toEqual([
    "dispatch_v1",
    "5ee8162a2c0ef65b45b277a84ec0cfeb924551f897cbb195ba96732b1af64e8b",
  ]);
});

test("every tool that is offered is answered, and its words fit the context of a thread", () => {
  expect(Object.keys(v1)).toEqual(Object.keys(toolsV1));
  expect(JSON.stringify([namespaceText, toolsV1]).length).toBeLessThan(4000);
  expect(toolsV1.dispatch_wait.description).toContain(`${limits.tool.waitMs / 1000} s`);
});

test("a namespace of dispatch is told from another", () => {
  expect(
    ["dispatch_v1", "dispatch_v12", "dispatch", "mcp__dispatch", "dispatch_v1x"].map(isToolNamespace),
  ).toEqual([true, true, false, false, false]);
});
