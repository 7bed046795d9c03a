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

test("they end with the process that gave them, and of a stranger's thread nothing breaks", () => {
  warn("notes", "no such file");
  warn("notes", "no such file", "somebody-else");
  here.world.agent.kill();
  here.world.agent.up();
  expect(here.view().warnings).toEqual([]);
});
