/** A pool: whichever machine has room takes the message, and makes one thread for it. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "../support/dispatch.ts";
import { type NatsServer, natsServer, noNats } from "../support/nats.ts";
import { type Box, box } from "../support/relay.ts";

setDefaultTimeout(60_000);

const slow = (text: string) => JSON.stringify([{ shell: "sleep 0.3" }, { say: text }]);

describe.skipIf(noNats !== undefined)(`a pool of two machines${noNats ? `: ${noNats}` : ""}`, () => {
  let nats: NatsServer;
  let desk: Box;
  const workers: Box[] = [];

  beforeAll(async () => {
    nats = await natsServer();
    desk = box("desk", nats.url);
    await desk.join();
    for (const name of ["one", "two"]) {
      const worker = box(name, nats.url);
      const cwd = join(worker.codex.cwd, "work");
      mkdirSync(cwd, { recursive: true });
      worker.configure(
        `url = "${nats.url}"\n[relay.pools.gpu]\ncwd = "${cwd}"\npreset = "worker"`,
        '[presets.worker]\nsandbox = "read-only"\napproval_policy = "never"',
      );
      await worker.join();
      workers.push(worker);
    }
  });

  afterAll(async () => {
    for (const one of [desk, ...workers]) await one?.dispose();
    await nats?.dispose();
  });

  test("each message is one thread on one machine, and both machines work", async () => {
    const sent: Json[] = [];
    for (let at = 0; at < 8; at++) sent.push(await desk.ask(["send", "queue@gpu", slow(`job ${at}`)]));
    expect(sent.every(({ state, thread }) => state === "relayed" && thread === "queue@gpu")).toBe(true);
    const ended = await Promise.all(sent.map(({ receipt }) => desk.reaches(String(receipt), "done", 50_000)));
    const threads = ended.map((one) => String(one["thread"]));
    expect(new Set(threads).size).toBe(8);
    const of = (name: string) => threads.filter((thread) => thread.startsWith(`${name}/`)).length;
    expect(of("one") + of("two")).toBe(8);
    expect(Math.min(of("one"), of("two"))).toBeGreaterThan(0);
    for (const worker of workers) {
      const { threads: made } = await worker.ask(["list", "--full"]);
      expect(made).toHaveLength(of(worker.name));
      for (const thread of made) {
        expect(thread.title).toMatch(/^gpu [0-9a-f]{8}$/);
        expect(thread.cwd).toEndWith("/work");
      }
    }
  });

  test("send --wait returns the answer of whoever took it", async () => {
    const done = await desk.ask(["send", "queue@gpu", "how many cores?", "--wait", "--timeout", "30"]);
    expect(done).toMatchObject({ state: "done", last_message: "ok: how many cores?" });
  });

  test("with all machines asleep it waits, and is done once by the first that wakes", async () => {
    for (const worker of workers) await worker.ask(["down", "--force"]);
    const sent = await desk.ask(["send", "queue@gpu", "good morning"]);
    for (const worker of workers) await worker.join();
    const done = await desk.reaches(sent.receipt, "done", 50_000);
    expect(done["thread"]).toMatch(/^(one|two)\//);
    let found = 0;
    for (const worker of workers)
      if ((await worker.run(["receipt", "get", sent.receipt])).code === 0) found++;
    expect(found).toBe(1);
  });

  describe("a server that was killed and counts anew gives each message, though it believes that it has:", () => {
    /** What 2.9.10 does when it is killed with an empty stream (seen): the consumers keep the old count. */
    async function forgetCount() {
      await nats.kill();
      rmSync(join(nats.folder, "store/jetstream/$G/streams/DISPATCH_MAIL/msgs"), { recursive: true });
      await nats.start();
    }

    test("what is sent to machines that are there", async () => {
      await forgetCount();
      const { receipt } = await desk.ask(["send", "queue@gpu", "still there?"]);
      await desk.reaches(receipt, "done", 40_000);
    });

    test("what was sent while they slept, so much that the new count is past the old one", async () => {
      const before = await desk.ask(["send", "queue@gpu", "the last one of the old count"]);
      await desk.reaches(before.receipt, "done", 40_000);
      for (const worker of workers) await worker.ask(["down", "--force"]);
      await forgetCount();
      const sent: Json[] = [];
      for (let at = 0; at < 6; at++) sent.push(await desk.ask(["send", "queue@gpu", `text ${at}`]));
      for (const worker of workers) await worker.join();
      for (const { receipt } of sent) await desk.reaches(String(receipt), "done", 40_000);
    });
  });

  test("a machine that cannot make the thread refuses it, with its reason", async () => {
    for (const worker of workers)
      worker.configure(`url = "${nats.url}"\n[relay.pools.gpu]\ncwd = "/nowhere"`);
    for (const worker of workers) {
      // A send of its own makes it read the configuration.
      await worker.refused(["send", "queue@nobody", "hello"]);
      await worker.join();
    }
    const sent = await desk.ask(["send", "queue@gpu", "hello"]);
    const failed = await desk.reaches(sent.receipt, "failed", 30_000);
    expect(failed["error"]).toMatchObject({ code: "usage", message: expect.stringContaining("/nowhere") });
  });
});
