/** The whole of what a thread may do is stored, sent back and compared: never only the name of it. */
import { describe, expect, test } from "bun:test";
import { differences, refuseUnexpected, resumeSettings } from "../../../src/core/loading/effective.ts";
import type { EffectiveSettings, SandboxDetails } from "../../../src/core/model/ports/thread.ts";
import type { Permissions } from "../../../src/core/model/ruling.ts";
import { defaultDetails, widerThan } from "../../../src/core/policy/permissions.ts";
import { settingsOver } from "../../../src/core/threads/settings.ts";
import { macrotasks, never, refusal, rig } from "../rig.ts";

const details: SandboxDetails = {
  writable_roots: ["/a", "/b"],
  network_access: false,
  exclude_slash_tmp: false,
  exclude_tmpdir: false,
  more: { later: { x: 1, y: [2] } },
};
const stored: Required<EffectiveSettings> = {
  cwd: "/repo",
  sandbox: "workspace-write",
  approval_policy: "granular",
  approvals_reviewer: "user",
  permission_profile: null,
  model: "m",
  model_provider: "p",
  effort: "high",
  service_tier: null,
  sandbox_details: details,
  approval_details: { rules: true, sandbox_approval: false },
  profile_extends: null,
  tools: null,
};

describe("a difference", () => {
  test("is none where only the order differs", () => {
    const now: EffectiveSettings = {
      ...stored,
      sandbox_details: { ...details, writable_roots: ["/b", "/a"], more: { later: { y: [2], x: 1 } } },
      approval_details: { sandbox_approval: false, rules: true },
    };
    expect(differences(stored, now)).toEqual([]);
  });

  const changed: [what: string, change: Partial<EffectiveSettings>, words: string][] = [
    [
      "a folder more",
      { sandbox_details: { ...details, writable_roots: ["/a", "/b", "/c"] } },
      "may now write /c",
    ],
    ["a folder less", { sandbox_details: { ...details, writable_roots: ["/a"] } }, "may no longer write /b"],
    ["network", { sandbox_details: { ...details, network_access: true } }, "network_access: false -> true"],
    ["no /tmp", { sandbox_details: { ...details, exclude_slash_tmp: true } }, "exclude_slash_tmp"],
    ["no $TMPDIR", { sandbox_details: { ...details, exclude_tmpdir: true } }, "exclude_tmpdir"],
    ["a field of tomorrow", { sandbox_details: { ...details, more: { later: 2 } } }, "more"],
    ["no details at all", { sandbox_details: null }, "did not report"],
    ["a part of the approvals", { approval_details: { rules: false, sandbox_approval: false } }, "approvals"],
    ["another profile under the same name", { profile_extends: ":workspace" }, "profile_extends"],
    ["another reviewer", { approvals_reviewer: "auto_review" }, "approvals_reviewer"],
    ["another provider", { model_provider: "other" }, "model_provider"],
  ];
  for (const [what, change, words] of changed) {
    test(`is ${what}, in words`, () => {
      expect(differences(stored, { ...stored, ...change }).join("; ")).toContain(words);
    });
  }

  test("is none about what an older dispatch did not keep", () => {
    const { sandbox_details: _1, approval_details: _2, profile_extends: _3, ...old } = stored;
    expect(differences(old, stored)).toEqual([]);
  });
});

test("all of it is sent back", () => {
  expect(
    resumeSettings({ settings: { cwd: "/repo", sandbox: "workspace-write" }, effective: stored }),
  ).toMatchObject({
    sandbox: "workspace-write",
    sandbox_details: details,
    approval_policy: "granular",
    approval_details: { rules: true, sandbox_approval: false },
    approvals_reviewer: "user",
    model_provider: "p",
  });
});

describe("a thread in workspace-write", () => {
  const gained = { ...defaultDetails, writable_roots: ["/gained"], network_access: true };
  const create = async (here: Awaited<ReturnType<typeof rig>>) => {
    const settings = { cwd: "/repo", sandbox: "workspace-write" as const };
    const draft = { name: "writer", text: null, goal: null, settings, key: null, created_by: "cli" };
    return (await here.world.engine.core.create(draft, never())).ref;
  };
  const send = (here: Awaited<ReturnType<typeof rig>>, ref: Awaited<ReturnType<typeof create>>) =>
    here.world.engine.core.send(
      ref,
      {
        text: "two",
        mode: "send",
        or_queue: false,
        overrides: null,
        key: null,
        cause_id: null,
        depth: 0,
        caller: "cli",
      },
      never(),
    );

  test("gains nothing from a configuration that grew after it was made", async () => {
    const here = await rig();
    const ref = await create(here);
    here.world.agent.configure(gained);
    here.world.agent.kill();
    here.world.agent.up();
    await macrotasks(20);
    await send(here, ref);
    const thread = here.world.agent.threads.get(here.world.engine.core.view(ref).id!)!;
    expect(thread.settings.sandbox_details).toEqual(defaultDetails);
    expect(here.world.engine.core.view(ref).sandbox_details).toEqual(defaultDetails);
  });

  test("that Codex opens with more all the same is held, and the words name what it gained", async () => {
    const here = await rig();
    const ref = await create(here);
    here.world.agent.configure(gained);
    here.world.agent.kill();
    here.world.agent.up();
    await macrotasks(20);
    here.world.agent.ignoreSettingsOfNextResume();
    const error = await refusal(send(here, ref));
    expect(error.code).toBe("conflict");
    expect(error.message).toContain("may now write /gained");
    expect(error.message).toContain("network_access: false -> true");
    expect(here.world.engine.core.view(ref).queue.reason).toBe("settings_differ");
  });

  test("of an older dispatch is opened as its newest turn ran", async () => {
    const here = await rig();
    const ref = await create(here);
    const { store } = here.world;
    const { sandbox_details: _, ...old } = store.lanes.get(ref).effective!;
    store.lanes.set(ref, { effective: old });
    const { id } = here.world.engine.core.view(ref);
    Object.assign(here.world.agent.threads.get(id!)!.settings, {
      approval_policy: "never",
      sandbox_details: { ...defaultDetails, network_access: true },
    });
    here.world.agent.configure(gained);
    here.world.agent.kill();
    here.world.agent.up();
    await macrotasks(20);
    await send(here, ref);
    expect(here.world.engine.core.view(ref).sandbox_details).toEqual({
      ...defaultDetails,
      network_access: true,
    });
  });
});

describe("an agent in workspace-write", () => {
  const isInside = (path: string, root: string) => path === root || path.startsWith(`${root}/`);
  const own: Permissions = {
    sandbox: "workspace-write",
    approval_policy: "on-request",
    cwd: "/repo",
    details: { ...defaultDetails, writable_roots: ["/shared"] },
  };
  const wanted = (more: Partial<SandboxDetails>, cwd = "/repo") =>
    widerThan({ ...own, cwd, details: { ...defaultDetails, ...more } }, own, isInside);

  test("creates what writes no more folders, has no more network and no more temporary folders", () => {
    expect(wanted({})).toBeUndefined();
    expect(wanted({ writable_roots: ["/shared/x", "/repo/y"] }, "/shared")).toBeUndefined();
    expect(wanted({ exclude_slash_tmp: true, exclude_tmpdir: true })).toBeUndefined();
    expect(wanted({ writable_roots: ["/elsewhere"] })).toContain("/elsewhere");
    expect(wanted({ network_access: true })).toContain("network");
    const bare = { ...own, details: { ...defaultDetails, exclude_slash_tmp: true } };
    expect(widerThan({ ...own, details: defaultDetails }, bare, isInside)).toContain("exclude_slash_tmp");
  });

  test("hands on exactly its own sandbox, whatever the configuration lets by now", async () => {
    const here = await rig();
    const { core } = here.world.engine;
    const settings = { cwd: "/repo", sandbox: "workspace-write", approval_policy: "on-request" } as const;
    const draft = { text: null, goal: null, key: null, settings };
    const boss = await core.create({ ...draft, name: "boss", created_by: "cli" }, never());
    const agent = core.view(boss.ref).id!;
    here.world.agent.configure({ ...defaultDetails, writable_roots: ["/gained"], network_access: true });
    const worker = await core.create({ ...draft, name: "worker", created_by: agent, agent }, never());
    expect(core.view(worker.ref).sandbox_details).toEqual(defaultDetails);
  });
});

describe("a thread that is made", () => {
  const now = { ...stored, sandbox_details: { ...details, network_access: true } };
  const settings = { cwd: "/repo", sandbox: "workspace-write" as const, sandbox_details: details };

  test("again, has what it once had, or nothing is sent", () => {
    const again = { settings, created_by: "cli", effective: stored };
    expect(() => refuseUnexpected(again, now)).toThrow("network_access");
    expect(() => refuseUnexpected(again, stored)).not.toThrow();
  });

  test("by an agent has no more than was asked for; a person's is as Codex decides", () => {
    const by = (created_by: string) => ({ settings, created_by, effective: null });
    expect(() => refuseUnexpected(by("01a2051d-b657-7002-81c0-9f7e837c4535"), now)).toThrow("network_access");
    expect(() => refuseUnexpected(by("cli"), now)).not.toThrow();
  });
});

describe("a thread that is taken over", () => {
  test("is opened as its newest turn ran, and not as the configuration of today would have it", async () => {
    const here = await rig();
    const { core } = here.world.engine;
    const id = here.world.agent.madeElsewhere("theirs", "hello");
    const thread = here.world.agent.threads.get(id)!;
    Object.assign(thread.settings, {
      sandbox: "workspace-write",
      approval_policy: "on-request",
      sandbox_details: defaultDetails,
    });
    here.world.agent.configure({ ...defaultDetails, network_access: true });
    const ref = await core.attach(id, "cli");
    await core.take(ref);
    expect(core.view(ref)).toMatchObject({
      sandbox: "workspace-write",
      approval_policy: "on-request",
      sandbox_details: defaultDetails,
    });
  });

  test("that Codex opens with more all the same stays another app's", async () => {
    const here = await rig();
    const { core } = here.world.engine;
    const id = here.world.agent.madeElsewhere("theirs", "hello");
    Object.assign(here.world.agent.threads.get(id)!.settings, {
      sandbox: "read-only",
      approval_policy: "untrusted",
    });
    const ref = await core.attach(id, "cli");
    here.world.agent.ignoreSettingsOfNextResume();
    expect((await refusal(core.take(ref))).code).toBe("conflict");
    expect(core.view(ref).source).toBe("attached");
  });
});

test("a flag about the sandbox of a fork replaces its details, in every spelling", () => {
  const source = { cwd: "/repo", sandbox: "workspace-write" as const, sandbox_details: details };
  for (const key of ["sandbox_workspace_write", "sandbox_workspace_write.network_access"])
    expect(settingsOver(source, { [`config.${key}`]: true })).not.toHaveProperty("sandbox_details");
  expect(settingsOver(source, { model: "m" }).sandbox_details).toEqual(details);
  expect(settingsOver(source, { sandbox: "read-only" })).not.toHaveProperty("sandbox_details");
});
