/** Programs that are told of events. */
import { expect, test } from "bun:test";
import { DispatchError } from "../../../src/base/error.ts";
import { limits } from "../../../src/base/limits.ts";
import type { Notice } from "../../../src/core/automation/notify.ts";
import { macrotasks, rig } from "../rig.ts";

const failing = JSON.stringify([{ fail: "no such luck" }]);

function recorder(answers: (exec: readonly string[]) => Promise<void> = async () => {}) {
  const told: { program: string; notice: Notice }[] = [];
  return {
    told,
    async runProgram(exec: readonly string[], input: string) {
      await answers(exec);
      told.push({ program: exec[0]!, notice: JSON.parse(input) });
    },
  };
}

test("an event is told once, with who, what, why and the command that answers", async () => {
  const { told, runProgram } = recorder();
  const policy = { notify: [{ kinds: ["failed", "waiting"], exec: ["desk"] }] };
  const here = await rig({ policy, runProgram });
  await macrotasks(10);
  await here.send(failing);
  await macrotasks(80);
  await here.send(JSON.stringify([{ ask: "touch x" }]));
  await macrotasks(80);
  expect(told.map(({ notice }) => notice.kind)).toEqual(["turn.failed", "request.opened"]);
  expect(told[0]?.notice).toMatchObject({
    thread: { ref: here.ref, handle: "docs" },
    command: `dispatch get ${here.ref}`,
  });
  expect(told[0]?.notice.summary).toContain("@docs");
  const { id } = here.world.engine.core.requests({ ref: null, all: false, limit: 1 })[0]!;
  expect(told[1]?.notice).toMatchObject({ request: id, command: `dispatch request answer ${id} --approve` });
});

test("one program that never ends keeps no other one waiting, and one that fails is tried again", async () => {
  let tries = 0;
  let stuck = 0;
  const { told, runProgram } = recorder(async ([program]) => {
    if (program === "stuck") {
      stuck++;
      await new Promise(() => {});
    }
    if (program === "flaky" && ++tries < 3) throw new Error("no network");
  });
  const notify = ["stuck", "flaky", "fine"].map((program) => ({
    kinds: ["turn.completed"],
    exec: [program],
  }));
  const here = await rig({ policy: { notify }, runProgram });
  await macrotasks(10);
  await here.send("one");
  await macrotasks(80);
  await here.send("two");
  await macrotasks(80);
  expect(told.filter(({ program }) => program === "fine")).toHaveLength(2);
  for (let at = 0; at < 60; at++) {
    await here.clock.advance(2000);
    await macrotasks(6);
  }
  const flaky = told.filter(({ program }) => program === "flaky").map(({ notice }) => notice.seq);
  expect(flaky).toHaveLength(2);
  expect(flaky).toEqual(flaky.toSorted((a, b) => a - b));
  expect(told.filter(({ program }) => program === "stuck")).toEqual([]);
  expect(stuck).toBe(1);
});

test("on a full disk a program is started again after a pause, and not at once", async () => {
  let starts = 0;
  const { told, runProgram } = recorder(async () => void starts++);
  const policy = { notify: [{ kinds: ["turn.completed"], exec: ["desk"] }] };
  const here = await rig({ policy, runProgram });
  await macrotasks(10);
  const { outbox } = here.world.store;
  const { set } = outbox;
  outbox.set = () => {
    if (starts > 50) throw new Error("it is started without end");
    throw new DispatchError("storage", "the disk is full");
  };
  await here.send("one");
  await macrotasks(80);
  expect(starts).toBe(1);
  outbox.set = set;
  await here.clock.advance(limits.automation.backoffFirstMs);
  await macrotasks(20);
  expect(starts).toBe(2);
  expect(new Set(told.map(({ notice }) => notice.seq)).size).toBe(1);
  await here.clock.advance(10 * limits.automation.backoffFirstMs);
  await macrotasks(20);
  expect(starts).toBe(2);
});

test("what is not told yet is told by the next daemon", async () => {
  const { told, runProgram } = recorder(async () => {
    await new Promise(() => {});
  });
  const policy = { notify: [{ kinds: ["turn.completed"], exec: ["desk"] }] };
  const here = await rig({ policy, runProgram });
  await macrotasks(10);
  await here.send("one");
  await macrotasks(80);
  expect(told).toEqual([]);
  here.world.abandon();
  const { testWorld } = await import("../../world/world.ts");
  const next = recorder();
  const world = testWorld({
    clock: here.clock,
    store: here.world.store,
    policy,
    runProgram: next.runProgram,
  });
  world.engine.begin();
  await macrotasks(40);
  expect(next.told.map(({ notice }) => notice.kind)).toEqual(["turn.completed"]);
  await world.end();
});

test("what is of no thread is told as well", async () => {
  const { told, runProgram } = recorder();
  const here = await rig({ policy: { notify: [{ kinds: ["codex.*"], exec: ["desk"] }] }, runProgram });
  await macrotasks(10);
  here.world.agent.kill();
  await macrotasks(40);
  expect(told.map(({ notice }) => notice.kind)).toEqual(["codex.up", "codex.down"]);
  expect(told[0]?.notice).toMatchObject({ thread: null, command: "dispatch daemon status" });
});
