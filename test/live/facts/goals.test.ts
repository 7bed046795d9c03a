/** A goal starts turns that nobody sent: what that does to a text, and to a resume. */
import { expect, test } from "bun:test";
import type { AppServer } from "./app-server.ts";
import { clientIdsOf, messageDone, namedThread, rig, startTurn, turnOver } from "./rig.ts";

const codex = rig();

const goal = (server: AppServer, threadId: string, status: string) =>
  server.call("thread/goal/set", { threadId, objective: "count to three", status });

test("a text sent into a goal's turn joins that turn", async () => {
  const one = await codex.server();
  const { id } = await namedThread(one);
  await goal(one, id, "active");
  const { turn } = await one.heard("turn/started");
  expect(await startTurn(one, id, "hello", "ours")).toBe((turn as { id: string }).id);
  await messageDone(one, "ours");
  await one.kill();
}, 30_000);

test("a paused goal starts nothing: a text starts its own turn", async () => {
  const one = await codex.server();
  const { id } = await namedThread(one);
  await goal(one, id, "paused");
  const turnId = await startTurn(one, id, "hello", "ours");
  await turnOver(one, turnId);
  const started = one.notes.filter(({ method }) => method === "turn/started");
  expect(started.map(({ params }) => (params["turn"] as { id: string }).id)).toEqual([turnId]);
  await one.kill();
}, 30_000);

test("a resume after a kill goes on with an active goal at once, and not with one that was paused before it", async () => {
  const one = await codex.server();
  const [active, paused] = [await namedThread(one), await namedThread(one)];
  for (const { id } of [active, paused]) {
    await turnOver(one, await startTurn(one, id, "hello", "ours"));
    await goal(one, id, "active");
    await one.heard("thread/goal/updated", ({ threadId }) => threadId === id);
  }
  await one.kill();
  const two = await codex.server();
  await goal(two, paused.id, "paused");
  const begun = (threadId: string) =>
    two.notes.some(({ method, params }) => method === "turn/started" && params["threadId"] === threadId);
  await two.call("thread/resume", { threadId: paused.id, excludeTurns: true });
  await two.call("thread/resume", { threadId: active.id, excludeTurns: true });
  // Resumed after the paused one, so that its turn shows how soon the other would have begun.
  await two.heard("turn/completed", ({ threadId }) => threadId === active.id);
  expect(begun(paused.id)).toBe(false);
  expect(await clientIdsOf(two, paused.id)).toEqual(["ours"]);
  await two.kill();
}, 30_000);
