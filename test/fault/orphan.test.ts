/** A daemon that died leaves a Codex behind: it is ended before another is started, and nobody else is ever touched. */
import { describe, expect, setDefaultTimeout, spyOn, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { systemClock } from "../../src/base/clock.ts";
import { groupMembers, identityOf, isAlive, type ProcessFacts } from "../../src/base/identity.ts";
import { spawnGroup } from "../../src/base/spawn.ts";
import { endOrphans, refuseWhileOrphansLive } from "../../src/daemon/orphan.ts";
import { openStore } from "../../src/store/store.ts";
import { quietLog } from "../support/codex-sink.ts";
import { type FaultRig, faultRig, until } from "../support/fault.ts";
import { stringify } from "../support/provider-script.ts";

setDefaultTimeout(90_000);

describe("whom a new daemon ends", () => {
  /** A process that did nothing, in a group of its own. */
  async function innocent(script: string): Promise<{ facts: ProcessFacts; end(): void }> {
    const child = spawnGroup(["/bin/sh", "-c", script], { env: { PATH: process.env["PATH"] }, cwd: "/" });
    const facts = identityOf(child.pid)!;
    return {
      facts,
      end() {
        for (const pid of groupMembers(facts.group)) process.kill(pid, "SIGKILL");
      },
    };
  }

  /** What a new daemon does about this row of the registry. */
  async function met(row: ProcessFacts): Promise<number> {
    const store = openStore(":memory:", 0);
    store.epochs.open(row, 0);
    const from = performance.now();
    const ended: number[] = [];
    await endOrphans(store.epochs.unended(), (id) => void ended.push(id), systemClock, quietLog);
    expect(ended).toEqual(store.epochs.unended().map(({ id }) => id));
    return performance.now() - from;
  }

  test.each<[string, (facts: ProcessFacts) => Partial<ProcessFacts>]>([
    ["another start", () => ({ start_time: "1" })],
    ["another boot", () => ({ boot_id: "another" })],
  ])("never a process with the same pid and group but %s", async (_, forged) => {
    const { facts, end } = await innocent("exec sleep 60");
    try {
      expect(await met({ ...facts, ...forged(facts) })).toBeLessThan(1000);
      expect(isAlive(facts)).toBe(true);
    } finally {
      end();
    }
  });

  test("never anybody, when the group is gone", async () => {
    const { facts, end } = await innocent("exec sleep 60");
    end();
    await until("it is gone", () => !isAlive(facts));
    expect(await met(facts)).toBeLessThan(1000);
  });

  test("what its Codex left in the group, though Codex itself is gone", async () => {
    const { facts, end } = await innocent("sleep 60 & sleep 60 & exit 0");
    try {
      await until("the leader is gone", () => !isAlive(facts));
      expect(groupMembers(facts.group)).toHaveLength(2);
      await met(facts);
      expect(groupMembers(facts.group)).toEqual([]);
    } finally {
      end();
    }
  });

  test("and none is started beside one that cannot be ended, which is named, and tried again", async () => {
    const { facts, end } = await innocent("exec sleep 60");
    const store = openStore(":memory:", 0);
    store.epochs.open(facts, 0);
    const refuse = () => refuseWhileOrphansLive(store.epochs.unended(), systemClock);
    const kill = spyOn(process, "kill").mockImplementation(() => true);
    try {
      const refused = await refuse().catch((thrown: unknown) => thrown);
      expect(refused).toMatchObject({
        code: "agent_down",
        message: expect.stringContaining(`its process ${facts.pid} is still alive`),
      });
      kill.mockRestore();
      await refuse();
      expect(isAlive(facts)).toBe(false);
    } finally {
      kill.mockRestore();
      end();
    }
  });

  test("one that ignores TERM, by KILL", async () => {
    const { facts, end } = await innocent("trap '' TERM; while :; do sleep 1; done");
    try {
      await met(facts);
      expect(isAlive(facts)).toBe(false);
    } finally {
      end();
    }
  });
});

/** The processes whose command line holds this. */
function running(words: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => commandOf(pid).includes(words))
    .map(Number);
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    // Gone between the list and the look.
    return "";
  }
}

/** A turn of Codex's that runs a command for a long time. */
async function working(rig: FaultRig, seconds: number): Promise<{ ref: string; receipt: string }> {
  const { ref } = await rig.thread("docs", "hello");
  const text = stringify([{ shell: `sleep ${seconds}` }, { say: "woken" }]);
  const { receipt } = await rig.must("message.send", { thread: ref, text });
  await until("the command runs", () => running(`sleep ${seconds}`).length > 0);
  return { ref, receipt };
}

/** Kills the daemon, and answers what the registry and the kernel said when the old epoch was ended. */
async function succeeded(rig: FaultRig): Promise<{ ms: number; leftAtEnd: number[] }> {
  const old = rig.registry.child()!;
  const from = Date.now();
  rig.kill(rig.daemon());
  const up = rig.ask(["up"]);
  const leftAtEnd = await until("the old epoch is ended", () => {
    const now = rig.registry.epochs().find(({ id }) => id === old.id)!;
    return now.ended_at === null ? undefined : groupMembers(old.group);
  });
  await up;
  await rig.childUp();
  const [before, after] = rig.registry.epochs().slice(-2);
  expect(after!.started_at).toBeGreaterThanOrEqual(before!.ended_at!);
  return { ms: Date.now() - from, leftAtEnd };
}

test.skipIf(process.platform !== "linux")(
  "a daemon killed under a turn: the old Codex and its command end before the new one begins",
  async () => {
    const rig = faultRig();
    try {
      const seconds = 3000 + (process.pid % 1000);
      const { ref, receipt } = await working(rig, seconds);
      const { ms, leftAtEnd } = await succeeded(rig);
      await Bun.write(Bun.stdout, `kill -9 of the daemon to a new Codex: ${ms} ms\n`);
      expect(leftAtEnd).toEqual([]);
      await until("its command is gone", () => running(`sleep ${seconds}`).length === 0);
      await until(
        "the turn is settled",
        async () => (await rig.must("receipt.get", { id: receipt })).state === "done",
      );
      expect(await rig.must("receipt.get", { id: receipt })).toMatchObject({
        outcome: "interrupted",
        attempt: 1,
      });
      expect(await rig.must("thread.get", { thread: ref })).toMatchObject({
        queue: { held: true, reason: "crashed" },
      });
      expect(await rig.must("message.send", { thread: ref, text: "go on", wait: true })).toMatchObject({
        verdict: "ok",
      });
      expect(await rig.must("thread.get", { thread: ref })).toMatchObject({ queue: { held: false } });
    } finally {
      await rig.dispose();
    }
  },
);

test.skipIf(process.platform !== "linux")(
  "a Codex that hangs when its daemon dies is ended by force, and reads are answered meanwhile",
  async () => {
    const rig = faultRig();
    try {
      const { ref } = await rig.thread("docs", "hello");
      process.kill(-rig.child()!.group, "SIGSTOP");
      const next = succeeded(rig);
      await until("the new daemon reads", async () => (await rig.run(["get", ref, "--no-start"])).code === 0);
      const { receipt } = await rig.must("message.send", { thread: ref, text: "when you can", queue: true });
      const { ms, leftAtEnd } = await next;
      await Bun.write(Bun.stdout, `kill -9 of the daemon of a hung Codex to a new one: ${ms} ms\n`);
      expect(leftAtEnd).toEqual([]);
      expect(ms).toBeLessThan(15_000);
      const told = await rig.must("thread.wait", { threads: [receipt], timeout: 20 });
      expect(told).toMatchObject({ verdict: "ok" });
    } finally {
      await rig.dispose();
    }
  },
);
