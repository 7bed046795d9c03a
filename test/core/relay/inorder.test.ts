/** Messages of the stream share a commit, and one that cannot be taken holds up only what must not overtake it. */
import { describe, expect, test } from "bun:test";
import { DispatchError, fail } from "../../../src/base/error.ts";
import { limits } from "../../../src/base/limits.ts";
import type { RelayPort } from "../../../src/core/model/ports/relay.ts";
import { takeInOrder } from "../../../src/core/relay/inorder.ts";
import { until } from "../../support/codex-sink.ts";
import { broker, relayAs } from "../../world/relay.ts";
import { testWorld } from "../../world/world.ts";
import { never } from "../rig.ts";
import { heard, machine, reaches, send, text, two } from "./rig.ts";

describe("what is taken in order", () => {
  function rig(throws: (body: string) => unknown) {
    const world = testWorld();
    let commits = 0;
    const { journal } = world;
    const deps = {
      ...world,
      journal: {
        ...journal,
        commit: ((fn) => {
          commits++;
          return journal.commit(fn);
        }) as typeof journal.commit,
      },
    };
    const taken: string[] = [];
    const refused: string[] = [];
    const take = (bodies: string, tries = 1) =>
      takeInOrder(
        deps,
        [...bodies].map((body) => ({ origin: "tower", body, tries })),
        {
          take(change, { body }) {
            const thrown = throws(body);
            if (thrown) throw thrown;
            change.after(() => void taken.push(body));
          },
          refuse: ({ body }) => void refused.push(body),
        },
      );
    return { take, taken, refused, commits: () => commits };
  }

  test("shares one commit", () => {
    const { take, taken, commits } = rig(() => undefined);
    expect(take("abc")).toBe(3);
    expect(taken).toEqual(["a", "b", "c"]);
    expect(commits()).toBe(1);
  });

  test("is taken without the one that is refused for good, and each of it once", () => {
    const { take, taken, refused } = rig((body) => body === "b" && new DispatchError("not_found", "no"));
    expect(take("abc")).toBe(3);
    expect(taken).toEqual(["a", "c"]);
    expect(refused).toEqual(["b"]);
  });

  test("ends before the one that the disk refuses, so that nothing overtakes it", () => {
    let isFull = true;
    const { take, taken, refused } = rig(
      (body) => isFull && body === "b" && new DispatchError("storage", "full"),
    );
    expect(take("abc", limits.relay.triesMax)).toBe(1);
    isFull = false;
    expect(take("bc")).toBe(2);
    expect(taken).toEqual(["a", "b", "c"]);
    expect(refused).toEqual([]);
  });

  test("waits for one that meets a bug some times, and goes on without it", () => {
    const { take, taken, refused } = rig((body) => body === "b" && new Error("a bug"));
    expect(take("abc", limits.relay.triesMax - 1)).toBe(1);
    expect(refused).toEqual([]);
    expect(take("bc", limits.relay.triesMax)).toBe(2);
    expect(taken).toEqual(["a", "c"]);
    expect(refused).toEqual(["b"]);
  });
});

test("messages that wait together arrive in their order, without the one that is for no thread", async () => {
  const { shared, tower, laptop } = await two();
  tower.abandon();
  shared.cut("tower");
  const receipts: string[] = [];
  for (let at = 0; at < 6; at++) {
    const target = at === 2 ? "tower/@nobody" : "tower/@docs";
    receipts.push((await send(laptop, target, { text: text(at) })).receipt);
  }
  const next = machine(shared, relayAs("tower"), { store: tower.store, threads: tower.agent.threads });
  await reaches(laptop, receipts[5]!, "done");
  expect(heard(next)).toEqual([0, 1, 3, 4, 5].map(text));
  await reaches(laptop, receipts[2]!, "failed");
});

test("reports that wait go in few messages, each of a size that a server takes", async () => {
  const shared = broker();
  const bodies: string[] = [];
  let isMute = true;
  const relay: RelayPort = {
    async open(...given) {
      const link = await shared.port.open(...given);
      return {
        ...link,
        async report(box, id, body) {
          if (isMute) fail("host_down", "the relay is down");
          bodies.push(body);
          await link.report(box, id, body);
        },
      };
    },
  };
  const tower = machine(shared, relayAs("tower"), { relay });
  const laptop = machine(shared, relayAs("laptop"));
  const settings = { cwd: "/repo", sandbox: "read-only" as const };
  const answer = "y".repeat(limits.relay.letterBytesMax / 4);
  const names = Array.from({ length: 12 }, (_, at) => `docs${at}`);
  const receipts: string[] = [];
  for (const name of names) {
    const draft = { name, text: null, goal: null, settings, key: null, created_by: "cli" };
    await tower.engine.core.create(draft, never());
    const told = await send(laptop, `tower/@${name}`, { text: `[{"say":"${answer}"}]` });
    receipts.push(told.receipt);
  }
  const isOver = (id: string) => tower.store.messages.find(id)?.state === "done";
  await until("all are done there", () => receipts.every(isOver));
  isMute = false;
  for (const receipt of receipts) await reaches(laptop, receipt, "done");
  const sizes = bodies.map((body) => Buffer.byteLength(body));
  expect(Math.max(...sizes)).toBeLessThan(limits.relay.letterBytesMax + 1024);
  expect(bodies.length).toBeLessThan(receipts.length);
});
