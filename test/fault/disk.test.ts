/** A disk that is full, and one that is read-only, under a registry that is written to: refused before any promise. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type FaultRig, faultRig, until } from "../support/fault.ts";
import { type Disk, smallDisk } from "../support/fault-disk.ts";
import { historyIn } from "../support/fault-history.ts";
import { stringify } from "../support/provider-script.ts";

setDefaultTimeout(120_000);

const probe = process.platform === "linux" ? smallDisk() : undefined;
probe?.unmount();
if (!probe) await Bun.write(Bun.stdout, "no test of a full disk: this user may not mount a tmpfs\n");

/** A product whose registry, and nothing else, stands on a small disk. */
async function onSmallDisk(act: (rig: FaultRig, disk: Disk) => Promise<void>): Promise<void> {
  const disk = smallDisk()!;
  const folder = join(disk.path, "registry");
  mkdirSync(folder, { mode: 0o700 });
  const rig = faultRig({ env: { DISPATCH_DB: join(folder, "registry.db") } });
  try {
    await act(rig, disk);
  } finally {
    disk.free();
    await rig.dispose();
    disk.unmount();
  }
}

const big = "x".repeat(20_000);

/** Queues until the disk is full, which the registry's own slack delays; answers what was accepted and refused. */
async function queueUntilFull(rig: FaultRig, ref: string): Promise<{ accepted: string[]; refused: string }> {
  const accepted: string[] = [];
  for (let at = 0; at < 1000; at++) {
    const key = `full-${at}`;
    const input = { thread: ref, text: `${at} ${big}`, queue: true, idempotency_key: key };
    const told = await rig.tell("message.send", input);
    if ("result" in told) accepted.push(told.result.receipt);
    else {
      expect(told.error).toMatchObject({ code: "storage", retry: "later", hint: expect.any(String) });
      return { accepted, refused: key };
    }
  }
  throw new Error("the disk was never full");
}

test.skipIf(!probe)("a full disk: refused before any receipt, and well again by itself", () =>
  onSmallDisk(async (rig, disk) => {
    const { ref } = await rig.thread("docs", "hello");
    const slow = stringify([{ wait: "full" }, { say: "told while nobody could write", delta_ms: 20 }]);
    const { receipt: running } = await rig.must("message.send", { thread: ref, text: slow });
    await rig.provider.reached("full");
    disk.fill();
    const { accepted, refused } = await queueUntilFull(rig, ref);
    const before = await rig.pids();

    const plain = await rig.refused(["send", ref, big, "--queue", "--idempotency-key", "by-hand"]);
    expect(plain).toMatchObject({ code: "storage", message: expect.stringContaining("full") });
    expect((await rig.refused(["new", "--name", "no room", "--text", big])).code).toBe("storage");
    expect((await rig.ask(["list"])).threads).toHaveLength(1);
    // Codex goes on meanwhile, and is listened to, though nothing of it can be kept.
    rig.provider.release("full");
    await until("Codex has said all", async () => {
      const { items } = await rig.must("thread.tail", { thread: ref });
      return items.some(({ text }: { text: string }) => text === "told while nobody could write");
    });
    expect((await rig.ask(["get", ref])).latest_turn.status).toBe("in_progress");
    const keys = rig.registry.messages().map(({ key }) => key);
    expect(keys).not.toContain(refused);
    expect(keys).not.toContain("by-hand");

    disk.free();
    const from = Date.now();
    await until(
      "the turn that ended meanwhile is known to have",
      () => rig.registry.messages().find(({ id }) => id === running)?.state === "done",
      60_000,
    );
    await Bun.write(
      Bun.stdout,
      `a turn that ended on a full disk: settled ${Date.now() - from} ms after there was room\n`,
    );
    const again = { thread: ref, text: `again ${big}`, queue: true, idempotency_key: refused };
    const { receipt } = await rig.must("message.send", again);
    await until(
      "all is delivered",
      () => rig.registry.messages().every(({ state }) => state === "done"),
      60_000,
    );
    await Bun.write(
      Bun.stdout,
      `${accepted.length} accepted on a full disk; the rest settled ${Date.now() - from} ms after\n`,
    );
    expect(await rig.pids()).toEqual(before);
    expect(await rig.must("thread.get", { thread: ref })).toMatchObject({
      status: "idle",
      queue: { held: false },
    });
    const sent = rig.registry.messages().map(({ id }) => id);
    await rig.ask(["down"]);
    const [texts] = [...(await historyIn(rig.codex.env, rig.codex.home)).texts.values()];
    expect(texts).toEqual(sent);
    expect(texts).toContain(running);
    expect(texts!.slice(-accepted.length - 1)).toEqual([...accepted, receipt]);
  }),
);

test.skipIf(!probe)(
  "a Codex that dies while the disk is full is replaced once there is room, and nothing is doubled",
  () =>
    onSmallDisk(async (rig, disk) => {
      const { ref } = await rig.thread("docs", "hello");
      await rig.must("message.send", { thread: ref, text: stringify([{ wait: "cut" }]) });
      await rig.provider.reached("cut");
      disk.fill();
      const { accepted } = await queueUntilFull(rig, ref);
      rig.kill(rig.child());
      await until("it is missed", async () => (await rig.must("daemon.status")).child.state !== "running");
      disk.free();
      await until(
        "another is up",
        async () => (await rig.must("daemon.status")).child.state === "running",
        40_000,
      );
      await until(
        "the crash is known",
        async () => (await rig.must("thread.get", { thread: ref })).queue.held,
      );
      await rig.must("queue.release", { thread: ref });
      await until(
        "all is delivered",
        () => rig.registry.messages().every(({ state }) => state === "done"),
        60_000,
      );
      expect(rig.registry.epochs().filter(({ ended_at }) => ended_at === null)).toHaveLength(1);
      const sent = rig.registry.messages().map(({ id }) => id);
      await rig.ask(["down"]);
      const [texts] = [...(await historyIn(rig.codex.env, rig.codex.home)).texts.values()];
      expect(texts).toEqual(sent);
      expect(texts).toEqual(expect.arrayContaining(accepted));
    }),
);

test.skipIf(!probe)("a registry that cannot be written to: no daemon, the reason, and no harm", () =>
  onSmallDisk(async (rig, disk) => {
    const { ref } = await rig.thread("docs", "hello");
    await rig.ask(["down"]);
    disk.readOnly(true);
    const error = await rig.refused(["up"]);
    expect(error).toMatchObject({ code: "storage", message: expect.stringMatching(/read-only|opened/) });
    disk.readOnly(false);
    await rig.ask(["up"]);
    expect(await rig.must("message.send", { thread: ref, text: "on", wait: true })).toMatchObject({
      verdict: "ok",
    });
  }),
);

test.skipIf(!probe)("a question that Codex asks while the disk is full is seen once there is room", () =>
  onSmallDisk(async (rig, disk) => {
    const careful = ["--sandbox", "read-only", "--approval-policy", "on-request"];
    const { ref } = await rig.thread("docs", "hello", careful);
    const asking = stringify([{ wait: "full" }, { shell: "true", escalate: "why not" }]);
    await rig.must("message.send", { thread: ref, text: asking });
    await rig.provider.reached("full");
    disk.fill();
    await queueUntilFull(rig, ref);
    rig.provider.release("full");
    await until("it was not stored", async () =>
      (await Bun.file(join(rig.home, "daemon.log")).text()).includes("could not be stored"),
    );
    await Bun.sleep(500);
    disk.free();
    const from = Date.now();
    const [request] = await until(
      "the question",
      async () => {
        const { requests } = await rig.must("thread.get", { thread: ref });
        return requests.length > 0 && requests;
      },
      60_000,
    );
    await Bun.write(
      Bun.stdout,
      `a question asked on a full disk: seen ${Date.now() - from} ms after there was room\n`,
    );
    await rig.ask(["request", "answer", request.id, "--deny"]);
    await rig.must("thread.wait", { threads: [ref], timeout: 20 });
  }),
);
