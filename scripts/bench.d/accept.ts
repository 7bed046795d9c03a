/** Messages accepted durably, through the socket; and claimed, by core on a registry file, synchronous FULL. */
import { join } from "node:path";
import { accept as accepted, plain } from "../../src/core/delivery/accept.ts";
import { type Delivery, delivery } from "../../src/core/delivery/modes.ts";
import type { CoreDeps } from "../../src/core/model/deps.ts";
import type { Agent } from "../../src/core/model/ports/agent.ts";
import type { Ref } from "../../src/core/model/ports/rows.ts";
import type { Store } from "../../src/core/model/ports/store.ts";
import type { ThreadFacts } from "../../src/core/model/ports/thread.ts";
import { delivered } from "../../src/core/state/settle.ts";
import { turnEnded } from "../../src/core/state/turn.ts";
import { openStore } from "../../src/store/store.ts";
import { connect } from "../../src/surface/client.ts";
import type { Connection } from "../../src/surface/wire.ts";
import type { TestWorld } from "../../test/world/world.ts";
import { ask, makeHome, startDaemon } from "./daemon.ts";
import { inTurns, median, ms, type Pairs, ratio, sides, timed } from "./measure.ts";
import { addThread, worldOn } from "./registry.ts";
import { atLeast, atMost, type Row } from "./row.ts";

const blocks = 15;
const callsOfBlock = 200;
const clients = 8;
const claims = 60;
const [few, many] = [10, 100_000];
const draft = { ...plain, mode: "queue", text: "hello" } as const;

export const accept: Row = {
  async measure(bench) {
    // Without Codex: what is accepted waits, so that nothing but accepting is measured.
    const daemon = await startDaemon(bench, await makeHome(bench, "accept", clients + 1));
    const sendOn = (connection: Connection, thread: number) =>
      ask(connection, "message.send", { thread: `@thread-${thread}`, text: "hello", queue: true });
    const fleet = await Promise.all(Array.from({ length: clients }, () => connect(daemon.socket)));
    bench.owns(() => {
      for (const one of fleet) one?.close();
    });
    const store = openStore(join(bench.folder, "bare.db"), Date.now());
    const bare = () => store.events.append({ kind: "gap" }, 0);
    const repeat = async (count: number, fn: () => unknown) => {
      for (let i = 0; i < count; i++) await fn();
    };
    const block = async (fn: () => unknown) => (await timed(() => repeat(callsOfBlock, fn))) / callsOfBlock;
    const alone = await inTurns(
      blocks,
      () => block(bare),
      () => block(() => sendOn(daemon.connection, clients)),
    );
    const together = await inTurns(
      blocks,
      () => block(bare),
      async () =>
        (await timed(() =>
          Promise.all(fleet.map((one, at) => repeat(callsOfBlock / clients, () => sendOn(one!, at)))),
        )) / callsOfBlock,
    );
    const core = await inCore(join(bench.folder, "accept.db"), bare);
    store.close();
    const { queue } = (await ask(daemon.connection, "daemon.status")) as { queue: { queued: number } };
    await daemon.end();
    return {
      lines: [
        atMost("a message accepted by core / a commit of one row", ratio(core), 1.8, "x"),
        atLeast(`messages accepted durably, ${clients} clients`, 1000 / median(together.ours), 1000),
      ],
      notes: [
        "message.send --queue on kept connections, one after the other on each, each answered before the next, when it is on disk; what comes together shares the sync",
        `a commit of one row on this disk, taken in turns with it: ${ms(median(together.floor))}; an accept: ${ms(median(together.ours))} of ${clients} clients, ${ms(median(alone.ours))} of one (${(1000 / median(alone.ours)).toFixed(0)}/s); ${queue.queued} wait`,
        `in core, without the socket and the two processes: ${sides(core)}`,
      ],
    };
  },
};

export const claim: Row = {
  async measure(bench) {
    const world = worldOn(join(bench.folder, "claim.db"));
    const { store } = world;
    const short = await queueOf(world, few);
    const long = await queueOf(world, many);
    const deliver = delivery({ ...world, agent: instantAgent(world.agent) });
    const taken = { short: [] as number[], long: [] as number[] };
    for (let i = 0; i < claims; i++) {
      taken.short.push(await claimOne(world, deliver, short));
      taken.long.push(await claimOne(world, deliver, long));
    }
    const notes = [
      `delivery.step from queued to sent, Codex answering at once: median ${ms(median(taken.short))} of ${few}, ${ms(median(taken.long))} of ${many}`,
      ...(await parts(store, short, long)),
    ];
    store.close();
    const flat = median(taken.long) / median(taken.short);
    return { lines: [atMost(`a claim from 100,000 queued / from ${few}`, flat, 1.3, "x")], notes };
  },
};

/** An accept alone, until it is on disk: its message and its event. */
async function inCore(path: string, bare: () => unknown): Promise<Pairs> {
  const world = worldOn(path);
  const ref = await addThread(world, "accept");
  const taken = await inTurns(
    blocks * callsOfBlock,
    () => timed(bare),
    () =>
      timed(() => {
        world.journal.note((change) => {
          const lane = world.store.lanes.get(ref);
          const { id } = accepted(world, lane, draft, { at: "back", now: change.now });
          change.append({ kind: "message.queued", lane: ref, receipt: id, data: { mode: draft.mode } });
        });
        return world.journal.synced();
      }),
  );
  world.store.close();
  return taken;
}

/** An idle thread with that many queued, in one transaction. */
async function queueOf(world: TestWorld, count: number): Promise<Ref> {
  const { store, clock } = world;
  const ref = await addThread(world, `${count} queued`);
  const lane = store.lanes.get(ref);
  store.tx(() => times(count, () => accepted(world, lane, draft, { at: "back", now: clock.now() })));
  return ref;
}

/** One step of delivery, timed; then its turn ends and the queue is filled up again, untimed. */
async function claimOne(world: CoreDeps, deliver: Delivery, ref: Ref): Promise<number> {
  const { store, journal } = world;
  const took = await timed(() => deliver.step(ref));
  const sent = store.messages.inFlight(ref);
  if (sent?.state !== "sent") throw new Error(`the step sent nothing: ${sent?.state}`);
  journal.commit((change) => {
    const turn_id = sent.turn_id!;
    delivered(store, change, sent, turn_id);
    turnEnded(store, change, store.lanes.get(ref), {
      turn_id,
      status: "completed",
      error: null,
      completed_at: null,
    });
    accepted(world, store.lanes.get(ref), draft, { at: "back", now: change.now });
  });
  return took;
}

/** Where the time of a claim goes. */
async function parts(store: Store, short: Ref, long: Ref): Promise<string[]> {
  const each = async (ask: (ref: Ref) => unknown, ref: Ref) =>
    ms((await timed(() => times(50, () => ask(ref)))) / 50);
  const line = async (name: string, ask: (ref: Ref) => unknown) =>
    `${name}: ${await each(ask, short)} of ${few}, ${await each(ask, long)} of ${many}`;
  return [
    await line("messages.next", (ref) => store.messages.next(ref, false)),
    await line("lanes.facts", (ref) => store.lanes.findFacts(ref)),
  ];
}

/** An idle thread, and a turn for every text that nothing more is heard of. */
function instantAgent(agent: Agent): Agent {
  let turns = 0;
  const idle = { status: "idle" } as ThreadFacts;
  return {
    ...agent,
    readThread: async (id) => ({ ...idle, id }),
    startTurn: async () => ({ turn_id: `turn of the bench ${++turns}`, joined: false }),
  };
}

function times(count: number, fn: () => unknown): void {
  for (let i = 0; i < count; i++) fn();
}
