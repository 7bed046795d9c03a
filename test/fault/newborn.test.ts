/** A thread is made in steps, and Codex may die after each: the lane is finished, and no other thread is left behind. */
import { expect, setDefaultTimeout, test } from "bun:test";
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
