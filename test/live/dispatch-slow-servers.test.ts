/** Codex opens a thread when its required MCP servers are up: that is waited for, and made once. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { faultRig, until } from "../support/fault.ts";
import { historyIn } from "../support/fault-history.ts";
import { slowServer } from "../support/slow-servers.ts";

setDefaultTimeout(150_000);

test.concurrent("a server that needs 14 s: one thread, one server, the text once, and a fork as well", async () => {
  const slow = slowServer(14_000);
  const rig = faultRig({ config: slow.config });
  try {
    const { ref, receipt, setup } = await rig.ask(["new", "--name", "docs", "--text", "hello"]);
    expect(setup).toBeNull();
    await rig.ask(["wait", receipt, "--timeout", "30"]);
    expect([slow.started(), slow.running()]).toEqual([1, 1]);
    const fork = await rig.ask(["fork", ref, "--name", "copy"]);
    expect(fork).toMatchObject({ title: "copy", setup: null });
    expect([slow.started(), slow.running()]).toEqual([2, 2]);
    const doctor = await rig.run(["doctor", "--timeout", "5"]);
    expect(doctor.stdout).toContain("it waits for the MCP servers that are required");
    expect(doctor.stdout).not.toContain("did not finish");
    expect(await rig.ask(["list", "--unmanaged"])).toMatchObject({ threads: [] });
    await rig.ask(["down"]);
    const { listed, stored, texts } = await historyIn({ ...rig.codex.env }, rig.codex.home);
    expect(listed.map(({ name }) => name).toSorted()).toEqual(["copy", "docs"]);
    expect(stored.size).toBe(2);
    expect([...texts.values()]).toEqual([[receipt], [receipt]]);
  } finally {
    await rig.dispose();
    slow.cleanup();
  }
});

test.concurrent("a server that outlasts the caller: the thread says so, and is made once when it is up", async () => {
  const slow = slowServer(55_000, 120);
  const rig = faultRig({ config: slow.config });
  try {
    const { ref, receipt } = await rig.ask(["new", "--name", "docs", "--text", "hello"]);
    const early = await rig.ask(["get", ref]);
    expect(early.setup).not.toBeNull();
    await until("it says why", async () => {
      const { blocked } = await rig.ask(["get", ref]);
      return JSON.stringify(await rig.ask(["get", ref])).includes("Codex has been opening thread") || blocked;
    });
    await rig.ask(["wait", receipt, "--timeout", "40"]);
    expect([slow.started(), slow.running()]).toEqual([1, 1]);
    await rig.ask(["down"]);
    expect((await historyIn(rig.codex.env, rig.codex.home)).stored.size).toBe(1);
  } finally {
    await rig.dispose();
    slow.cleanup();
  }
});
