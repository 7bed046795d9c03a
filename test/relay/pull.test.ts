/** What a machine takes from its consumer: in order, together, and tried again in place. */
import { expect, test } from "bun:test";
import type { JetStreamClient } from "@nats-io/jetstream";
import { limits } from "../../src/base/limits.ts";
import { macrotask } from "../../src/base/macrotask.ts";
import type { Arriving, RelayDesk } from "../../src/core/model/ports/relay.ts";
import { pullMail } from "../../src/relay/pull.ts";
import { handClock } from "../support/codex-clock.ts";
import { quietLog } from "../support/codex-sink.ts";

function rig(mail: (arriving: readonly Arriving[]) => number) {
  const clock = handClock();
  const over = new AbortController();
  const said: string[] = [];
  const given: unknown[] = [];
  let more = Promise.withResolvers<void>();
  async function* messages() {
    while (!over.signal.aborted) {
      while (given.length > 0) yield given.shift();
      await more.promise;
      more = Promise.withResolvers();
    }
  }
  const consumer = {
    consume: async () => Object.assign(messages(), { stop: () => more.resolve() }),
  };
  const js = { consumers: { get: async () => consumer } } as unknown as JetStreamClient;
  const desk = { mail } as unknown as RelayDesk;
  const done = pullMail({ js, desk, clock, log: quietLog, signal: over.signal }, "tower", () => {});
  return {
    clock,
    said,
    async give(...bodies: string[]) {
      for (const body of bodies)
        given.push({
          subject: "dispatch.mail.tower.laptop",
          string: () => body,
          info: { pending: 0, deliveryCount: 1 },
          ack: () => said.push(`ack ${body}`),
          working: () => said.push(`working ${body}`),
        });
      more.resolve();
      for (let at = 0; at < 5; at++) await macrotask();
    },
    async end() {
      over.abort();
      await done;
    },
  };
}

test("one that comes alone is taken at once, and those that follow share a turn", async () => {
  const turns: string[][] = [];
  const { clock, give, end, said } = rig(
    (arriving) => turns.push(arriving.map(({ body }) => body)) && arriving.length,
  );
  await give("a");
  expect(turns).toEqual([["a"]]);
  await give("b");
  await give("c");
  expect(turns).toEqual([["a"]]);
  await clock.advance(limits.relay.apartMs);
  await give();
  expect(turns).toEqual([["a"], ["b", "c"]]);
  expect(said).toEqual(["ack a", "ack b", "ack c"]);
  await end();
});

test("what is not taken is tried again before what comes later, is not given again meanwhile, and counts alone", async () => {
  let isFull = true;
  const turns: string[] = [];
  const { clock, give, end, said } = rig((arriving) => {
    turns.push(arriving.map(({ body, tries }) => `${body}${tries}`).join(" "));
    return isFull ? arriving.findIndex(({ body }) => body === "b") : arriving.length;
  });
  await give("a", "b", "c");
  expect(turns).toEqual(["a1 b1 c1"]);
  expect(said).toEqual(["ack a", "working b", "working c"]);
  await give("d");
  await clock.advance(limits.relay.againMs);
  await give();
  expect(turns[1]).toBe("b1 c1 d1");
  isFull = false;
  await clock.advance(limits.relay.againMs);
  await give();
  expect(turns[2]).toBe("b2 c1 d1");
  expect(said.slice(-3)).toEqual(["ack b", "ack c", "ack d"]);
  await end();
});
