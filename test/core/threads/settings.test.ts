import { expect, test } from "bun:test";
import { limits } from "../../../src/base/limits.ts";
import { settingsFrom, settingsOver } from "../../../src/core/threads/settings.ts";

const source = {
  cwd: "/repo",
  sandbox: "read-only",
  model: "m",
  config: { a: 1, b: 2 },
  ephemeral: true,
} as const;

test("flags lie over a thread's settings, one by one, and its directory stays", () => {
  expect(settingsOver(source, { model: "n", "config.b": 3 })).toEqual({
    ...source,
    model: "n",
    config: { a: 1, b: 3 },
  });
  expect(settingsOver({ ...source, service_tier: "flex", service_tier_from: "config" }, {})).toMatchObject({
    service_tier: "flex",
    service_tier_from: "config",
  });
});

test("a permission profile takes the place of the thread's sandbox, which Codex would refuse beside it", () => {
  const { sandbox: _, ...rest } = source;
  expect(settingsOver(source, { permission_profile: ":workspace" })).toEqual({
    ...rest,
    permission_profile: ":workspace",
  });
  expect(() => settingsOver(source, { permission_profile: ":x", sandbox: "read-only" })).toThrow(
    "give one of",
  );
});

test("a setting that Codex would never answer is refused, wherever it comes from", () => {
  let deep: unknown = 1;
  for (let at = 0; at < limits.input.jsonDepthMax; at++) deep = at % 2 ? [deep] : { a: deep };
  const chosen = (key: string, value: unknown) => [
    { field: `config.${key}`, value, source: "defaults", file: "f" },
  ];
  expect(settingsFrom(chosen("a", deep))).toEqual({ config: { a: deep } });
  expect(() => settingsFrom(chosen("a", [deep]))).toThrow("nested more than");
  expect(() => settingsFrom(chosen(`a${".a".repeat(limits.wire.configKeyPartsMax)}`, 1))).toThrow("parts");
  expect(() => settingsOver(source, { "config.a": { deep } })).toThrow("nested more than");
});
