/** Pools: one message, one thread, on one machine. */
import { describe, expect, test } from "bun:test";
import { until } from "../../support/codex-sink.ts";
import { broker, relayAs } from "../../world/relay.ts";
import { macrotasks } from "../rig.ts";
import { heard, machine, reaches, send } from "./rig.ts";

describe("a pool", () => {
  const pools = { gpu: { cwd: "/repo", presets: [], atOnce: 1 } };

  test("a message that two machines were given is a thread on one of them", async () => {
    let isLost = true;
    const shared = broker({ loses: (what) => isLost && what === "ack" });
    const workers = ["one", "two"].map((name) => machine(shared, relayAs(name, pools)));
    const desk = machine(shared, relayAs("desk"));
    const { receipt } = await send(desk, "queue@gpu");
    await until("one has it", () => workers.some((world) => heard(world).length > 0));
    // The one that has it is cut off, so the stream gives it to the other one.
    shared.cut(heard(workers[0]!).length > 0 ? "one" : "two");
    for (let at = 0; at < 5; at++) {
      shared.giveAgain();
      await macrotasks(20);
    }
    isLost = false;
    shared.giveAgain();
    await until("the stream has nothing more", () => shared.waiting() === 0);
    expect(workers.flatMap(heard)).toEqual(["hello"]);
    await reaches(desk, receipt, "done");
  });

  test("a claim whose answer was lost is asked for again, and is still this machine's", async () => {
    let lost = 2;
    const shared = broker({ loses: (what) => what === "claim" && lost-- > 0 });
    const worker = machine(shared, relayAs("one", pools));
    const desk = machine(shared, relayAs("desk"));
    const { receipt } = await send(desk, "queue@gpu");
    await reaches(desk, receipt, "done");
    expect(heard(worker)).toEqual(["hello"]);
  });

  test("a machine takes no more than it may work on", async () => {
    const shared = broker();
    const worker = machine(shared, relayAs("one", pools));
    const desk = machine(shared, relayAs("desk"));
    const waiting = '[{"wait":"go"},{"say":"released"}]';
    const first = await send(desk, "queue@gpu", { text: waiting });
    await send(desk, "queue@gpu", { text: "second" });
    await reaches(desk, first.receipt, "delivered");
    expect(shared.waiting()).toBe(1);
    expect(worker.store.relay.countOpen("gpu")).toBe(1);
    worker.agent.release("go");
    await until("the second one is taken", () => heard(worker).includes("second"));
  });

  test("one that was claimed and has no thread yet gets it from the next daemon", async () => {
    const shared = broker();
    const settings = relayAs("one", pools);
    const first = machine(shared, settings);
    first.agent.kill();
    const desk = machine(shared, relayAs("desk"));
    const { receipt } = await send(desk, "queue@gpu");
    await until("it is won", () => first.store.relay.findArrived(receipt)?.state === "won");
    first.abandon();
    shared.cut("one");
    const next = machine(shared, settings, { store: first.store });
    await until("its thread has it", () => heard(next).length === 1);
    await reaches(desk, receipt, "done");
  });
});
