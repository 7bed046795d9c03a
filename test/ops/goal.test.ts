/** The goal of a thread, as its own command shows it. */
import { expect, test } from "bun:test";
import * as v from "valibot";
import { plainLook } from "../../src/base/text.ts";
import status from "../../src/ops/goal/status.ts";
import { situations } from "../world/given.ts";

test("an interrupted goal says that it was interrupted, and what continues it", async () => {
  const { world } = await situations["an interrupted goal"]!();
  const { core } = world.engine;
  const resume = `dispatch goal set ${core.resolve("@docs", null)} --status active`;
  const answer = await status.run(v.parse(status.input, { thread: "@docs" }), world.ctx());
  expect(answer).toMatchObject({ goal: { status: "paused", resume } });
  expect(status.view(answer, plainLook(0))).toContain(`interrupted; continue with: `);
  await core.setGoal(core.resolve("@docs", null), { status: "active" });
  const after = await status.run(v.parse(status.input, { thread: "@docs" }), world.ctx());
  expect(after).toMatchObject({ goal: { status: "active", resume: null } });
  await world.end();
});
