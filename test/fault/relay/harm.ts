/** Who kills what: a machine's daemon or Codex, the server, or the network, at a step of a message or by chance. */
import type { NatsServer } from "../../support/nats.ts";
import type { Network } from "../../support/network.ts";
import type { Box } from "../../support/relay.ts";

export interface Harm {
  daemons: number;
  codexes: number;
  servers: number;
  /** The server stood still for a while. */
  stalls: number;
  /** The network of one machine stood still, and was cut with all that was on its way. */
  cuts: number;
  at_steps: number;
}

/** Commits on the way of a message, on the side of its sender and on that of its thread. */
const steps = [
  "message.relayed",
  "message.relayed",
  "message.queued",
  "message.queued",
  "message.claimed",
  "message.sent",
  "message.delivered",
  "message.done",
  "thread.created",
  "turn.completed",
];

export function killsOf({ daemons, codexes, servers, stalls, cuts }: Harm): number {
  return daemons + codexes + servers + stalls + cuts;
}

/** Until so many are done; `told` is what was done so far. */
export async function harm(
  told: Harm,
  {
    nats,
    boxes,
    networks,
    kills,
    hasCuts,
    random,
  }: {
    nats: NatsServer;
    boxes: readonly Box[];
    networks: readonly Network[];
    hasCuts: boolean;
    kills: number;
    random(): number;
  },
): Promise<void> {
  while (killsOf(told) < kills) {
    const at = Math.floor(random() * boxes.length);
    const one = boxes[at]!;
    const isAtStep =
      random() < 0.75 && (await happens(one, steps[Math.floor(random() * steps.length)]!, 1500));
    if (!isAtStep) await Bun.sleep(20 + random() * 300);
    if (isAtStep) told.at_steps++;
    const what = random();
    if (what < 0.35) told.daemons += one.kill(one.daemon()) ? 1 : 0;
    else if (what < 0.5) told.codexes += one.kill(one.child()) ? 1 : 0;
    else if (hasCuts && what < 0.75) {
      networks[at]!.stall();
      await Bun.sleep(random() * 400);
      networks[at]!.cut();
      await Bun.sleep(random() * 600);
      networks[at]!.mend();
      told.cuts++;
    } else if (what < 0.9) {
      await nats.kill();
      await Bun.sleep(random() * 500);
      await nats.start();
      told.servers++;
    } else {
      nats.signal("SIGSTOP");
      await Bun.sleep(200 + random() * 1500);
      nats.signal("SIGCONT");
      told.stalls++;
    }
    // Crashes of Codex open its circuit, as they should; here a person closes it at once.
    if (random() < 0.8) await one.tell("daemon.retry", {});
  }
}

/** Sees a commit of another process within about a millisecond. */
async function happens(one: Box, kind: string, deadlineMs: number): Promise<boolean> {
  const from = one.registry.lastSeq();
  const end = Date.now() + deadlineMs;
  while (Date.now() < end) {
    if (one.registry.eventsAfter(from).some((event) => event.kind === kind)) return true;
    await Bun.sleep(2);
  }
  return false;
}
