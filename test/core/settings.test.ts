import { expect, test } from "bun:test";
import { settingsOver } from "../../src/core/settings.ts";

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
