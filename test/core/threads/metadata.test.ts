import { expect, test } from "bun:test";
import { DispatchError } from "../../../src/base/error.ts";
import { never, rig } from "../rig.ts";

test("of two threads that are renamed at once to one name, one gets its handle and the other a conflict", async () => {
  const here = await rig();
  const { core } = here.world.engine;
  const draft = { text: null, goal: null, settings: { cwd: "/repo" }, key: null, created_by: "cli" };
  const { ref } = await core.create({ ...draft, name: "other" }, never());
  const renames = await Promise.allSettled(
    [here.ref, ref].map((one) => core.rename({ ref: one }, "same name")),
  );
  const refused = renames.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  expect(refused).toHaveLength(1);
  expect(refused[0]).toBeInstanceOf(DispatchError);
  expect(refused[0].code).toBe("conflict");
  const handles = [here.ref, ref].map((one) => core.view(one).handle);
  expect(handles.filter((handle) => handle === "same-name")).toHaveLength(1);
});

test("a rename that is asked for again is no further event, and a new handle is always one", async () => {
  const here = await rig();
  const { engine, agent, live, store } = here.world;
  const name = agent.nameThread.bind(agent);
  agent.nameThread = async (threadId, title) => {
    await name(threadId, title);
    engine.sink.onEvents(live.epoch()!, [{ kind: "thread_renamed", thread_id: threadId, name: title }]);
  };
  store.lanes.set(here.ref, { durable_at: here.clock.now() });
  const told = () => here.kinds().filter((kind) => kind === "thread.renamed").length;
  await engine.core.rename({ ref: here.ref }, "new name");
  expect(here.view()).toMatchObject({ title: "new name", handle: "new-name" });
  // Codex told of the title before it answered, and only the rename knows the handle.
  expect(told()).toBe(2);
  await engine.core.rename({ ref: here.ref }, "new name");
  expect(told()).toBe(2);
});
