/**
 * Codex's answer to an injection is durable on an idle thread (24 of 24 killed at it), and on a running one it is worth
 * nothing: killed at it 0 of 24 were there, and an interrupted turn takes the text with it, with no kill at all
 * (measured). So context waits until the thread is idle.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { faultRig, until } from "../support/fault.ts";
import { historyIn } from "../support/fault-history.ts";
import { stringify } from "../support/provider-script.ts";

setDefaultTimeout(60_000);

test.each(["stop", "kill"])("context given while a turn runs outlives a %s of it", async (how) => {
  const rig = faultRig();
  try {
    const { ref } = await rig.thread("docs", "hello");
    await rig.must("message.send", { thread: ref, text: stringify([{ wait: "long" }, { say: "over" }]) });
    await rig.provider.reached("long");
    const { receipt } = await rig.must("message.send", { thread: ref, text: "by the way", context: true });
    if (how === "stop") await rig.ask(["stop", ref]);
    else rig.kill(rig.child());
    const isDone = async () => (await rig.must("receipt.get", { id: receipt })).state === "done";
    await until("the context is told", isDone, 20_000);
    await rig.must("message.send", { thread: ref, text: "next", wait: true });
    expect(JSON.stringify(rig.provider.requests.at(-1)!.body.input)).toContain("by the way");
    await rig.ask(["down"]);
    const { injected } = await historyIn(rig.codex.env, rig.codex.home);
    expect(injected.filter((id) => id === receipt)).toHaveLength(1);
  } finally {
    await rig.dispose();
  }
});
