/** A message to a machine that sleeps waits for it, arrives once, and its receipt comes back. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Json } from "../support/dispatch.ts";
import { until } from "../support/fault.ts";
import { type NatsServer, natsServer, noNats } from "../support/nats.ts";
import { type Box, box } from "../support/relay.ts";

setDefaultTimeout(60_000);

describe.skipIf(noNats !== undefined)(`two machines on one relay${noNats ? `: ${noNats}` : ""}`, () => {
  let nats: NatsServer;
  let laptop: Box;
  let tower: Box;

  beforeAll(async () => {
    nats = await natsServer();
    laptop = box("laptop", nats.url);
    tower = box("tower", nats.url);
    await tower.thread("docs", "hello");
    await tower.join();
    await laptop.join();
  });

  afterAll(async () => {
    await laptop?.dispose();
    await tower?.dispose();
    await nats?.dispose();
  });

  const heard = async (text: string) => {
    const { items } = await tower.ask(["tail", "@docs", "--limit", "500"]);
    return items.filter((item: Json) => item["type"] === "user_message" && item["text"] === text).length;
  };

  test("a message to a machine that is awake is answered there, and the answer comes back", async () => {
    const sent = await laptop.ask(["send", "tower/@docs", "are you there?", "--wait", "--timeout", "30"]);
    expect(sent).toMatchObject({
      state: "done",
      outcome: "completed",
      verdict: "ok",
      last_message: "ok: are you there?",
    });
    expect(sent.thread).toMatch(/^tower\/[0-9a-z]{6}$/);
    const there = await tower.ask(["receipt", "get", sent.receipt]);
    expect(there).toMatchObject({ state: "done", by: "laptop/cli", attempt: 1 });
    expect(await heard("are you there?")).toBe(1);
  });

  test("a message to a machine that sleeps is accepted, arrives once when it wakes, and the receipt here is done", async () => {
    await tower.ask(["down", "--force"]);
    const sent = await laptop.ask(["send", "tower/@docs", "good morning"]);
    expect(sent).toMatchObject({
      state: "relayed",
      thread: "tower/@docs",
      message_accepted: true,
      attempt: 0,
    });
    expect(await laptop.ask(["receipt", "get", sent.receipt])).toMatchObject({ state: "relayed" });
    await tower.join();
    const done = await laptop.reaches(sent.receipt, "done", 30_000);
    expect(done).toMatchObject({ outcome: "completed", attempt: 1 });
    expect(await heard("good morning")).toBe(1);
    const { events } = await laptop.ask(["events", "--limit", "200"]);
    const of = events
      .filter((event: Json) => event["receipt"] === sent.receipt)
      .map((event: Json) => event["kind"]);
    expect(of[0]).toBe("message.relayed");
    expect(of.at(-1)).toBe("message.done");
  });

  test("a wait for the receipt ends with its turn there, with the exit status of that turn", async () => {
    const sent = await laptop.ask(["send", "tower/@docs", '[{"fail":"no such luck"}]']);
    const waited = await laptop.run(["wait", sent.receipt, "--timeout", "30"]);
    expect(waited.code).toBe(8);
    expect(waited.json).toMatchObject({ verdict: "turn_failed", threads: [] });
    await tower.ask(["queue", "release", "@docs"]);
  });

  test("the same key is the same message, and other content is a conflict", async () => {
    const args = ["send", "tower/@docs", "only once", "--idempotency-key", "R1"];
    const first = await laptop.ask(args);
    const again = await laptop.ask(args);
    expect(again.receipt).toBe(first.receipt);
    await laptop.reaches(first.receipt, "done", 30_000);
    expect(await heard("only once")).toBe(1);
    const other = await laptop.refused(["send", "tower/@docs", "other", "--idempotency-key", "R1"]);
    expect(other.code).toBe("conflict");
  });

  test("what the other machine refuses is failed here, with its reason", async () => {
    const sent = await laptop.ask(["send", "tower/@nobody", "hello"]);
    const failed = await laptop.reaches(sent.receipt, "failed");
    expect(failed).toMatchObject({ error: { code: "not_found", message: 'no thread matches "@nobody"' } });
  });

  test("receipts of both kinds are in one list", async () => {
    const { receipts } = await laptop.ask(["receipt", "list", "--state", "failed"]);
    expect(receipts).toContainEqual(expect.objectContaining({ thread: "tower/@nobody", state: "failed" }));
  });

  test("what is on another machine is not cancelled here", async () => {
    const { receipts } = await laptop.ask(["receipt", "list", "--limit", "1"]);
    expect((await laptop.refused(["queue", "cancel", receipts[0].receipt])).code).toBe("conflict");
  });

  test("a machine that the relay does not know, and this machine, are refused", async () => {
    const unknown = await laptop.refused(["send", "towre/@docs", "hello"]);
    expect(unknown).toMatchObject({ code: "not_found", message: "no machine towre at the relay" });
    expect((await laptop.refused(["send", "laptop/@docs", "hello"])).code).toBe("usage");
    expect((await laptop.refused(["send", "queue@nobody", "hello"])).code).toBe("not_found");
  });

  test("doctor and daemon status show the relay", async () => {
    const { checks } = await laptop.ask(["doctor", "--no-app-server"]);
    expect(checks.find((check: Json) => check["name"] === "relay")).toMatchObject({ status: "ok" });
    await nats.kill();
    await until(
      "the relay is down",
      async () => (await laptop.ask(["daemon", "status"])).relay.state === "down",
    );
    const down = await laptop.refused(["send", "tower/@docs", "hello"]);
    expect(down.code).toBe("host_down");
    const after = await laptop.ask(["doctor", "--no-app-server"]);
    expect(after.checks.find((check: Json) => check["name"] === "relay")).toMatchObject({ status: "warn" });
    await nats.start();
    await laptop.join();
  });

  test("a server that says nothing more is down within half a minute, and a send to it is refused", async () => {
    nats.signal("SIGSTOP");
    try {
      await until(
        "the relay is down",
        async () => (await laptop.ask(["daemon", "status"])).relay.state === "down",
        30_000,
      );
      const down = await laptop.refused(["send", "tower/@docs", "hello"]);
      expect(down).toMatchObject({ code: "host_down" });
    } finally {
      nats.signal("SIGCONT");
    }
    const sent = await laptop.ask(["send", "tower/@docs", "back again"]);
    await laptop.reaches(sent.receipt, "done", 40_000);
    expect(await heard("back again")).toBe(1);
  }, 90_000);
});
