/** A thread that may write dispatch's own files could give itself every right: it is made only when a person says so. */
import { beforeEach, describe, expect, test } from "bun:test";
import type { ThreadSettings } from "../../../src/core/model/ports/thread.ts";
import { defaultDetails } from "../../../src/core/policy/permissions.ts";
import { type TestWorld, testWorld } from "../../world/world.ts";
import { never, refusal } from "../rig.ts";

let world: TestWorld;
const core = () => world.engine.core;
const draft = (name: string, settings: Partial<ThreadSettings>, agent: string | null = null) => ({
  name,
  text: null,
  goal: null,
  key: null,
  created_by: agent ?? "cli",
  agent,
  settings: { cwd: "/home/user", ...settings },
});
const fork = {
  name: "copy",
  last_turn: null,
  requests: null,
  key: null,
  created_by: "cli",
  flags: { sandbox: "workspace-write" },
};
const titles = () =>
  core()
    .list({ archived: false, limit: 10 })
    .map(({ title }) => title);

beforeEach(() => {
  world = testWorld();
  world.engine.begin();
  world.agent.up();
});

describe("a thread whose writable folder holds dispatch's own files", () => {
  test("is refused, and nothing of it is stored", async () => {
    const error = await refusal(core().create(draft("home", { sandbox: "workspace-write" }), never()));
    expect(error.code).toBe("denied");
    expect(error.message).toContain("/home/user");
    expect(error.hint).toContain("--may-write-home");
    expect(titles()).toEqual([]);
  });

  test("is made where a person says that it may", async () => {
    const settings = { sandbox: "workspace-write", may_write_home: true } as const;
    await core().create(draft("home", settings), never());
    expect(titles()).toEqual(["home"]);
  });

  test("is made where it may write nothing, or where nothing keeps it from writing", async () => {
    await core().create(draft("reads", { sandbox: "read-only" }), never());
    await core().create(draft("free", { sandbox: "danger-full-access" }), never());
    await core().create(draft("beside", { sandbox: "workspace-write", cwd: "/repo" }), never());
    expect(titles().sort()).toEqual(["beside", "free", "reads"]);
  });

  test("is not made as a fork either", async () => {
    const { ref } = await core().create(draft("free", { sandbox: "danger-full-access" }), never());
    expect((await refusal(core().fork(ref, fork))).code).toBe("denied");
    expect(titles()).toEqual(["free"]);
    const may = { ...fork, flags: { ...fork.flags, may_write_home: true } };
    expect(core().view(await core().fork(ref, may)).sandbox).toBe("workspace-write");
  });

  test("is not made as a fork whose folders the configuration of Codex decides", async () => {
    const free = { sandbox: "danger-full-access", cwd: "/repo" } as const;
    const { ref } = await core().create(draft("free", free), never());
    world.agent.configure({ ...defaultDetails, writable_roots: ["/home/user"] });
    const error = await refusal(core().fork(ref, fork));
    expect(error.code).toBe("denied");
    expect(error.message).toContain("/home/user");
    expect(titles()).toEqual(["free"]);
    const may = { ...fork, flags: { ...fork.flags, may_write_home: true } };
    expect(core().view(await core().fork(ref, may)).sandbox).toBe("workspace-write");
  });

  test("is no agent's to make, whatever the agent says", async () => {
    const free = { sandbox: "danger-full-access", approval_policy: "never" } as const;
    const { ref } = await core().create(draft("agent", free), never());
    const agent = core().view(ref).id!;
    const settings = { sandbox: "workspace-write", may_write_home: true } as const;
    const error = await refusal(core().create(draft("home", settings, agent), never()));
    expect(error.code).toBe("denied");
    expect(titles()).toEqual(["agent"]);
  });
});
