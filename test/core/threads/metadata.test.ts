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
