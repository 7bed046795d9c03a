/**
 * Another machine of the relay: it sends messages to the threads and the pool of the daemon, hears what becomes of them,
 * and takes what the daemon sends. It is never killed; the stream between them gives everything at least once, and loses
 * answers.
 */
import { DispatchError } from "../../src/base/error.ts";
import { newId } from "../../src/base/random.ts";
import type { Mail, Report } from "../../src/contract/relay.ts";
import type { MessageState } from "../../src/contract/words.ts";
import { plain } from "../../src/core/delivery/accept.ts";
import { mayFollow } from "../../src/core/model/message.ts";
import type { RelayLink } from "../../src/core/model/ports/relay.ts";
import type { Ref } from "../../src/core/model/ports/rows.ts";
import { type Broker, broker, relayAs } from "../world/relay.ts";
import { breathe, pick, type Sim, threadOf } from "./state.ts";

export const towerSettings = relayAs("tower", { any: { cwd: "/repo", presets: [], atOnce: 50 } });

export interface Peer {
  broker: Broker;
  link: Promise<RelayLink>;
  /** Accepted by the stream, in order; `lane` null: for the pool. */
  sent: { id: string; lane: Ref | null }[];
  /** The state of each, as it was reported. */
  told: Map<string, { state: MessageState; seq: number }>;
  /** What came from the daemon: by id, how often. */
  received: Map<string, number>;
  /** Sends of the daemon that were not accepted yet, by key. */
  unsent: Set<string>;
  keys: number;
  /** What the stream does next, apart from what Codex does. */
  due: (() => void)[];
  /** One message after the other. */
  mailing: Promise<void>;
  isCalm: boolean;
  broken?: string;
}

export function peerOf(sim: Sim): Peer {
  const due: (() => void)[] = [];
  const shared = broker({
    schedule: (fn) => void due.push(fn),
    loses: () => !peer.isCalm && sim.random() < 0.15,
  });
  const peer: Peer = {
    broker: shared,
    link: shared.port.open(relayAs("laptop"), "home", {
      mail(arriving) {
        for (const { body } of arriving) {
          const { id } = JSON.parse(body) as Mail;
          peer.received.set(id, (peer.received.get(id) ?? 0) + 1);
        }
        return arriving.length;
      },
      pooled: async () => "done",
      mayTake: () => false,
      reports(reports) {
        for (const { body } of reports)
          for (const report of [JSON.parse(body) as Report | Report[]].flat()) hear(peer, report);
        return reports.length;
      },
      up() {},
    }),
    sent: [],
    told: new Map(),
    received: new Map(),
    unsent: new Set(),
    keys: 0,
    due,
    mailing: Promise.resolve(),
    isCalm: false,
  };
  return peer;
}

/** Reports come twice and late; a newer one never sets a message back. */
function hear(peer: Peer, report: Report): void {
  if (report.kind !== "receipt") return;
  const before = peer.told.get(report.id);
  if (before && before.seq >= report.seq) return;
  if (before && before.state !== report.state && !mayFollow(before.state, report.state))
    peer.broken ??= `${report.id} was ${before.state} and is now said to be ${report.state}`;
  peer.told.set(report.id, { state: report.state, seq: report.seq });
}

/** Again until the stream has it: a sender that has lost an answer sends the same id. */
function mailIn(sim: Sim, isPooled: boolean): void {
  const peer = sim.peer!;
  const lane = isPooled ? null : pick(sim, sim.refs);
  const id = newId(sim.clock.now(), sim.random);
  const script = pick(sim, ["plain", "plain", "plain", '[{"fail":"no luck"}]', '[{"die":true}]']);
  const mail: Mail = { v: 1, id, to: lane ?? "", text: script, by: "cli", settings: null, depth: 0 };
  const to = lane === null ? { pool: "any" } : { box: "tower" };
  const send = async () => {
    const link = await peer.link;
    for (;;) {
      try {
        await link.send(to, id, JSON.stringify(mail));
        return;
      } catch (thrown) {
        if (!(thrown instanceof DispatchError)) throw thrown;
        if (thrown.code === "unsure") continue;
        // It is down: what was stored before stays.
        await new Promise<void>((resolve) => void peer.due.push(resolve));
      }
    }
  };
  // The order of messages to one thread is that of their acceptance, so one is sent after the other.
  peer.mailing = peer.mailing.then(async () => {
    await send();
    peer.sent.push({ id, lane });
  });
  peer.mailing = peer.mailing.catch((thrown: unknown) => {
    peer.broken ??= String(thrown);
  });
}

/** Of the daemon: a new one, or one whose answer was lost, with its key. */
function mailOut(sim: Sim): void {
  const peer = sim.peer!;
  const known = [...peer.unsent];
  const key = sim.random() < 0.4 && known.length > 0 ? known[0]! : `away ${++peer.keys}`;
  peer.unsent.add(key);
  sendOut(sim, key);
}

function sendOut(sim: Sim, key: string): void {
  const draft = { ...plain, mode: "queue", text: key, key, caller: "cli" } as const;
  const to = { box: "laptop", ref: "@desk" };
  const call = sim.world.engine.core.sendAway({ to, target: "laptop/@desk", draft, agent: null });
  sim.calls.push(
    call.then(
      () => void sim.peer!.unsent.delete(key),
      () => {},
    ),
  );
}

export async function turnTheStream({ peer }: Sim): Promise<void> {
  for (let moves = 0; moves < 6; moves++) {
    peer?.due.shift()?.();
    await breathe();
  }
}

export const harms: [weight: number, name: string, action: (sim: Sim) => Promise<void> | void][] = [
  [60, "the stream moves", turnTheStream],
  [16, "mail comes", (sim) => mailIn(sim, false)],
  [3, "mail for the pool comes", (sim) => mailIn(sim, true)],
  [8, "mail goes", mailOut],
  [5, "the stream gives again", (sim) => sim.peer!.broker.giveAgain()],
  [2, "the window of duplicates ends", (sim) => sim.peer!.broker.endWindow()],
  [1, "the relay goes down", (sim) => relayDown(sim.peer!)],
  [5, "the relay is back", (sim) => relayUp(sim.peer!)],
];

function relayDown(peer: Peer): void {
  peer.broker.isDown = true;
}

function relayUp(peer: Peer): void {
  peer.broker.isDown = false;
  peer.broker.giveAgain();
}

/** No answer is lost any more, and everything is given again. */
export function calmRelay(sim: Sim): void {
  const { peer } = sim;
  if (!peer) return;
  peer.isCalm = true;
  relayUp(peer);
  for (const key of peer.unsent) sendOut(sim, key);
}

export function isRelayAtRest({ peer, store }: Sim): boolean {
  if (!peer) return true;
  return (
    peer.broker.waiting() === 0 &&
    peer.due.length === 0 &&
    peer.unsent.size === 0 &&
    store.relay.listArrived(["claiming", "won"], 1).length === 0
  );
}

/** What the stream accepted is in one thread once, or was refused; the sender was told which, and of its last state. */
export function relayed(sim: Sim): void {
  const { peer, store } = sim;
  if (!peer) return;
  if (peer.broken) throw new Error(peer.broken);
  for (const { id, lane } of peer.sent) {
    const arrived = store.relay.findArrived(id);
    const message = store.messages.find(id);
    if (!arrived) throw new Error(`lost: ${id} for ${lane ?? "the pool"} was accepted by the relay`);
    if ((arrived.state === "refused") === (message !== undefined))
      throw new Error(`${id} is ${arrived.state} and its message is ${message?.state}`);
    const last = message?.state ?? "failed";
    if (peer.told.get(id)?.state !== last)
      throw new Error(`${id} is ${last}, and its sender was told ${peer.told.get(id)?.state}`);
  }
  const rows = store.relay.listRelayed({ limit: 100_000 });
  for (const { id, key } of rows)
    if (!peer.received.has(id)) throw new Error(`lost: ${id} of ${key} was accepted, and never came`);
  if (peer.received.size !== rows.length)
    throw new Error(`${peer.received.size} came to the other machine, and ${rows.length} were accepted`);
  for (const ref of sim.refs) mailOrder(sim, peer, ref);
}

function mailOrder(sim: Sim, peer: Peer, ref: Ref): void {
  const places = new Map(peer.sent.filter(({ lane }) => lane === ref).map(({ id }, at) => [id, at]));
  let last = -1;
  for (const turn of threadOf(sim, ref).turns)
    for (const { client_id } of turn.items) {
      const at = client_id === null ? undefined : places.get(client_id);
      if (at === undefined) continue;
      if (at < last) throw new Error(`out of order: ${client_id} of ${ref} was sent before`);
      last = at;
    }
}
