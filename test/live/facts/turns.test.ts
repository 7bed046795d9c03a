/** When a turn/start starts a turn, and what becomes of turns, threads and locks when their process dies. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { identityOf, isAlive } from "../../../src/base/identity.ts";
import { until } from "../../support/codex-sink.ts";
import type { AppServer } from "./app-server.ts";
import {
  clientIdsOf,
  messageDone,
  namedThread,
  plainThread,
  refusalOf,
  rig,
  said,
  startTurn,
  turnOver,
  turnsOf,
} from "./rig.ts";

const codex = rig();
const repeats = 8;

test("turn/start on a running turn steers it and answers the running turn's id", async () => {
  const one = await codex.server();
  const { id } = await namedThread(one);
  const name = crypto.randomUUID();
  const running = await startTurn(one, id, [{ wait: name }], "first");
  await codex.provider.reached(name);
  expect(await startTurn(one, id, "second", "second")).toBe(running);
  codex.provider.release(name);
  await turnOver(one, running);
  const turns = await turnsOf(one, id);
  expect(turns.map((turn) => turn.id)).toEqual([running]);
  expect(await clientIdsOf(one, id)).toEqual(["first", "second"]);
  await one.kill();
}, 30_000);

test("turn/start at status idle, before turn/completed, starts a turn of its own", async () => {
  const one = await codex.server();
  const { id } = await namedThread(one);
  const answers: Promise<unknown>[] = [];
  one.on("thread/status/changed", ({ status }) => {
    if ((status as { type: string }).type !== "idle" || answers.length === repeats) return;
    answers.push(one.call("turn/start", said(id, "next", `at idle ${answers.length}`)));
  });
  const turnIds = [await startTurn(one, id, "first", "at start")];
  await until("every idle was used", () => answers.length === repeats);
  for (const answer of await Promise.all(answers)) turnIds.push((answer as { turn: { id: string } }).turn.id);
  for (const turnId of turnIds) expect((await turnOver(one, turnId)).status).toBe("completed");
  const turns = (await turnsOf(one, id)).reverse();
  expect(turns.map((turn) => turn.id)).toEqual(turnIds);
  expect(new Set(turnIds).size).toBe(repeats + 1);
  for (const turn of turns) expect(turn.items.filter((item) => item.type === "userMessage")).toHaveLength(1);
  await one.kill();
}, 30_000);

test("steers fired at a turn's end are refused, or taken by that very turn: none lands in another", async () => {
  const one = await codex.server();
  const { id } = await namedThread(one);
  let accepted = 0;
  for (let round = 0; round < repeats; round++) {
    const turnId = await startTurn(one, id, "short", `turn ${round}`);
    const over = turnOver(one, turnId);
    const steers: Promise<string | null>[] = [];
    for (let n = 0; n < 6; n++) {
      const name = `steer ${round}.${n}`;
      const steer = one.call("turn/steer", { ...said(id, name, name), expectedTurnId: turnId });
      steers.push(steer.then(() => name).catch(() => null));
    }
    await over;
    const taken = (await Promise.all(steers)).filter((name) => name !== null);
    accepted += taken.length;
    const turn = (await turnsOf(one, id)).find((candidate) => candidate.id === turnId)!;
    const within = turn.items.filter((item) => item.type === "userMessage").map((item) => item["clientId"]);
    // Accepted is not taken: what the turn did not consume is nowhere.
    for (const name of within.slice(1)) expect(taken).toContain(name as string);
    const elsewhere = (await clientIdsOf(one, id)).filter(
      (clientId) => taken.includes(clientId) && !within.includes(clientId),
    );
    expect(elsewhere).toEqual([]);
  }
  expect(accepted).toBeGreaterThan(0);
  await one.kill();
}, 30_000);

test("after kill -9 a running turn reads as interrupted, with its clientIds, and the writer lock is free at once", async () => {
  const one = await codex.server();
  const { id } = await namedThread(one);
  const turnId = await startTurn(one, id, [{ say: "half" }, { wait: "never" }], "ours");
  await messageDone(one, "ours");
  await one.kill();
  const two = await codex.server();
  expect((await turnsOf(two, id))[0]).toMatchObject({ id: turnId, status: "interrupted" });
  expect(await clientIdsOf(two, id)).toEqual(["ours"]);
  const resumed = await two.call("thread/resume", { threadId: id, excludeTurns: true });
  expect(resumed["thread"]).toMatchObject({ id, status: { type: "idle" } });
  await two.kill();
}, 30_000);

test("a second app-server reads a running turn as interrupted, may name and queue, and is refused a resume: already has an active writer", async () => {
  const [one, two] = [await codex.server(), await codex.server()];
  const { id } = await namedThread(one);
  const name = crypto.randomUUID();
  await startTurn(one, id, [{ wait: name }], "ours");
  await codex.provider.reached(name);
  expect(await refusalOf(two.call("thread/resume", { threadId: id }))).toContain(
    "already has an active writer",
  );
  const { thread } = await two.call("thread/read", { threadId: id });
  expect(thread).toMatchObject({ id, status: { type: "notLoaded" } });
  expect((await turnsOf(two, id))[0]).toMatchObject({ status: "interrupted" });
  await two.call("thread/name/set", { threadId: id, name: "by the other" });
  await two.call("thread/goal/set", { threadId: id, objective: "later", status: "paused" });
  await two.call("thread/queue/add", said(id, "from the other", "theirs"));
  codex.provider.release(name);
  await messageDone(one, "theirs");
  expect(await clientIdsOf(one, id)).toEqual(["ours", "theirs"]);
  await Promise.all([one.kill(), two.kill()]);
}, 30_000);

describe("a thread without a message", () => {
  test("and without a name is gone after a kill", async () => {
    const one = await codex.server();
    const { id } = await plainThread(one);
    await one.kill();
    const two = await codex.server();
    expect(await refusalOf(two.call("thread/resume", { threadId: id }))).toContain("no rollout found");
    await two.kill();
  }, 30_000);

  test("is durable at the answer to thread/name/set", async () => {
    for (let i = 0; i < 3; i++) {
      const one = await codex.server();
      const { id } = await namedThread(one);
      await one.kill();
      const two = await codex.server();
      expect((await two.call("thread/resume", { threadId: id }))["thread"]).toMatchObject({ id });
      await two.kill();
    }
  }, 30_000);
});

describe("an app-server whose owner was killed", () => {
  async function orphan(begin: (one: AppServer) => Promise<unknown>): Promise<void> {
    const owner = await codex.server([process.execPath, join(import.meta.dir, "owner.ts")]);
    const { pid } = (await owner.heard("owner/pid")) as { pid: number };
    await begin(owner);
    const child = identityOf(pid)!;
    expect(isAlive(child)).toBe(true);
    await owner.kill();
    try {
      // 20 ms to 3.5 s were seen; a zombie is dead.
      await until("the orphan is dead", () => !isAlive(child));
    } finally {
      if (isAlive(child)) process.kill(pid, "SIGKILL");
    }
  }

  test("ends by the end of its input while it is idle", () => orphan(async () => {}), 30_000);

  test(
    "ends by the end of its input in a turn",
    () =>
      orphan(async (one) => {
        const { id } = await namedThread(one);
        const name = crypto.randomUUID();
        await startTurn(one, id, [{ wait: name }]);
        await codex.provider.reached(name);
      }),
    30_000,
  );
});
