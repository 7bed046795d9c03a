/** Faults that only time settles, side by side, each in a product of its own: together they last as long as the longest. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { identityOf } from "../../src/base/identity.ts";
import { fakeCodex } from "../support/codex-fake.ts";
import { type FaultRig, faultRig, until } from "../support/fault.ts";
import { type Faults, proxyCodex, type Unruly } from "../support/fault-proxy.ts";
import { stringify } from "../support/provider-script.ts";

setDefaultTimeout(150_000);

interface Day extends FaultRig {
  be: Unruly["be"];
  ref: string;
}

/** With one thread that had one good turn. */
function slowly(name: string, act: (rig: Day) => Promise<void>, flags: string[] = [], config?: string): void {
  test.concurrent(name, async () => {
    const proxy = proxyCodex();
    const rig = faultRig({ env: { DISPATCH_CODEX: proxy.path }, ...(config ? { config } : {}) });
    try {
      const { ref } = await rig.thread("docs", "hello", flags);
      await act({ ...rig, ref, be: proxy.be });
    } finally {
      await rig.dispose();
      proxy.cleanup();
    }
  });
}

const send = (rig: Day, text: string, more: Record<string, unknown> = {}) =>
  rig.must("message.send", { thread: rig.ref, text, ...more });
const view = (rig: Day) => rig.must("thread.get", { thread: rig.ref });
const settled = async (rig: Day, receipt: string) => {
  await rig.must("thread.wait", { threads: [receipt], timeout: 100 });
  return rig.must("receipt.get", { id: receipt });
};

slowly("a Codex that hangs is replaced within 45 s, and what waited is delivered once", async (rig) => {
  const { daemon, child } = await rig.pids();
  const from = Date.now();
  process.kill(-rig.child()!.group, "SIGSTOP");
  const { receipt } = await send(rig, "are you there", { queue: true });
  // One attempt or two: the hang met the question whether it is idle, or the text itself.
  expect(await settled(rig, receipt)).toMatchObject({ state: "done", outcome: "completed" });
  const { items } = (await rig.must("thread.tail", { thread: rig.ref })) as { items: { text: string }[] };
  expect(items.filter((item) => item.text === "are you there")).toHaveLength(1);
  const ms = Date.now() - from;
  await Bun.write(Bun.stdout, `SIGSTOP to the answer: ${ms} ms\n`);
  expect(ms).toBeLessThan(45_000);
  const now = await rig.pids();
  expect(now.daemon).toBe(daemon);
  expect(now.child).not.toBe(child);
});

const lost: [name: string, faults: Faults][] = [
  ["of a turn nobody tells the end", { swallow: ["turn/completed", "thread/status/changed"] }],
  [
    "of a turn nobody tells anything",
    {
      swallow: ["turn/started", "turn/completed", "thread/status/changed", "item/started", "item/completed"],
    },
  ],
  ["no item is told, only the end of the turn", { swallow: ["item/started", "item/completed"] }],
];
for (const [name, faults] of lost) {
  slowly(`${name}: a wrong busy heals within 60 s, by reading`, async (rig) => {
    rig.be(faults);
    const { receipt } = await send(rig, "quietly");
    const from = Date.now();
    await until("it is idle", async () => (await view(rig)).status === "idle", 60_000);
    const told = await settled(rig, receipt);
    expect(told).toMatchObject({ state: "done", outcome: "completed", attempt: 1 });
    await Bun.write(Bun.stdout, `${name}: settled after ${Date.now() - from} ms\n`);
    expect(await view(rig)).toMatchObject({
      status: "idle",
      queue: { held: false },
    });
  });
}

slowly(
  "an answer that lies is unsure after a minute, holds the rest, and is settled by hand",
  async (rig) => {
    const turn = { id: "01a20000-0000-7000-8000-000000000000", items: [], status: "inProgress" };
    rig.be({ instead: { method: "turn/start", times: 1, result: { turn } } });
    const { receipt } = await send(rig, "hello again");
    const { receipt: next } = await send(rig, "and then", { queue: true });
    await until(
      "it is unsure",
      async () => (await rig.must("receipt.get", { id: receipt })).state === "unsure",
      80_000,
    );
    expect(await view(rig)).toMatchObject({
      status: "idle",
      queue: { pending: 1, held: true, reason: "unsure" },
    });
    expect((await rig.run(["wait", receipt, "--timeout", "5"])).code).toBe(13);
    await rig.ask(["receipt", "resolve", receipt, "--as", "resend"]);
    expect(await settled(rig, receipt)).toMatchObject({ state: "done", outcome: "completed", attempt: 2 });
    expect(await settled(rig, next)).toMatchObject({ state: "done", outcome: "completed", attempt: 1 });
  },
);

const patient = `[model_providers.patient]
name = "patient"
base_url = "BASE"
wire_api = "responses"
requires_openai_auth = false
stream_idle_timeout_ms = 300000
`;

slowly("a provider out of reach shows since when, and the turn ends only by hand", async (rig) => {
  await rig.provider.stop();
  const { receipt } = await send(rig, "anybody");
  const since = await until(
    "it retries",
    async () => (await view(rig)).latest_turn?.retrying_since ?? undefined,
  );
  expect(Date.parse(since)).toBeGreaterThan(Date.now() - 30_000);
  await Bun.sleep(40_000);
  expect((await view(rig)).latest_turn).toMatchObject({ status: "in_progress", retrying_since: since });
  await rig.ask(["stop", rig.ref]);
  expect(await settled(rig, receipt)).toMatchObject({ state: "done", outcome: "interrupted", attempt: 1 });
});

test.concurrent("a turn that is silent for longer than a read takes its time is left alone", async () => {
  const rig = faultRig();
  try {
    const file = Bun.file(`${rig.codex.home}/config.toml`);
    await Bun.write(file, (await file.text()) + patient.replace("BASE", rig.provider.url));
    const script = stringify([{ wait: "long" }, { say: "at last" }]);
    const { ref } = await rig.ask(["new", "--name", "docs", "--model-provider", "patient", "--text", script]);
    await rig.provider.reached("long");
    const before = await rig.pids();
    // The experiment itself: well past the 30 s after which a silent turn is looked at.
    await Bun.sleep(45_000);
    expect(await rig.must("thread.get", { thread: ref })).toMatchObject({
      status: "busy",
      latest_turn: { retrying_since: null },
    });
    rig.provider.release("long");
    expect((await rig.run(["wait", ref, "--timeout", "20"])).code).toBe(0);
    expect((await rig.ask(["get", ref])).last_message.text).toBe("at last");
    expect(await rig.pids()).toEqual(before);
  } finally {
    await rig.dispose();
  }
});

test.concurrent("a Codex that computes and never answers is shown with since when, and a retry replaces it", async () => {
  const fake = fakeCodex({ initialize: "works" });
  const rig = faultRig({ env: { DISPATCH_CODEX: fake.path } });
  try {
    await rig.ask(["up"]);
    const waits = await until("it is started", async () => {
      const { child } = await rig.ask(["daemon", "status"]);
      return child.starting_since !== null && child;
    });
    expect(waits).toMatchObject({ state: "starting", epoch: expect.any(Number) });
    expect((await rig.screen(["daemon", "status"])).text).toContain("for codex to answer initialize, since");
    await rig.ask(["daemon", "retry"]);
    await until("another one", async () => {
      const { child } = await rig.ask(["daemon", "status"]);
      return child.starting_since !== null && child.pid !== waits.pid;
    });
    expect(identityOf(waits.pid)).toBeUndefined();
    // Longer than a start that does nothing may take: this one is told in words.
    const { degraded } = await until(
      "it is degraded",
      async () => {
        const status = await rig.ask(["daemon", "status"]);
        return status.degraded.length > 0 && status;
      },
      30_000,
    );
    expect(degraded[0].message).toContain("is busy, and has not answered initialize since");
  } finally {
    await rig.dispose();
    fake.cleanup();
  }
});
