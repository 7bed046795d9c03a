import { expect, test } from "bun:test";
import { systemClock } from "../../../src/base/clock.ts";
import { DispatchError } from "../../../src/base/error.ts";
import { faultLog } from "../../../src/base/faults.ts";
import { limits } from "../../../src/base/limits.ts";
import status from "../../../src/ops/daemon/status.ts";
import { memoryLog } from "../../daemon/rig.ts";
import { refusal, rig } from "../rig.ts";

test("while the disk refuses what is written, status says so, in its words; the next that it takes ends that", async () => {
  const { world, send } = await rig();
  const degraded = async () => (await status.run({}, world.ctx()))["degraded"];
  const { tx } = world.store;
  world.store.tx = () => {
    throw new DispatchError("storage", "writing: the disk is full");
  };
  expect((await refusal(send("hello", { mode: "queue" }))).code).toBe("storage");
  expect(await degraded()).toMatchObject([
    { code: "storage", message: "nothing new can be stored, reads still work: writing: the disk is full" },
  ]);
  world.store.tx = tx;
  await send("hello", { mode: "queue" });
  expect(await degraded()).toEqual([]);
});

test("an effect after a commit may fail: the commit is reported as done, and the other effects run", async () => {
  const log = faultLog(memoryLog(), systemClock);
  const { world, ref } = await rig({ log });
  const done: string[] = [];
  const seq = world.store.log.last();
  const grown = world.journal.grown(seq);
  const title = world.journal.commit((change) => {
    change.append({ kind: "thread.gone", lane: ref });
    change.after(() => {
      throw new Error("the first effect is broken");
    });
    change.after(() => void done.push("second"));
    return "told";
  });
  expect(title).toBe("told");
  expect(done).toEqual(["second"]);
  await grown;
  expect(log.faults()).toMatchObject([
    { what: "an effect after a commit failed", why: "the first effect is broken" },
  ]);
});

test("a disk that fills up behind an accepted message costs it time, and no timer throws", async () => {
  const releaseAfter: "failed"[] = [];
  const { world, send, reaches, clock } = await rig({ policy: { releaseAfter } });
  await reaches(await send('[{"fail":"no luck"}]'), "done");
  // The hold is to be released by the next message that is queued.
  releaseAfter.push("failed");
  const { tx } = world.store;
  let writes = 0;
  world.store.tx = (fn, how) => {
    writes++;
    if (writes > 1 && writes < 5) throw new DispatchError("storage", "writing: the disk is full");
    return tx(fn, how);
  };
  const receipt = await send("accepted", { mode: "queue" });
  expect(writes).toBeGreaterThan(1);
  for (let n = 0; n < 10; n++) await clock.advance(5000);
  await reaches(receipt, "done");
  expect(world.store.messages.list({ limit: 10 }).filter(({ text }) => text === "accepted")).toHaveLength(1);
});

test("events that may wait are dropped when the disk refuses them, so that they fill no memory", async () => {
  const { world, clock, kinds } = await rig();
  const audit = { caller: "cli", op: "thread.list", lane: null, receipt: null, outcome: "ok" };
  const { tx } = world.store;
  world.store.tx = () => {
    throw new DispatchError("storage", "writing: the disk is full");
  };
  for (let n = 0; n < 3; n++) {
    world.engine.audit(audit);
    await clock.advance(limits.event.laterMs);
  }
  world.store.tx = tx;
  world.engine.audit(audit);
  await clock.advance(limits.event.laterMs);
  expect(kinds().filter((kind) => kind === "op.called")).toHaveLength(1);
});

test("changes of one moment share a transaction, and one that fails leaves the others", async () => {
  const { world, ref } = await rig();
  const { tx } = world.store;
  let transactions = 0;
  world.store.tx = (fn, how) => {
    transactions++;
    return tx(fn, how);
  };
  const { journal, store } = world;
  const named = (title: string) =>
    journal.noteShared(() => {
      if (title === "bad") throw new Error("no");
      store.lanes.set(ref, { title });
      return title;
    });
  expect(await Promise.all([named("a"), named("b"), named("c")])).toEqual(["a", "b", "c"]);
  expect(transactions).toBe(1);
  const mixed = await Promise.allSettled([named("d"), named("bad"), named("e")]);
  expect(mixed.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(store.lanes.get(ref).title).toBe("e");
});
