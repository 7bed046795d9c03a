import { beforeEach, describe, expect, test } from "bun:test";
import { messageStates } from "../../src/contract/words.ts";
import { mayFollow } from "../../src/core/model/message.ts";
import type { Arrived } from "../../src/core/model/ports/relay.ts";
import type { MessageId } from "../../src/core/model/ports/rows.ts";
import type { Store } from "../../src/core/model/ports/store.ts";
import { newRow } from "../../src/core/relay/send.ts";
import { openStore } from "../../src/store/store.ts";

let store: Store;

beforeEach(() => {
  store = openStore(":memory:", 1);
});

describe("of a message on another machine the registry takes the reports that core takes", () => {
  for (const from of messageStates) {
    for (const to of messageStates) {
      if (from === to) continue;
      const may = mayFollow(from, to);
      test(`${from} -> ${to} is ${may ? "taken" : "refused"}`, () => {
        store.relay.addRelayed({ ...newRow("m-1", 1), state: from });
        const move = () => store.relay.setRelayed("m-1", { state: to });
        if (may) move();
        else expect(move).toThrow("may not move that way");
        expect(store.relay.findRelayed("m-1")?.state).toBe(may ? to : from);
      });
    }
  }
});

test("a report may leave out states, and never goes back", () => {
  expect(mayFollow("relayed", "done")).toBe(true);
  expect(mayFollow("sent", "queued")).toBe(true);
  expect(mayFollow("delivered", "queued")).toBe(false);
  expect(mayFollow("done", "failed")).toBe(false);
  expect(mayFollow("queued", "relayed")).toBe(false);
});

const arrival = (id: string, more: Partial<Arrived>): Arrived => ({
  id: id as MessageId,
  origin: "laptop",
  pool: "gpu",
  state: "claiming",
  body: "{}",
  lane: null,
  error: null,
  created_at: 1,
  ...more,
});

test("a machine counts the messages of a pool that it works on, until they are over", () => {
  store.relay.addArrived(arrival("a", {}));
  store.relay.addArrived(arrival("b", { pool: "other" }));
  store.relay.addArrived(arrival("c", { pool: null, state: "taken", body: null }));
  expect(store.relay.countOpen("gpu")).toBe(1);
  store.relay.setArrived("a", { state: "won" });
  store.relay.setArrived("a", { state: "taken", body: null });
  expect(store.relay.countOpen("gpu")).toBe(1);
  store.relay.setArrived("a", { state: "over" });
  expect(store.relay.countOpen("gpu")).toBe(0);
});

test("the whole message is kept until a thread has it, and no longer", () => {
  expect(() => store.relay.addArrived(arrival("a", { body: null }))).toThrow("CHECK");
  expect(() => store.relay.addArrived(arrival("b", { state: "taken" }))).toThrow("CHECK");
});

test("what is not over is kept, however old it is", () => {
  store.relay.addRelayed({ ...newRow("m-1", 1), state: "done" });
  store.relay.addRelayed(newRow("m-2", 1));
  store.relay.addArrived(arrival("a", { state: "over", body: null }));
  store.relay.addArrived(arrival("b", { state: "won" }));
  expect(store.relay.prune(2, 10)).toBe(2);
  expect(store.relay.findRelayed("m-2")).toBeDefined();
  expect(store.relay.findArrived("b")).toBeDefined();
});
