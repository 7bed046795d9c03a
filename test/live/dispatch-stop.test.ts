/** A stop so soon after a send that Codex has not taken the text yet. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { dispatchRig, type Rig } from "../support/dispatch.ts";
import { stringify } from "../support/provider-script.ts";

setDefaultTimeout(120_000);

let rig: Rig;
beforeAll(async () => {
  rig = dispatchRig();
  await rig.ask(["up"]);
});
afterAll(() => rig.dispose());

const rounds = 30;

test("is told at once whether it was delivered, and history agrees; the next text goes", async () => {
  const { ref } = await rig.thread("cut", "first");
  const told = new Map<string, string>();
  for (let round = 0; round < rounds; round++) {
    const text = stringify([{ wait: `never ${round}` }, { say: "over" }]);
    const { receipt } = await rig.ask(["send", ref, text]);
    await rig.ask(["stop", ref]);
    const { state } = await rig.ask(["receipt", "get", receipt]);
    expect(["done", "failed"]).toContain(state);
    told.set(text, state);
  }
  // One that waits its turn is kept, and held.
  const { receipt } = await rig.ask([
    "send",
    ref,
    stringify([{ wait: "never" }, { say: "over" }]),
    "--queue",
  ]);
  await rig.ask(["queue", "release", ref]);
  await rig.ask(["stop", ref]);
  expect(["done", "queued"]).toContain((await rig.ask(["receipt", "get", receipt])).state);
  await rig.ask(["send", ref, "and on", "--wait"]);
  const { items } = await rig.ask(["tail", ref, "--limit", "1000", "--full"]);
  for (const [text, state] of told) {
    const times = items.filter((item: { text: string }) => item.text === text).length;
    expect([text, times]).toEqual([text, state === "done" ? 1 : 0]);
  }
  console.log([...told.values()].filter((s) => s === "failed").length, "of", rounds, "not taken");
});
