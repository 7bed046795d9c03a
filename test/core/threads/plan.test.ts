/** `new` thought through: configuration, presets, prefixes and files, before anything is made. */
import { expect, test } from "bun:test";
import type { PlanRequest } from "../../../src/core/threads/plan.ts";
import { type TestWorld, testWorld, type WorldOptions } from "../../world/world.ts";
import { refusal } from "../rig.ts";

const own = "/home/user/.dispatch/config.toml";
const planned = (options: WorldOptions, over: Partial<PlanRequest> = {}) => {
  const world: TestWorld = testWorld(options);
  const asked = { name: "docs", presets: [], flags: {}, cwd: "/repo", key: null, created_by: "cli", ...over };
  return world.engine.core.plan(asked);
};

test("defaults are under the presets, left to right, and flags over all", () => {
  const presets = { a: { model: "m-a", effort: "low", summary: "auto" }, b: { effort: "high" } };
  const { draft, choices } = planned(
    { config: { own: { defaults: { model: "m-d", service_tier: "flex" }, presets } } },
    { presets: ["a", "b"], flags: { summary: "none" } },
  );
  expect(draft.settings).toEqual({
    cwd: "/repo",
    service_tier: "flex",
    service_tier_from: "config",
    model: "m-a",
    effort: "high",
    summary: "none",
  });
  expect(choices.find((one) => one.field === "effort")).toMatchObject({ source: "preset b", file: own });
  expect(choices.find((one) => one.field === "cwd")).toMatchObject({ source: "caller", file: null });
});

test("the defaults may name presets; named ones take their place", () => {
  const config = {
    own: { defaults: { preset: ["a"] }, presets: { a: { effort: "low" }, b: { model: "m" } } },
  };
  expect(planned({ config }).draft.settings).toEqual({ cwd: "/repo", effort: "low" });
  expect(planned({ config }, { presets: ["b"] }).draft.settings).toEqual({ cwd: "/repo", model: "m" });
});

test("who answers its questions is a choice like any other, and nobody's where nobody says", () => {
  const config = { own: { presets: { unattended: { requests: "deny" } } } };
  expect(planned({ config }, { presets: ["unattended"] }).draft.requests).toBe("deny");
  expect(planned({ config }).draft.requests).toBeNull();
});

test("a prefix comes before the name, with its variables filled, and the handle is made of both", () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: as people write it
  const prefix = "${DISPATCH.CWD.REPO}/${DISPATCH.CWD.BASENAME} [${DISPATCH.PRESET}] ";
  const config = { own: { defaults: { prefix }, presets: { a: {}, b: {} } } };
  const made = planned({ config }, { presets: ["a", "b"], flags: { cwd: "/repo/web" } });
  expect(made.draft.name).toBe("repo/web [a+b] docs");
  expect(made.handle).toBe("repo-web-a-b-docs");
});

test("a text in a file is read from it, and only the text that is used", () => {
  const presets = { a: { text: { file: "/gone" } }, b: { text: { file: "/there" } } };
  const options = { config: { own: { presets } }, texts: { "/there": "hello" } };
  expect(planned(options, { presets: ["a", "b"] }).draft.text).toBe("hello");
  expect(() => planned(options, { presets: ["a"] })).toThrow("no /gone");
});

test("a text that is not to be sent is not, and its schema with it", () => {
  const config = { own: { defaults: { text: "hi", output_schema: '{"type":"object"}' } } };
  expect(planned({ config }).draft).toMatchObject({ text: "hi", output_schema: { type: "object" } });
  expect(planned({ config }, { flags: { send: false } }).draft).toMatchObject({
    text: null,
    output_schema: null,
  });
});

test("what makes no sense is refused, whatever its source", async () => {
  const refused = async (options: WorldOptions, over: Partial<PlanRequest> = {}) =>
    (await refusal((async () => planned(options, over))())).message;
  expect(await refused({}, { presets: ["nope"] })).toContain('no preset "nope"');
  // biome-ignore lint/suspicious/noTemplateCurlyInString: as people write it
  expect(await refused({}, { flags: { prefix: "${HOME}" } })).toContain("no variable");
  expect(await refused({}, { flags: { prefix: "x".repeat(200) } })).toContain("over 200");
  expect(await refused({}, { flags: { ephemeral: true, goal: "g" } })).toContain("ephemeral");
  expect(await refused({}, { flags: { text: "t", output_schema: "[]" } })).toContain("JSON object");
  const { core } = testWorld({ config: { own: { defaults: { text: "/goal ship" } } } }).engine;
  const asked = { name: "docs", presets: [], flags: {}, cwd: "/repo", key: null, created_by: "cli" };
  expect((await refusal(core.checkedPlan(asked))).message).toContain("a goal is not text");
});
