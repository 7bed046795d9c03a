import { beforeEach, describe, expect, test } from "bun:test";
import { DispatchError } from "../../../src/base/error.ts";
import type { Ref } from "../../../src/core/model/ports/rows.ts";
import { type TestWorld, testWorld } from "../../world/world.ts";
import { never, refusal } from "../rig.ts";

let world: TestWorld;
let ref: Ref;

const core = () => world.engine.core;
const draft = (name: string) => ({
  name,
  text: null,
  goal: null,
  key: null,
  created_by: "cli",
  settings: { cwd: "/repo" },
});

beforeEach(async () => {
  world = testWorld();
  world.engine.begin();
  world.agent.up();
  ref = (await core().create(draft("docs"), never())).ref;
});

describe("a title that would name a thread in place of another word", () => {
  const titles = (): string[] => [
    "bcd123",
    "xyzzzz",
    ref,
    core().view(ref).id!,
    "01a2051d-b657-7002-81c0-9f7e837c4535",
    "self",
    "@docs",
    "@other",
    ref.slice(0, 3),
    ref.slice(0, 5),
  ];

  test("is refused when a thread is made, forked or renamed, and nothing is stored", async () => {
    const other = (await core().create(draft("other"), never())).ref;
    for (const title of titles()) {
      const tries: (() => Promise<unknown>)[] = [
        () => core().create(draft(title), never()),
        () =>
          core().fork(other, {
            name: title,
            last_turn: null,
            flags: {},
            requests: null,
            key: null,
            created_by: "cli",
          }),
        () => core().rename({ ref: other }, title),
      ];
      for (const attempt of tries) {
        const error = await refusal(attempt());
        expect(error).toBeInstanceOf(DispatchError);
        expect([title, error.code]).toEqual([title, "usage"]);
        expect(error.hint).toMatch(/--name "|dispatch rename/);
      }
    }
    expect(core().list({ archived: false, limit: 10 })).toHaveLength(2);
    expect(core().view(other).title).toBe("other");
  });

  test("has a hint that holds", async () => {
    for (const title of titles()) {
      const { hint } = await refusal(core().create(draft(title), never()));
      const [, suggested] = /--name "(.*)"/.exec(hint!)!;
      // The handle of the first is taken by then; the title itself is let.
      const again = await core()
        .create(draft(suggested!), never())
        .catch((thrown: unknown) => thrown);
      if (again instanceof DispatchError) expect(again.code).toBe("conflict");
    }
  });

  test("is none where it only looks a little like one", async () => {
    for (const title of ["sprint", "api-v2", "bcd12", "1bcd12", "BCD123", "selfie", "a@b", "xyzzy1 2"])
      await core().create(draft(title), never());
  });
});

describe("a title of which nothing can be seen", () => {
  const titles = [
    "",
    "   ",
    "\u0085",
    "\u00a0",
    "\u200b\u200d",
    "\ufeff",
    "\u2800",
    "\u3164",
    "\u202e",
    "\u2028",
    "\u{e0041}",
  ];
  test.each(titles.map((title) => [JSON.stringify(title), title]))("%s is refused", async (_, title) => {
    const before = core().list({ archived: true, limit: 10 }).length;
    expect((await refusal(core().create(draft(title), never()))).code).toBe("usage");
    expect((await refusal(core().rename({ ref }, title))).code).toBe("usage");
    expect(core().list({ archived: true, limit: 10 })).toHaveLength(before);
  });

  test.each(["日本語", "🚀", "е́", "`"])("%s is none", async (title) => {
    expect((await core().create(draft(title), never())).ref).toBeString();
  });
});
