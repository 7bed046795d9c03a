/**
 * What Codex makes and answers late, or not at all before somebody is killed: afterwards Codex holds no thread, no
 * goal and no queued text that the registry does not know, and none twice.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { type FaultRig, faultRig, until } from "../support/fault.ts";
import { historyIn } from "../support/fault-history.ts";
import { type Faults, proxyCodex, type Unruly } from "../support/fault-proxy.ts";
import { slowServer } from "../support/slow-servers.ts";

setDefaultTimeout(150_000);

interface Day extends FaultRig {
  be: Unruly["be"];
}

function unruly(name: string, act: (rig: Day) => Promise<void>): void {
  test.concurrent(name, async () => {
    const proxy = proxyCodex();
    const rig = faultRig({ env: { DISPATCH_CODEX: proxy.path } });
    try {
      await act({ ...rig, be: proxy.be });
    } finally {
      await rig.dispose();
      proxy.cleanup();
    }
  });
}

/** Every thread in Codex's files is a thread of the registry, and the other way round. */
async function sameThreads(rig: FaultRig): Promise<void> {
  const known = rig.registry.lanes().flatMap(({ thread_id }) => (thread_id === null ? [] : [thread_id]));
  await rig.ask(["down", "--force"]);
  const { stored } = await historyIn(rig.codex.env, rig.codex.home);
  expect([...stored].toSorted()).toEqual(known.toSorted());
}

/** Killed, and the next one is up. */
async function anotherCodex(rig: FaultRig): Promise<void> {
  const before = rig.registry.child()?.id;
  rig.kill(rig.child());
  await until("another Codex", () => {
    const now = rig.registry.child();
    return now !== undefined && now.id !== before && now.up_at !== null;
  });
}

const isReady = (rig: FaultRig, ref: string) =>
  until("it is ready", async () => (await rig.ask(["get", ref])).setup === null, 60_000);

const lateBy = 13_000;

unruly("answers that come 13 s late: one thread with its name, its goal and its text", async (rig) => {
  const methods = ["thread/start", "thread/name/set", "thread/goal/set"];
  rig.be({ late: { methods, ms: lateBy } } satisfies Faults);
  const { ref, receipt } = await rig.must("thread.new", {
    name: "docs",
    cwd: rig.codex.cwd,
    text: "hello",
    goal: "ship it",
    idempotency_key: "once",
  });
  await isReady(rig, ref);
  rig.be({});
  await rig.must("thread.wait", { threads: [receipt], timeout: 60 });
  await sameThreads(rig);
  const { texts, listed } = await historyIn(rig.codex.env, rig.codex.home);
  expect([...texts.values()].flat().filter((id) => id === receipt)).toEqual([receipt]);
  expect(listed).toMatchObject([{ name: "docs" }]);
});

unruly("a fork and a goal that are answered 13 s late are made once, and told as made", async (rig) => {
  const { ref } = await rig.thread("docs", "hello");
  rig.be({ late: { methods: ["thread/fork", "thread/goal/set"], ms: lateBy } });
  const [fork, goal] = await Promise.all([
    rig.must("thread.fork", { thread: ref, name: "copy" }),
    rig.must("thread.new", { name: "other", cwd: rig.codex.cwd }).then(async (other) => {
      const set = { thread: other.ref, objective: "ship it", status: "paused" };
      return rig.must("goal.set", set);
    }),
  ]);
  expect(fork).toMatchObject({ title: "copy", setup: null });
  expect(goal).toMatchObject({ goal: { objective: "ship it", status: "paused" } });
  await sameThreads(rig);
});

for (const victim of ["Codex", "daemon"] as const) {
  const killed = (rig: FaultRig) => rig.kill(victim === "Codex" ? rig.child() : rig.daemon());

  unruly(`a fork whose answer is lost with the ${victim} is found again`, async (rig) => {
    const { ref } = await rig.thread("docs", "hello");
    rig.be({ mute: ["thread/fork"] });
    const forking = rig.once("thread.fork", { thread: ref, name: "copy" });
    await until("it is on disk", async () => {
      const { threads } = await rig.must("thread.list", { unmanaged: true });
      return threads.length === 1;
    });
    rig.be({});
    expect(killed(rig)).toBe(true);
    await forking;
    const copy = await until("its lane", () => rig.registry.lanes().find(({ ref: one }) => one !== ref));
    await isReady(rig, copy.ref);
    await sameThreads(rig);
  });

  unruly(
    `a ${victim} killed while a server starts: the thread is made once, the fork is there or not`,
    async (rig) => {
      const { ref } = await rig.thread("docs", "hello");
      const slow = slowServer(6000);
      try {
        const file = Bun.file(`${rig.codex.home}/config.toml`);
        await Bun.write(file, (await file.text()) + slow.config);
        await anotherCodex(rig);
        const input = { name: "new", cwd: rig.codex.cwd, text: "hello", idempotency_key: "once" };
        const making = rig.tell("thread.new", input);
        const forking = rig.once("thread.fork", { thread: ref, name: "copy" });
        await until("both servers start", () => slow.started() >= 2);
        expect(killed(rig)).toBe(true);
        await Promise.all([making, forking]);
        const { receipt } = await rig.must("thread.new", input);
        await rig.must("thread.wait", { threads: [receipt], timeout: 60 });
        await until(
          "all is settled",
          () => rig.registry.lanes().every(({ setup }) => setup === "ready"),
          30_000,
        );
        await sameThreads(rig);
      } finally {
        slow.cleanup();
      }
    },
  );
}

unruly("a send that Codex is killed under before it was accepted says that it was not", async (rig) => {
  const { ref } = await rig.thread("docs", "hello");
  await anotherCodex(rig);
  rig.be({ drop: ["thread/resume"] });
  const sending = rig.once("message.send", { thread: ref, text: "again" });
  // The resume is on its way once Codex was asked for the goal; then nothing more comes.
  await Bun.sleep(1500);
  rig.be({});
  rig.kill(rig.child());
  expect(await sending).toMatchObject({ error: { code: "agent_down", data: { outcome: "not_sent" } } });
  expect(rig.registry.messages().filter(({ state }) => state !== "done")).toEqual([]);
});
