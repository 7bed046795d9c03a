/** When a message is safe from a kill, and when it is not. */
import { beforeAll, describe, expect, test } from "bun:test";
import type { AppServer } from "./app-server.ts";
import {
  clientIdsOf,
  isMessage,
  messageDone,
  namedThread,
  note,
  rig,
  said,
  startTurn,
  type Turn,
  turnOver,
  turnsOf,
} from "./rig.ts";

const codex = rig();

const tries = 3;
/** A loss depends on the moment of the kill; nearly every try of these was one. */
const killsMax = 8;

interface Killed {
  clientId: string;
  turns: Turn[];
  ids: string[];
}

/** Kills the server when `moment` comes after a turn was asked for; answers the turns that another then reads. */
async function killedAt(
  moment: (server: AppServer, sent: Promise<unknown>, clientId: string) => Promise<unknown>,
  text = `[{"wait":"never"}]`,
): Promise<Killed> {
  const first = await codex.server();
  const { id } = await namedThread(first);
  const clientId = crypto.randomUUID();
  const sent = first.call("turn/start", said(id, text, clientId));
  sent.catch(() => {});
  await moment(first, sent, clientId);
  await first.kill();
  const second = await codex.server();
  const turns = await turnsOf(second, id);
  const ids = await clientIdsOf(second, id);
  await second.kill();
  return { clientId, turns, ids };
}

const moments: [string, (server: AppServer, sent: Promise<unknown>) => Promise<unknown>][] = [
  ["the answer to turn/start", (_, sent) => sent],
  ["turn/started", (one) => one.heard("turn/started")],
];

describe.each(moments)("killed at %s", (moment, at) => {
  const seen: Killed[] = [];
  const lost = () => seen.filter(({ ids }) => ids.length === 0);

  beforeAll(async () => {
    while (seen.length < killsMax && lost().length === 0) seen.push(await killedAt(at));
  }, 60_000);

  test("a message is there once or not at all: it is no proof of delivery", () => {
    for (const { ids, clientId } of seen) expect([[], [clientId]]).toContainEqual(ids);
    if (lost().length === 0) note(`no message was lost in ${seen.length} kills at ${moment}`);
  });

  test("what is lost leaves no turn, or one that is interrupted and empty: a turn id is no proof either", () => {
    for (const { turns } of lost()) {
      expect(turns.length).toBeLessThanOrEqual(1);
      for (const turn of turns) expect(turn).toMatchObject({ status: "interrupted", items: [] });
    }
  });
});

test("killed right after item/completed of our message, it is always there", async () => {
  for (let i = 0; i < tries; i++) {
    const { ids, clientId } = await killedAt((one, _, sentId) => messageDone(one, sentId));
    expect(ids).toEqual([clientId]);
  }
}, 30_000);

test("killed when a model request has reached the provider, the message is always there", async () => {
  for (let i = 0; i < tries; i++) {
    const name = crypto.randomUUID();
    const reached = () => codex.provider.reached(name);
    const { ids, clientId } = await killedAt(reached, `[{"wait":"${name}"}]`);
    expect(ids).toEqual([clientId]);
  }
}, 30_000);

test("the same clientUserMessageId twice is two messages", async () => {
  const one = await codex.server();
  const { id } = await namedThread(one);
  const first = await startTurn(one, id, "once", "same");
  await turnOver(one, first);
  const second = await startTurn(one, id, "twice", "same");
  await turnOver(one, second);
  expect(second).not.toBe(first);
  expect(await clientIdsOf(one, id)).toEqual(["same", "same"]);
  await one.kill();
}, 30_000);

describe("a steer", () => {
  async function steered(
    script: string,
    ready: (one: AppServer) => Promise<unknown>,
    seen: (one: AppServer) => Promise<unknown>,
  ) {
    const one = await codex.server();
    const { id } = await namedThread(one);
    const turnId = await startTurn(one, id, script, "first");
    await ready(one);
    await one.call("turn/steer", { ...said(id, "to the left", "steer"), expectedTurnId: turnId });
    await seen(one);
    await one.kill();
    const two = await codex.server();
    const ids = await clientIdsOf(two, id);
    await two.kill();
    return ids;
  }

  test("that was answered is lost by a kill before item/completed of its message", async () => {
    // A command holds it back: a steer waits for the command's end.
    const command = (one: AppServer) =>
      one.heard("item/started", ({ item }) => (item as { type: string }).type === "commandExecution");
    expect(await steered(`[{"shell":"sleep 5"}]`, command, async () => {})).toEqual(["first"]);
  }, 30_000);

  test("is there after item/completed of its message", async () => {
    const name = crypto.randomUUID();
    const streaming = () => codex.provider.reached(name);
    const done = (one: AppServer) => one.heard("item/completed", isMessage("steer"));
    expect(await steered(`[{"wait":"${name}"}]`, streaming, done)).toEqual(["first", "steer"]);
  }, 30_000);
});
