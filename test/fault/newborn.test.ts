/** A thread is made in steps, and Codex may die after each: the lane is finished, and no other thread is left behind. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { faultRig, until } from "../support/fault.ts";
import { historyIn } from "../support/fault-history.ts";
import { proxyCodex } from "../support/fault-proxy.ts";

setDefaultTimeout(60_000);

test.each(["thread/start", "thread/name/set", "turn/start"])(
  "a Codex that dies before it hears %s of a new thread costs neither thread nor text",
  async (method) => {
    const codex = proxyCodex({ drop: [method] });
    const rig = faultRig({ env: { DISPATCH_CODEX: codex.path } });
    try {
      const input = { name: "docs", cwd: rig.codex.cwd, text: "hello", idempotency_key: "once" };
      const made = rig.tell("thread.new", input);
      const isThere = () => rig.registry.lanes().some(({ thread_id }) => thread_id !== null);
      const isClaimed = () => rig.registry.messages().some(({ state }) => state === "claimed");
      if (method === "thread/start") await until("the lane", () => rig.registry.lanes().length > 0);
      else if (method === "turn/start") await until("the claim", isClaimed);
      else await until("the thread", isThere);
      codex.be({});
      rig.kill(rig.child());
      await made;
      const { receipt } = await rig.must("thread.new", input);
      const told = await rig.must("thread.wait", { threads: [receipt], timeout: 20 });
      expect(told).toMatchObject({ verdict: "ok" });
      await rig.ask(["down"]);
      const history = await historyIn(rig.codex.env, rig.codex.home);
      expect([...history.texts.values()]).toEqual([[receipt]]);
      expect(history.listed).toMatchObject([{ name: "docs" }]);
    } finally {
      await rig.dispose();
      codex.cleanup();
    }
  },
);

test("a Codex that dies over the first line of a new thread's file costs neither thread nor text", async () => {
  const codex = proxyCodex({ drop: ["thread/name/set"] });
  const rig = faultRig({ env: { DISPATCH_CODEX: codex.path } });
  try {
    const input = { name: "docs", cwd: rig.codex.cwd, text: "hello", idempotency_key: "once" };
    const made = rig.tell("thread.new", input);
    const path = await until("the thread", () => rig.registry.lanes()[0]?.rollout_path ?? undefined);
    codex.be({});
    rig.kill(rig.child());
    // What was seen of a kill -9 at the right moment: the file is there, and its first line is not whole.
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '{"timestamp":"2026-');
    await made;
    const { receipt } = await rig.must("thread.new", input);
    const told = await rig.must("thread.wait", { threads: [receipt], timeout: 20 });
    expect(told).toMatchObject({ verdict: "ok" });
    await rig.ask(["down"]);
    const history = await historyIn(rig.codex.env, rig.codex.home);
    expect(history.listed).toMatchObject([{ name: "docs" }]);
    expect([...history.texts.values()]).toEqual([[receipt]]);
  } finally {
    await rig.dispose();
    codex.cleanup();
  }
});
