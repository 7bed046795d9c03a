/** Machines that are not what they say, and agents. */
import { describe, expect, test } from "bun:test";
import { until } from "../../support/codex-sink.ts";
import { type Broker, relayAs } from "../../world/relay.ts";
import { refusal } from "../rig.ts";
import { heard, reaches, send, stateOf, text, two } from "./rig.ts";

describe("a machine that is not what it says", () => {
  const forger = (shared: Broker) =>
    shared.port.open(relayAs("mallory"), "home", {
      mail: (arriving) => arriving.length,
      pooled: async () => "done",
      mayTake: () => false,
      reports: (arriving) => arriving.length,
      up() {},
    });
  const report = (id: string, state: string) =>
    JSON.stringify({
      v: 1,
      kind: "receipt",
      id,
      seq: 1_000_000,
      thread: "bcdfgh",
      state,
      outcome: null,
      turn_id: null,
      joined: false,
      attempt: 1,
      waits: null,
      error: null,
      asks: [],
      answer: null,
    });

  const deep = `${"[".repeat(5000)}${"]".repeat(5000)}`;
  const unreadable = ["", "{", "null", "[]", '{"v":1}', '{"v":2,"id":"x"}', '{"v":1,"text":"\\ud800"}', deep];

  test("is not heard where its report cannot be read, and the next one is", async () => {
    const { shared, laptop } = await two();
    const link = await forger(shared);
    for (const [at, body] of unreadable.entries()) await link.report("laptop", `bad ${at}`, body);
    const { receipt } = await send(laptop, "tower/@docs");
    await reaches(laptop, receipt, "done");
    expect(shared.waiting()).toBe(0);
  });

  test("reports nothing of a message that was sent to another one", async () => {
    const { shared, tower, laptop } = await two();
    tower.abandon();
    shared.cut("tower");
    const { receipt } = await send(laptop, "tower/@docs");
    const link = await forger(shared);
    await link.report("laptop", "forged", report(receipt, "failed"));
    await until("it was read", () => shared.waiting() === 1);
    expect(stateOf(laptop, receipt)).toBe("relayed");
  });

  test("is refused where its message cannot be read, and the next one arrives", async () => {
    const { shared, tower, laptop } = await two();
    const link = await forger(shared);
    for (const [at, body] of unreadable.entries()) await link.send({ box: "tower" }, `bad ${at}`, body);
    const newer = { v: 2, id: "01980000-0000-7000-8000-000000000000", to: "@docs", text: "hello" };
    await link.send({ box: "tower" }, "newer", JSON.stringify(newer));
    const half = { v: 1, id: "01980000-0000-7000-8000-000000000001", to: "@docs", text: "\ud800", by: null };
    await link.send({ box: "tower" }, "half", JSON.stringify({ ...half, settings: null, depth: 0 }));
    const { receipt } = await send(laptop, "tower/@docs");
    await reaches(laptop, receipt, "done");
    const refused = { state: "refused", error: { code: "stale" } };
    expect(tower.store.relay.findArrived(newer.id)).toMatchObject(refused);
    expect(tower.store.relay.findArrived(half.id)).toMatchObject(refused);
    expect(heard(tower)).toEqual(["hello"]);
  });
});

test("where agents may only read, another machine writes nothing", async () => {
  const { tower, laptop } = await two({ tower: { policy: { agents: "read" } } });
  const { receipt } = await send(laptop, "tower/@docs");
  await reaches(laptop, receipt, "failed");
  expect(laptop.engine.core.receipt(receipt).error?.code).toBe("denied");
  expect(heard(tower)).toEqual([]);
});

describe("an agent", () => {
  const agent = "0199aaaa-aaaa-7aaa-8aaa-aaaaaaaaaaaa";

  test("reaches no machine that [policy] hosts does not list", async () => {
    const { laptop } = await two();
    expect((await refusal(send(laptop, "tower/@docs", { agent }))).code).toBe("denied");
    expect((await refusal(send(laptop, "queue@gpu", { agent }))).code).toBe("denied");
    // Also one that may do here all that its user may.
    const free = await two({ laptop: { policy: { agents: "free" } } });
    expect((await refusal(send(free.laptop, "tower/@docs", { agent }))).code).toBe("denied");
  });

  test("is limited by rate where it is listed", async () => {
    const { laptop } = await two({ laptop: { policy: { hosts: ["tower"] } } });
    for (let at = 0; at < 30; at++) await send(laptop, "tower/@docs", { agent, text: text(at) });
    expect((await refusal(send(laptop, "tower/@docs", { agent }))).code).toBe("thread_busy");
  });

  test("writes with its own name and that of its machine", async () => {
    const { tower, laptop } = await two({ laptop: { policy: { hosts: ["tower"] } } });
    const { receipt } = await send(laptop, "tower/@docs", { agent });
    await reaches(laptop, receipt, "done");
    expect(tower.store.messages.get(receipt).caller).toBe(`laptop/${agent}`);
  });
});
