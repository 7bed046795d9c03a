/**
 * Codex's bad days: the real one, behind a proxy that garbles, withholds and lies. Whatever it does, what was accepted
 * is delivered once or its receipt says why not, and the daemon never goes down with it.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type FaultRig, faultRig, until } from "../support/fault.ts";
import { type Faults, proxyCodex, type Unruly } from "../support/fault-proxy.ts";
import { stringify } from "../support/provider-script.ts";

setDefaultTimeout(120_000);

interface Day extends FaultRig {
  be: Unruly["be"];
  ref: string;
}

/** A daemon with one thread that had one good turn. */
async function day(): Promise<Day> {
  const proxy = proxyCodex();
  const rig = faultRig({ env: { DISPATCH_CODEX: proxy.path } });
  try {
    const { ref } = await rig.thread("docs", "hello");
    return {
      ...rig,
      ref,
      be: proxy.be,
      async dispose() {
        await rig.dispose();
        proxy.cleanup();
      },
    };
  } catch (thrown) {
    await rig.dispose();
    proxy.cleanup();
    throw thrown;
  }
}

const send = (rig: Day, text: string, more: Record<string, unknown> = {}) =>
  rig.must("message.send", { thread: rig.ref, text, ...more });

const waited = (rig: Day, receipt: string) =>
  rig
    .must("thread.wait", { threads: [receipt], timeout: 90 })
    .then(() => rig.must("receipt.get", { id: receipt }));

/** How often this text stands in the thread, by its own history. */
async function stands(rig: Day, text: string): Promise<number> {
  const { items } = await rig.must("thread.tail", { thread: rig.ref, limit: 1000, full: true });
  return items.filter(
    (item: { type: string; text: string }) => item.type === "user_message" && item.text === text,
  ).length;
}

describe("what Codex says", () => {
  let rig: Day;
  beforeAll(async () => {
    rig = await day();
  });
  afterAll(() => rig.dispose());

  const cases: [name: string, faults: Faults][] = [
    ["garbage on its stdout", { noise: "garbage" }],
    ["a line of 40 MiB", { noise: "huge" }],
    ["a flood of 20,000 notifications", { noise: "flood" }],
    ["lines in pieces", { chop: true }],
    ["answers out of order", { backwards: 3 }],
    ["no turn/started", { swallow: ["turn/started"] }],
    ["no turn/completed, only an idle thread", { swallow: ["turn/completed"] }],
    ["no answer to turn/start", { mute: ["turn/start"] }],
    [
      "two refusals for overload",
      {
        instead: {
          method: "turn/start",
          times: 2,
          error: { code: -32001, message: "Server overloaded; retry later." },
        },
      },
    ],
  ];
  test.each(cases)("%s costs no message and no daemon", async (name, faults) => {
    const { daemon, child } = await rig.pids();
    rig.be(faults);
    const { receipt } = await send(rig, name);
    // Many answers are under way at once, for those faults that need it.
    const reads = Array.from({ length: 12 }, () => stands(rig, name));
    const told = await waited(rig, receipt);
    await Promise.all(reads);
    rig.be({});
    expect(told).toMatchObject({ state: "done", outcome: "completed" });
    expect(await stands(rig, name)).toBe(1);
    await send(rig, `after ${name}`, { wait: true });
    expect(await rig.pids()).toEqual({ daemon, child });
    if (faults.noise) await heard(faults.noise);
  });

  /** The noise was really made, and really read. */
  async function heard(noise: string): Promise<void> {
    const { child } = await rig.must("daemon.status");
    if (noise === "garbage") expect(child.garbage_lines).toBeGreaterThan(5);
    else if (noise === "huge")
      expect(await Bun.file(`${rig.home}/daemon.log`).text()).toContain("over the limit");
    else expect(await rig.must("thread.get", { thread: rig.ref })).toMatchObject({ title: "flood" });
  }
});

test("a crash loop opens the circuit: reads work, the queue accepts, and a retry closes it", async () => {
  const rig = await day();
  try {
    rig.be({ crash: "Error: the disk of my dreams is gone" });
    rig.kill(rig.child());
    const { degraded, child } = await until("the circuit opens", async () => {
      const status = await rig.must("daemon.status");
      return status.child.state === "degraded" && status;
    });
    expect(child.last_error).toContain("the disk of my dreams is gone");
    expect(degraded).toEqual([expect.objectContaining({ code: "agent_down", hint: expect.any(String) })]);
    expect((await rig.must("thread.get", { thread: rig.ref })).latest_turn.status).toBe("completed");
    expect((await rig.refused(["send", rig.ref, "now"])).code).toBe("agent_down");
    const { receipt, state } = await send(rig, "later", { queue: true });
    expect(state).toBe("queued");
    rig.be({});
    await rig.ask(["daemon", "retry"]);
    expect(await waited(rig, receipt)).toMatchObject({ state: "done", outcome: "completed", attempt: 1 });
    expect((await rig.must("daemon.status")).degraded).toEqual([]);
  } finally {
    await rig.dispose();
  }
});

test("kill -9 in the middle of a turn is recovered from within 15 s", async () => {
  const rig = await day();
  try {
    const took: number[] = [];
    for (let time = 0; time < 3; time++) {
      await send(rig, stringify([{ wait: `cut ${time}` }]));
      await rig.provider.reached(`cut ${time}`);
      const from = Date.now();
      rig.kill(rig.child());
      const { receipt } = await send(rig, `after ${time}`, { queue: true });
      await until("the crash is known", () => rig.registry.lanes()[0]?.hold_reason === "crashed");
      await rig.must("queue.release", { thread: rig.ref });
      expect(await waited(rig, receipt)).toMatchObject({ state: "done", outcome: "completed" });
      took.push(Date.now() - from);
    }
    await Bun.write(Bun.stdout, `kill -9 to the next answer: ${took.join(", ")} ms\n`);
    expect(Math.max(...took)).toBeLessThan(15_000);
  } finally {
    await rig.dispose();
  }
});
