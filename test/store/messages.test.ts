import { beforeEach, describe, expect, test } from "bun:test";
import { messageStates } from "../../src/contract/words.ts";
import { transitions } from "../../src/core/model/message.ts";
import type { Epoch } from "../../src/core/model/ports/agent.ts";
import type { MessageId, Ref } from "../../src/core/model/ports/rows.ts";
import type { Store } from "../../src/core/model/ports/store.ts";
import { openStore } from "../../src/store/store.ts";
import { laneRow, messageRow } from "./rows.ts";

const lane = "bcdfgh" as Ref;
let store: Store;
let epoch: Epoch;

beforeEach(() => {
  store = openStore(":memory:", 1);
  epoch = store.epochs.open({ pid: 1, group: 1, start_time: "1", boot_id: "b" }, 1);
  store.lanes.add(laneRow());
});

describe("the registry's transitions are the table of core", () => {
  // A message is relayed before a registry has it as its own.
  const states = messageStates.filter((state) => state !== "relayed");
  for (const from of states) {
    for (const to of states) {
      if (from === to) continue;
      const may = transitions[from].includes(to);
      test(`${from} -> ${to} is ${may ? "taken" : "refused"}`, () => {
        store.messages.add(messageRow({ state: from, epoch }));
        const move = () => store.messages.set("m-1" as MessageId, { state: to });
        if (may) move();
        else expect(move).toThrow("may not move that way");
        expect(store.messages.find("m-1")?.state).toBe(may ? to : from);
      });
    }
  }
});

test("what was accepted is never changed", () => {
  store.messages.add(messageRow());
  const change = { text: "other" } as never;
  expect(() => store.messages.set("m-1" as MessageId, change)).toThrow("never changed");
});

test("a second message in flight in one lane is refused by the registry itself", () => {
  store.messages.add(messageRow({ state: "sent", epoch }));
  store.messages.add(messageRow({ id: "m-2" as MessageId }));
  expect(() => store.messages.set("m-2" as MessageId, { state: "claimed", epoch })).toThrow("UNIQUE");
});

test("a message is claimed only with the epoch that claims it", () => {
  store.messages.add(messageRow());
  expect(() => store.messages.set("m-1" as MessageId, { state: "claimed" })).toThrow("CHECK");
});

test("the lane counts what waits, through every arrow that enters or leaves the queue", () => {
  const pending = () => store.lanes.find(lane)?.pending;
  store.messages.add(messageRow());
  store.messages.add(messageRow({ id: "m-2" as MessageId, position: 2 }));
  expect(pending()).toBe(2);
  store.messages.set("m-1" as MessageId, { state: "claimed", epoch });
  expect(pending()).toBe(1);
  store.messages.set("m-1" as MessageId, { state: "queued" });
  expect(pending()).toBe(2);
  store.messages.set("m-2" as MessageId, { state: "cancelled" });
  expect(pending()).toBe(1);
});

test("a new message is behind the one in flight, which may come back", () => {
  store.messages.add(messageRow({ position: 7 }));
  store.messages.set("m-1" as MessageId, { state: "claimed", epoch });
  expect(store.messages.position(lane, "back")).toBeGreaterThan(7);
});

test("what has ended loses its text when it is old, and its digest stays; what has not ended keeps it", () => {
  const states = ["done", "failed", "cancelled", "queued", "unsure"] as const;
  for (const [at, state] of states.entries())
    store.messages.add(
      messageRow({ id: `m-${at}` as MessageId, position: at, created_at: at, state, epoch }),
    );
  const last = `m-${states.length}` as MessageId;
  store.messages.add(messageRow({ id: last, position: 9, created_at: 100, state: "done", epoch }));
  const first = store.messages.dropTexts({ before: 50, after: null, limit: 3 });
  expect(first).toEqual({ created_at: 2, id: "m-2" });
  expect(store.messages.dropTexts({ before: 50, after: first, limit: 3 })).toBeNull();
  const texts = [...states.keys(), states.length].map((at) => store.messages.get(`m-${at}`).text);
  expect(texts).toEqual(["", "", "", "hello", "hello", "hello"]);
  expect(store.messages.get("m-0").sha256).toBe("x");
});

test("only what a hold lets pass is next while it is held", () => {
  store.messages.add(messageRow({ position: 1 }));
  store.messages.add(messageRow({ id: "m-2" as MessageId, mode: "send", position: 2 }));
  expect(store.messages.next(lane, false)?.id).toBe("m-1" as MessageId);
  expect(store.messages.next(lane, true)?.id).toBe("m-2" as MessageId);
});

test("a steer with a target is never next, and context has its own way", () => {
  store.messages.add(messageRow({ mode: "steer", target_turn_id: "t" }));
  store.messages.add(messageRow({ id: "m-2" as MessageId, mode: "context" }));
  expect(store.messages.next(lane, false)).toBeUndefined();
  expect(store.messages.nextContext(lane)?.id).toBe("m-2" as MessageId);
  expect(store.messages.steers(lane, "t")).toHaveLength(1);
});
