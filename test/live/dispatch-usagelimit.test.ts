/** A usage limit of the account, through the real Codex: the queue waits for the reset, whole, and goes on by itself. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dispatchRig, type Json, type Rig } from "../support/dispatch.ts";
import { type Step, stringify } from "../support/provider-script.ts";

setDefaultTimeout(120_000);

let rig: Rig;

beforeAll(async () => {
  rig = dispatchRig();
  mkdirSync(rig.home, { recursive: true, mode: 0o700 });
  await rig.ask(["up"]);
});

afterAll(() => rig.dispose());

/** What the provider of a ChatGPT account answers when its window is used up. */
function usedUp(resetsAt: number): string {
  const error = { type: "usage_limit_reached", plan_type: "plus", message: "used up", resets_at: resetsAt };
  const headers = {
    "x-codex-primary-used-percent": "100",
    "x-codex-primary-window-minutes": "300",
    "x-codex-primary-reset-at": String(resetsAt),
    "x-codex-rate-limit-reached-type": "rate_limit_reached",
  };
  const step: Step = { status: 429, body: { error }, headers };
  return stringify([step]);
}

/** Until its turn ended, badly. */
const fails = async (id: string) => expect((await rig.run(["wait", id, "--timeout", "30"])).code).toBe(8);
const queue = async (thread: string, text: string): Promise<string> =>
  (await rig.ask(["send", thread, "--queue", text])).receipt;
const receipt = (id: string) => rig.ask(["receipt", "get", id]);
/** How often the model was asked something that ends with this text. */
const askedFor = (text: string) =>
  rig.provider.requests.filter(({ body }) => {
    const last = body.input?.findLast((item) => item.type === "message" && item.role === "user");
    return last?.content?.some((part) => part.text === text) === true;
  });

test("of two threads and six texts one is cut, the others go after the reset, also past a new daemon", async () => {
  const a = (await rig.ask(["new", "--name", "first"])).ref;
  const b = (await rig.ask(["new", "--name", "second"])).ref;
  for (const ref of [a, b]) await rig.ask(["queue", "hold", ref]);
  const resetsAt = Math.ceil(Date.now() / 1000) + 20;
  const cut = await queue(a, usedUp(resetsAt));
  const others: string[] = [];
  for (const [ref, text] of [
    [a, "a1"],
    [a, "a2"],
    [b, "b1"],
    [b, "b2"],
    [b, "b3"],
  ] as const)
    others.push(await queue(ref, text));
  await rig.ask(["queue", "release", a]);
  await fails(cut);
  await rig.ask(["queue", "release", b]);

  const { limits } = await rig.ask(["daemon", "status"]);
  expect(limits).toEqual([
    { provider: "mock", since: expect.any(String), until: expect.any(String), reason: expect.any(String) },
  ]);
  expect(Date.parse(limits[0].until)).toBeGreaterThan(resetsAt * 1000);
  expect(Date.parse(limits[0].until)).toBeLessThan(resetsAt * 1000 + 11_000);
  expect(limits[0].reason).toContain("usage limit");
  for (const [ref, pending] of [
    [a, 2],
    [b, 3],
  ] as const)
    expect(await rig.ask(["get", ref])).toMatchObject({
      limited: { until: limits[0].until },
      queue: { pending, held: false, reason: expect.stringContaining("limited until") },
    });
  expect((await rig.run(["list", "--no-json"])).stdout).toMatch(/3 limited, ends in \d+s/);
  expect((await rig.run(["daemon", "status", "--no-json"])).stdout).toMatch(/limited +mock until 20/);
  const { message, hint } = await rig.refused(["send", b, "now"]);
  expect(message).toContain(limits[0].until);
  expect(hint).toContain("--queue");

  await rig.ask(["down", "--yes"]);
  await rig.ask(["up"]);
  expect((await rig.ask(["daemon", "status"])).limits).toEqual(limits);
  expect((await rig.run(["wait", a, b, "--timeout", "60"])).code).toBe(0);
  for (const id of others)
    expect(await receipt(id)).toMatchObject({ state: "done", outcome: "completed", attempt: 1 });
  expect(await receipt(cut)).toMatchObject({ state: "done", outcome: "failed", attempt: 1 });

  const [first, ...rest] = rig.provider.requests;
  expect(first!.at).toBeLessThan(resetsAt * 1000);
  expect(rest).toHaveLength(5);
  expect(Math.min(...rest.map(({ at }) => at))).toBeGreaterThan(resetsAt * 1000);
  expect(await rig.ask(["get", a])).toMatchObject({ limited: null, status: "idle" });
  const { events } = await rig.ask(["events", "--kinds", "limit.reached", "--kinds", "limit.ended"]);
  expect(events.map(({ kind, data }: Json) => [kind, (data as Json)["why"]])).toEqual([
    ["limit.reached", undefined],
    ["limit.ended", "reset"],
  ]);
});

test("a nudge goes once to the thread that was cut, and an exhausted plan without a reset holds it", async () => {
  writeFileSync(join(rig.home, "config.toml"), '[limits]\nnudge = "please go on"\n');
  const { ref } = await rig.ask(["new", "--name", "third"]);
  await fails(await queue(ref, usedUp(Math.ceil(Date.now() / 1000) + 4)));
  expect((await rig.run(["wait", ref, "--timeout", "60"])).code).toBe(0);
  expect(askedFor("please go on")).toHaveLength(1);

  const error = { type: "insufficient_quota", message: "no plan" };
  const { receipt: id } = await rig.ask(["send", ref, stringify([{ status: 429, body: { error } }])]);
  await fails(id);
  expect((await rig.ask(["daemon", "status"])).limits).toEqual([]);
  expect(await rig.ask(["get", ref])).toMatchObject({
    limited: null,
    queue: { held: true, reason: "failed" },
  });
  expect((await rig.run(["wait", ref, "--for", "attention", "--timeout", "10"])).code).toBe(0);
});
