/** What Codex warns of a thread, from the event to the view. */
import { beforeEach, expect, test } from "bun:test";
import { limits } from "../../../src/base/limits.ts";
import { type Rig, rig } from "../rig.ts";

let here: Rig;
beforeEach(async () => {
  here = await rig();
});

function warn(server: string | null, words: string | null, threadId = here.view().id!): void {
  const { live, engine } = here.world;
  engine.sink.onEvents(live.epoch()!, [{ kind: "warned", thread_id: threadId, server, words }]);
}

test("a server that does not start is shown until it starts, and each change is reported once", () => {
  warn("notes", "no such file");
  warn("notes", "no such file");
  expect(here.view().warnings).toEqual(["no such file"]);
  warn("notes", null);
  warn("notes", null);
  expect(here.view().warnings).toEqual([]);
  const told = here.world.engine.core
    .events({ lanes: [here.ref], kinds: ["thread.warned", "thread.unwarned"] }, null, 100)
    .events.map(({ kind }) => kind);
  expect(told).toEqual(["thread.warned", "thread.unwarned"]);
});

test("only the newest are kept", () => {
  for (let at = 0; at < limits.thread.warningsMax + 5; at++) warn(null, `warning ${at}`);
  const { warnings } = here.view();
  expect(warnings).toHaveLength(limits.thread.warningsMax);
  expect(warnings.at(-1)).toBe(`warning ${limits.thread.warningsMax + 4}`);
});

test("an unloaded thread shows none; its next load repeats them without an event, or ends them with one", () => {
  const id = here.view().id!;
  const told = () =>
    here.world.engine.core
      .events({ lanes: [here.ref], kinds: ["thread.warned", "thread.unwarned"] }, null, 100)
      .events.map(({ kind, data }) => [kind, data["server"]]);
  for (const server of ["notes", "files"]) warn(server, "no such file");
  const warned = [
    ["thread.warned", "notes"],
    ["thread.warned", "files"],
  ];
  const { live } = here.world;
  live.drop(id);
  expect(here.view().warnings).toEqual([]);
  warn("notes", "no such file");
  expect(here.view().warnings).toEqual(["no such file"]);
  expect(told()).toEqual(warned);
  here.world.agent.kill();
  here.world.agent.up();
  expect(here.view().warnings).toEqual([]);
  for (const server of ["notes", "files"]) warn(server, null, id);
  expect(told()).toEqual([...warned, ["thread.unwarned", "notes"], ["thread.unwarned", "files"]]);
});

test("they end with the process that gave them, and of a stranger's thread nothing breaks", () => {
  warn("notes", "no such file");
  warn("notes", "no such file", "somebody-else");
  here.world.agent.kill();
  here.world.agent.up();
  expect(here.view().warnings).toEqual([]);
});
