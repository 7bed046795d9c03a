/** A send is answered as soon as its caller can learn no more by waiting. */
import { expect, test } from "bun:test";
import { plain } from "../../../src/core/delivery/accept.ts";
import { never, rig } from "../rig.ts";

const steer = { ...plain, mode: "steer", or_queue: true } as const;

test("a text that fell into a held queue, or behind another text, is answered at once", async () => {
  const here = await rig();
  const { core } = here.world.engine;
  core.hold(here.ref);
  // The clock stands still: an answer that waited for it would never come.
  const first = await core.send(here.ref, { ...steer, text: "first" }, never());
  expect(first).toMatchObject({ state: "queued", held: "by_hand" });
  const second = await core.send(here.ref, { ...steer, text: "second" }, never());
  expect(second.state).toBe("queued");
});

test("the next text of an idle thread is answered when it is on its way", async () => {
  const here = await rig();
  const sent = await here.world.engine.core.send(here.ref, { ...steer, text: "now" }, never());
  expect(["sent", "delivered", "done"]).toContain(sent.state);
});
