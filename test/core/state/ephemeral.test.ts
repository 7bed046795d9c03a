/** Threads that Codex keeps nothing of. */
import { beforeEach, expect, test } from "bun:test";
import { plain } from "../../../src/core/delivery/accept.ts";
import type { Ref } from "../../../src/core/model/ports/rows.ts";
import { macrotasks, never, type Rig, rig, waiting } from "../rig.ts";

let here: Rig;
let ref: Ref;
let threadId: string;

beforeEach(async () => {
  here = await rig();
  const settings = { cwd: "/repo", ephemeral: true };
  const draft = { name: "passing", text: null, goal: null, settings, key: null, created_by: "cli" };
  ({ ref } = await here.world.engine.core.create(draft, never()));
  threadId = here.world.store.lanes.get(ref).thread_id!;
});

const core = () => here.world.engine.core;
const send = (text: string, mode: "send" | "queue" = "send") =>
  core().send(ref, { ...plain, text, mode }, never());

test("takes work again after its state was dropped: it is read, never resumed or created again", async () => {
  await here.reaches(await send("one"), "done");
  here.world.live.drop(threadId);
  await here.reaches(await send("two", "queue"), "done");
  expect(core().view(ref)).toMatchObject({ id: threadId, ephemeral: true });
  expect(here.world.agent.asked).toEqual(["one", "two"]);
});

test("ends with its Codex: its turn is interrupted, what may have been taken is unsure, what waited fails", async () => {
  const running = await send(waiting);
  await here.reaches(running, "delivered");
  const queued = await send("later", "queue");
  here.world.agent.kill();
  here.world.agent.up();
  await macrotasks(60);
  expect(core().view(ref).status).toBe("gone");
  expect([here.state(running), here.state(queued)]).toEqual(["done", "failed"]);
  expect(core().receipt(running.receipt).outcome).toBe("interrupted");
});

test("a text whose item event is missing is not reported as lost, and arrives once", async () => {
  here.world.agent.swallow("item_completed");
  const receipt = await send("once");
  await here.reaches(receipt, "unsure");
  await macrotasks(60);
  expect(here.world.agent.asked).toEqual(["once"]);
});
