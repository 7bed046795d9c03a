/** Who kills: Codex or the daemon, after a while that chance chose, or right when a step of a delivery was committed. */
import type { FaultRig } from "../../support/fault.ts";

export interface Kills {
  codex: number;
  daemon: number;
  /** Of both, those right at a step. */
  at_steps: number;
  /** While the one before was still being recovered from. */
  at_recovery: number;
}

/** Every commit on the way of a message, and of a thread; the common ones are not to hide the rare. */
const steps = [
  "thread.created",
  "thread.ready",
  "message.queued",
  "message.claimed",
  "message.claimed",
  "message.sent",
  "message.sent",
  "turn.started",
  "message.delivered",
  "message.delivered",
  "item.completed",
  "turn.completed",
  "codex.up",
];

export interface Harm {
  random(): number;
  budget: number;
  work: Promise<unknown>;
}

/** Kills until the work is done or the budget is spent. */
export async function harm(rig: FaultRig, { random, budget, work }: Harm): Promise<Kills> {
  const kills: Kills = { codex: 0, daemon: 0, at_steps: 0, at_recovery: 0 };
  let isOver = false;
  void work.finally(() => {
    isOver = true;
  });
  while (!isOver && kills.codex + kills.daemon < budget) {
    // Every third is the daemon: by chance a slow machine, which kills less often, may hardly kill it at all.
    const isDaemon = (kills.codex + kills.daemon) % 3 === 2;
    const [when, then] = [random(), random()];
    const isAtStep = when < 0.75 && (await happens(rig, steps[Math.floor(random() * steps.length)]!, 1500));
    if (!isAtStep) await Bun.sleep(20 + random() * 400);
    if (isOver) break;
    if (rig.kill(isDaemon ? rig.daemon() : rig.child())) {
      kills[isDaemon ? "daemon" : "codex"]++;
      if (isAtStep) kills.at_steps++;
      if (then < 0.2) kills.at_recovery++;
    }
    if (then >= 0.2) await recovered(rig);
  }
  return kills;
}

/** Sees a commit of another process within about a millisecond. */
async function happens(rig: FaultRig, kind: string, deadlineMs: number): Promise<boolean> {
  const from = rig.registry.lastSeq();
  const end = Date.now() + deadlineMs;
  while (Date.now() < end) {
    if (rig.registry.eventsAfter(from).some((event) => event.kind === kind)) return true;
    await Bun.sleep(1);
  }
  return false;
}

/** So many crashes open the circuit, as they should; here a person closes it at once, each time. */
async function recovered(rig: FaultRig): Promise<void> {
  await rig.tell("daemon.retry", {});
  await rig.childUp();
}
