import { expect, test } from "bun:test";
import { DispatchError } from "../../src/base/error.ts";
import status from "../../src/ops/daemon/status.ts";
import { refusal, rig } from "./rig.ts";

test("while the disk refuses what is written, status says so, in its words; the next that it takes ends that", async () => {
  const { world, send } = await rig();
  const degraded = async () => (await status.run({}, world.ctx()))["degraded"];
  const { tx } = world.store;
  world.store.tx = () => {
    throw new DispatchError("storage", "writing: the disk is full");
  };
  expect((await refusal(send("hello", { mode: "queue" }))).code).toBe("storage");
  expect(await degraded()).toMatchObject([
    { code: "storage", message: "nothing new can be stored, reads go on: writing: the disk is full" },
  ]);
  world.store.tx = tx;
  await send("hello", { mode: "queue" });
  expect(await degraded()).toEqual([]);
});
