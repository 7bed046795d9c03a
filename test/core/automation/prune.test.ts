/** What is over is not kept for ever, and what is not over is kept. */
import { expect, test } from "bun:test";
import { automationRow } from "../../../src/core/automation/row.ts";
import { macrotasks, rig } from "../rig.ts";

const day = 86_400_000;

test("firings, ended subscriptions, told notifications and read messages go with the days that events are kept", async () => {
  const here = await rig({ policy: { keepDays: 1 } });
  const { store, engine, journal } = here.world;
  const wakes = { face: "subscription", lane: null, since: 0, caller: null } as const;
  const when = { kind: "condition", conditions: ["done"], all: false } as const;
  const action = { kind: "wake", deliver: "inbox", tail: 1 } as const;
  const now = here.clock.now();
  journal.commit(() => {
    for (const state of ["active", "ended"] as const) {
      store.automations.add(automationRow({ ...wakes, id: state, when, action, state }, now), [here.ref]);
      const fired = {
        automation: state,
        slot: "s",
        at: now,
        outcome: "fired",
        reason: null,
        slots: 1,
      } as const;
      store.automations.fire({ ...fired, receipt: null, lane: null, seq: null });
    }
    const row = {
      automation: "active",
      payload: {},
      attempts: 0,
      next_at: 1e15,
      error: null,
      created_at: now,
    };
    for (const state of ["waiting", "done"] as const) store.outbox.add({ ...row, state });
  });
  const read = engine.core.postInbox({ lane: null, sender: "cli", text: "read" });
  engine.core.postInbox({ lane: null, sender: "cli", text: "not read" });
  engine.core.ackInbox([read.id]);
  for (let hours = 0; hours < 50; hours++) {
    await here.clock.advance(day / 24);
    await macrotasks(4);
  }
  expect(store.automations.find("ended")).toBeUndefined();
  expect(store.automations.find("active")).toBeDefined();
  expect(store.automations.firings("active", 10)).toEqual([]);
  expect(store.outbox.count("active")).toBe(1);
  expect(engine.core.inbox({ states: ["pending", "acked"], limit: 10 }).map(({ text }) => text)).toEqual([
    "not read",
  ]);
  await here.world.end();
});
