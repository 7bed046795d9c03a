/** The same key is the same work: asked twice, at once, in another daemon's life, after a kill. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { dispatchRig, type Json, type Rig } from "../support/dispatch.ts";

setDefaultTimeout(60_000);

let rig: Rig;

beforeAll(async () => {
  rig = dispatchRig();
  await rig.thread("docs", "hello");
});

afterAll(() => rig.dispose());

/** How often the thread heard a text. */
async function heard(thread: string, text: string): Promise<number> {
  const { items } = await rig.ask(["tail", thread, "--limit", "500"]);
  return items.filter((item: Json) => item["type"] === "user_message" && item["text"] === text).length;
}

test("a send with a key that was used is answered with its receipt, and says nothing twice", async () => {
  const args = ["send", "@docs", "once", "--idempotency-key", "K1"];
  const first = await rig.ask([...args, "--wait"]);
  const again = await rig.ask(args);
  expect(again).toMatchObject({
    receipt: first.receipt,
    state: "done",
    outcome: "completed",
    key: "K1",
    attempt: 1,
  });
  expect(await heard("@docs", "once")).toBe(1);
});

test("ten at once with one key are one message", async () => {
  const args = ["send", "@docs", "ten at once", "--idempotency-key", "K10", "--wait"];
  const all = await Promise.all(Array.from({ length: 10 }, () => rig.run(args)));
  expect(all.map(({ code, stderr }) => ({ code, stderr }))).toEqual(Array(10).fill({ code: 0, stderr: "" }));
  expect(new Set(all.map((ran) => ran.json.receipt)).size).toBe(1);
  expect(await heard("@docs", "ten at once")).toBe(1);
});

test("new with a key that was used is the same thread and the same receipt", async () => {
  const args = ["new", "--name", "keyed", "--text", "begin", "--idempotency-key", "N1"];
  const first = await rig.ask(args);
  await rig.ask(["wait", first.ref, "--timeout", "20"]);
  const again = await rig.ask(args);
  expect([again.ref, again.id, again.receipt]).toEqual([first.ref, first.id, first.receipt]);
  expect((await rig.ask(["list"])).threads).toHaveLength(2);
  expect(await heard("@keyed", "begin")).toBe(1);
});

test("ten new at once with one key are one thread", async () => {
  const args = ["new", "--name", "crowd", "--text", "begin", "--idempotency-key", "N10"];
  const all = await Promise.all(Array.from({ length: 10 }, () => rig.run(args)));
  expect(all.map(({ code, stderr }) => ({ code, stderr }))).toEqual(Array(10).fill({ code: 0, stderr: "" }));
  expect(new Set(all.map((ran) => `${ran.json.ref} ${ran.json.receipt}`)).size).toBe(1);
  await rig.ask(["wait", "@crowd", "--timeout", "20"]);
  expect(await heard("@crowd", "begin")).toBe(1);
});

test("keys outlive the daemon, one that was killed too", async () => {
  const send = ["send", "@docs", "before the restart", "--idempotency-key", "K2", "--wait"];
  const { receipt } = await rig.ask(send);
  const { ref } = await rig.ask(["new", "--name", "keyed", "--text", "begin", "--idempotency-key", "N1"]);
  process.kill((await rig.pids()).daemon, "SIGKILL");
  expect(await rig.ask(send)).toMatchObject({ receipt, state: "done", verdict: "ok" });
  expect(
    await rig.ask(["new", "--name", "keyed", "--text", "begin", "--idempotency-key", "N1"]),
  ).toMatchObject({
    ref,
  });
  expect(await rig.refused(["send", "@docs", "else", "--idempotency-key", "K2"])).toMatchObject({
    code: "conflict",
  });
  expect(await heard("@docs", "before the restart")).toBe(1);
});
