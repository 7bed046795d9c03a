import { beforeEach, describe, expect, test } from "bun:test";
import { DispatchError } from "../../../src/base/error.ts";
import { limits } from "../../../src/base/limits.ts";
import { until } from "../../support/codex-sink.ts";
import { type Rig, refusal, rig, waiting } from "../rig.ts";

let here: Rig;
beforeEach(async () => {
  here = await rig();
});

/** A turn runs and its own message is proven. */
async function busy(): Promise<void> {
  await here.reaches(await here.send(waiting), "delivered");
}

describe("a plain send", () => {
  test("is stored before Codex hears of it, and each step is an event", async () => {
    const receipt = await here.send("hello");
    await here.reaches(receipt, "done");
    const told = here.kinds().filter((kind) => kind.startsWith("message."));
    expect(told).toEqual([
      "message.queued",
      "message.claimed",
      "message.sent",
      "message.delivered",
      "message.done",
    ]);
    expect(here.world.agent.asked).toEqual(["hello"]);
  });

  test("is refused with nothing stored while a turn runs, a question is open or Codex is down", async () => {
    await busy();
    expect((await refusal(here.send("two"))).code).toBe("thread_busy");
    here.world.agent.release("go");
    await until("idle", () => here.view().status === "idle");
    await here.send('[{"ask":"touch x"}]');
    await until("a question", () => here.view().status === "waiting");
    expect((await refusal(here.send("three"))).code).toBe("needs_answer");
    here.world.agent.kill();
    expect((await refusal(here.send("four"))).code).toBe("agent_down");
    expect(here.world.store.messages.list({ limit: 10 })).toHaveLength(2);
  });

  test("with the same key and content gives the same receipt, with other content a conflict", async () => {
    const first = await here.send("hello", { key: "k" });
    await here.reaches(first, "done");
    expect((await here.send("hello", { key: "k" })).receipt).toBe(first.receipt);
    expect((await refusal(here.send("other", { key: "k" }))).code).toBe("conflict");
    expect((await refusal(here.send("hello", { key: "k", mode: "queue" }))).code).toBe("conflict");
    expect(here.world.agent.asked).toEqual(["hello"]);
  });

  test("into a turn that somebody else began joins it, and says so", async () => {
    const thread = [...here.world.agent.threads.values()][0]!;
    // Between the proof of idle and the start: the model steers, as Codex does.
    here.world.agent.beforeNext("startTurn", () => here.world.agent.intrude(thread.id));
    const receipt = await here.send("hello");
    await here.reaches(receipt, "delivered");
    expect(here.world.engine.core.receipt(receipt.receipt).joined).toBe(true);
  });
});

describe("the queue", () => {
  test("goes first in, first out, one turn each", async () => {
    await busy();
    for (const text of ["one", "two", "three"]) await here.send(text, { mode: "queue" });
    expect(here.view().queue.pending).toBe(3);
    here.world.agent.release("go");
    await until("all done", () => here.world.agent.asked.length === 4 && here.view().status === "idle");
    expect(here.world.agent.asked.slice(1)).toEqual(["one", "two", "three"]);
  });

  test("accepts while Codex is down, and delivers when it is back", async () => {
    here.world.agent.kill();
    const receipt = await here.send("later", { mode: "queue" });
    expect(receipt.state).toBe("queued");
    here.world.agent.up();
    await here.clock.advance(limits.loop.everyMs * 8);
    await here.reaches(receipt, "done");
  });

  test("goes as soon as Codex is back, however long it was away", async () => {
    here.world.agent.kill();
    const receipt = await here.send("later", { mode: "queue" });
    for (let minute = 0; minute < 3; minute++) await here.clock.advance(60_000);
    here.world.agent.up();
    await here.reaches(receipt, "done");
  });

  test("waits, held, after a failed turn; a plain send runs ahead of it and lifts the hold", async () => {
    const bad = await here.send('[{"fail":"no luck"}]');
    await here.reaches(bad, "done");
    const queued = await here.send("next", { mode: "queue" });
    expect(queued).toMatchObject({
      state: "queued",
      held: "failed",
      release: `dispatch queue release ${here.ref}`,
    });
    expect(here.view().queue.release).toBe(`dispatch queue release ${here.ref}`);
    expect(here.world.engine.core.queue(here.ref, null, 10)).toMatchObject({
      queue: { release: `dispatch queue release ${here.ref}` },
      messages: [{ release: `dispatch queue release ${here.ref}` }],
    });
    const ahead = await here.send("now");
    await here.reaches(ahead, "done");
    await here.reaches(queued, "done");
    expect(here.view().queue).toEqual({ pending: 0, held: false, reason: null, release: null });
  });

  test("is held by a stop, and goes on when released", async () => {
    await busy();
    const queued = await here.send("next", { mode: "queue" });
    const stopped = await here.world.engine.core.stop(here.ref, 5000);
    expect(stopped.state).toBe("stopped");
    expect(here.view().queue).toMatchObject({ held: true, reason: "stopped" });
    expect(here.state(queued)).toBe("queued");
    here.world.engine.core.release(here.ref);
    await here.reaches(queued, "done");
  });

  test("held by hand lets not even a waiting send pass", async () => {
    here.world.engine.core.hold(here.ref);
    const queued = await here.send("next", { mode: "queue" });
    const reason = here.world.store.lanes.get(here.ref).hold_reason;
    expect([queued.state, reason]).toEqual(["queued", "by_hand"]);
  });

  test("can be reordered and cancelled while it waits, and only then", async () => {
    await busy();
    const { core } = here.world.engine;
    const [one, two, three] = [
      await here.send("1", { mode: "queue" }),
      await here.send("2", { mode: "queue" }),
      await here.send("3", { mode: "queue" }),
    ];
    expect(core.move(three.receipt, 1).place).toBe(1);
    core.cancel(two.receipt);
    expect(core.queue(here.ref, null, 10).messages.map((message) => message.preview)).toEqual(["3", "1"]);
    here.world.agent.release("go");
    await here.reaches(one, "done");
    expect(() => core.cancel(one.receipt)).toThrow("only what waits");
  });
});

describe("a steer", () => {
  test("goes into the running turn and is proven by its item", async () => {
    await busy();
    const steer = await here.send("also this", { mode: "steer" });
    await here.reaches(steer, "delivered");
    here.world.agent.release("go");
    await here.reaches(steer, "done");
    expect(here.world.engine.core.receipt(steer.receipt)).toMatchObject({
      joined: true,
      outcome: "completed",
    });
  });

  test("with nothing running is a conflict, or queued when that was asked for", async () => {
    expect((await refusal(here.send("x", { mode: "steer" }))).code).toBe("conflict");
    await here.reaches(await here.send("x", { mode: "steer", or_queue: true }), "done");
  });

  test("that its turn never took is failed: not taken, never unsure", async () => {
    await busy();
    here.world.agent.refuseNext("steerTurn", "no_active_turn");
    const steer = await here.send("too late", { mode: "steer" });
    expect(here.world.engine.core.receipt(steer.receipt)).toMatchObject({
      state: "failed",
      error: { code: "conflict" },
    });
    expect(here.world.agent.asked).not.toContain("too late");
  });
});

describe("context and interjection", () => {
  test("context starts no turn and is done with Codex's answer", async () => {
    const receipt = await here.send("by the way", { mode: "context" });
    expect(receipt).toMatchObject({ state: "done", outcome: null });
    expect(here.view().latest_turn).toBeNull();
  });

  test("an interjection cuts only that turn, holds nothing, and goes ahead of the queue", async () => {
    await busy();
    const queued = await here.send("queued", { mode: "queue" });
    const urgent = await here.send("urgent", { mode: "interject" });
    await here.reaches(urgent, "done");
    await here.reaches(queued, "done");
    expect(here.world.agent.asked.slice(1)).toEqual(["urgent", "queued"]);
    expect(here.kinds()).not.toContain("queue.held");
  });
});

describe("after Codex died", () => {
  test("a message that was not taken is sent again, once, and the receipt counts the attempts", async () => {
    here.world.agent.beforeNext("startTurn", () => here.world.agent.kill());
    const sending = here.send("hello");
    await until("the kill", () => here.world.agent.status().state !== "running");
    here.world.agent.up();
    const receipt = await sending;
    await here.reaches(receipt, "done");
    expect(here.world.agent.asked).toEqual(["hello"]);
    expect(here.world.engine.core.receipt(receipt.receipt).attempt).toBe(2);
  });

  test("a delivered message is never sent again: its turn is interrupted, and the queue is held", async () => {
    const receipt = await here.send(waiting);
    await here.reaches(receipt, "delivered");
    const queued = await here.send("next", { mode: "queue" });
    here.world.agent.kill();
    expect(here.view()).toMatchObject({ status: "unknown", confidence: "stale" });
    here.world.agent.up();
    await here.reaches(receipt, "done");
    expect(here.world.engine.core.receipt(receipt.receipt).outcome).toBe("interrupted");
    expect(here.view().queue).toMatchObject({ held: true, reason: "crashed" });
    expect(here.state(queued)).toBe("queued");
    expect(here.world.agent.asked).toEqual([waiting]);
  });

  test("the thread is resumed with the settings it was started with", async () => {
    here.world.agent.kill();
    here.world.agent.up();
    await here.reaches(await here.send("hello"), "done");
    expect([...here.world.agent.threads.values()][0]!.settings.sandbox).toBe("read-only");
  });

  test("settings that came back different send nothing and hold the thread", async () => {
    here.world.agent.kill();
    here.world.agent.up();
    here.world.agent.ignoreSettingsOfNextResume();
    const error = await refusal(here.send("hello"));
    expect(error.code).toBe("conflict");
    expect(error.message).toContain("sandbox: read-only -> danger-full-access");
    expect(here.view().queue.reason).toBe("settings_differ");
    expect(here.world.agent.asked).toEqual([]);
  });
});

describe("what no event reports is found by reading", () => {
  test("a lost end of a turn", async () => {
    here.world.agent.swallow("turn_completed");
    const receipt = await here.send("hello");
    await until("its work is done", () => here.world.agent.asked.length === 1);
    expect(here.view().status).not.toBe("idle");
    await here.clock.advance(limits.thread.turnSilentMs + limits.loop.everyMs * 2);
    await here.reaches(receipt, "done");
    expect(here.view().status).toBe("idle");
  });

  test("a child that answers and shows nothing for a minute: unsure, held, and never resent", async () => {
    here.world.agent.loseNextAnswer("startTurn");
    here.world.agent.loseNextTurn();
    const sending = here.send("hello");
    await until("claimed", () => here.world.store.messages.list({ limit: 1 })[0]?.state === "claimed");
    await here.clock.advance(limits.message.sendAnswerMs);
    const receipt = await sending;
    await here.clock.advance(limits.message.proofTimeoutMs + limits.loop.everyMs * 2);
    await here.reaches(receipt, "unsure");
    expect(here.view().queue.reason).toBe("unsure");
    expect(here.world.engine.core.resolveUnsure(receipt.receipt, "resend", "me").state).toBe("queued");
    await here.reaches(receipt, "done");
    expect(here.view().queue.held).toBe(false);
  });

  test("a silent turn that is healthy is looked at and left alone", async () => {
    await busy();
    await here.clock.advance(10 * 60_000);
    expect(here.view()).toMatchObject({ status: "busy", confidence: "live" });
  });
});

test("an idle thread is given back, and opened again when it is needed", async () => {
  await here.reaches(await here.send("hello"), "done");
  await here.clock.advance(limits.thread.idleUnloadMs + limits.loop.everyMs * 2);
  const thread = [...here.world.agent.threads.values()][0]!;
  await until("it is unloaded", () => !thread.isLoaded && here.view().confidence === "stale");
  expect(here.view().status).toBe("idle");
  await here.reaches(await here.send("again"), "done");
});

describe("a text that waits is answered when it is on disk", () => {
  // A context waits for Codex before it is stored, so its key is found only then.
  test.each(["queue", "context"] as const)(
    "%s: not before, also when its key comes again meanwhile",
    async (mode) => {
      if (mode === "queue") await busy();
      const disk = Promise.withResolvers<void>();
      here.world.store.synced = () => disk.promise;
      const answered: string[] = [];
      const send = async () => {
        answered.push((await here.send("next", { mode, key: "k" })).receipt);
      };
      const both = [send(), send()];
      await until("it is stored", () => here.world.store.messages.findByKey("k") !== undefined);
      await new Promise((resolve) => setImmediate(resolve));
      expect(answered).toEqual([]);
      disk.resolve();
      await Promise.all(both);
      expect(new Set(answered).size).toBe(1);
    },
  );

  test("a disk that does not confirm it makes it unsure, and the key finds it", async () => {
    await busy();
    const { synced } = here.world.store;
    here.world.store.synced = () => Promise.reject(new DispatchError("storage", "the disk failed"));
    expect(await refusal(here.send("next", { mode: "queue", key: "k" }))).toMatchObject({
      code: "unsure",
      hint: expect.stringContaining("--idempotency-key k"),
    });
    here.world.store.synced = synced;
    expect((await here.send("next", { mode: "queue", key: "k" })).state).toBe("queued");
    expect(here.view().queue.pending).toBe(1);
  });

  test("an interjection that is stored cuts the turn all the same", async () => {
    await busy();
    const { synced } = here.world.store;
    here.world.store.synced = () => Promise.reject(new DispatchError("storage", "the disk failed"));
    expect((await refusal(here.send("stop that", { mode: "interject", key: "k" }))).code).toBe("unsure");
    here.world.store.synced = synced;
    await here.reaches(await here.send("stop that", { mode: "interject", key: "k" }), "done");
    expect(here.kinds()).toContain("turn.interrupted");
  });
});
