/** What a selector says of another machine, beside threads whose titles look like one. */
import { expect, test } from "bun:test";
import { never, rig } from "../rig.ts";
import { two } from "./rig.ts";

const titled = (name: string) => ({
  ...{ name, text: null, goal: null, settings: { cwd: "/repo" }, key: null, created_by: "cli" },
});

test.each(["docs/api", "queue@gpu", "queue@two words"])(
  "without a relay %s is a thread here if one has that title",
  async (title) => {
    const { core } = (await rig()).world.engine;
    await core.create(titled(title), never());
    expect(core.away(title)).toBeNull();
  },
);

test("with a relay a name that means both is refused, and the hint names the thread by its ref", async () => {
  const { core } = (await two()).laptop.engine;
  const { ref } = await core.create(titled("tower/@docs"), never());
  expect(() => core.away("tower/@docs")).toThrow("is a thread here, and may be one of another machine");
  expect(core.away(ref)).toBeNull();
  expect(core.away("tower/@other")).toEqual({ box: "tower", ref: "@other" });
});
