/**
 * The kill run: real daemons and real Codexes killed with -9 under callers who send in every mode and ask again with
 * the same key when nobody answered. Then peace, and every promise is counted in the threads' own history.
 */

import { faultRig, until } from "../../support/fault.ts";
import { type History, historyIn } from "../../support/fault-history.ts";
import { seeded } from "../../support/seeded.ts";
import { check, type Verdict } from "./check.ts";
import { harm, type Kills } from "./harm.ts";
import { careful, type Sender, type Senders, senders } from "./send.ts";

export interface Asked {
  messages: number;
  seed: number;
  lanes?: number;
}

export interface Outcome extends Verdict {
  kills: Kills;
  refused: number;
  seconds: number;
}

export async function killRun({ messages, seed, lanes = 5 }: Asked): Promise<Outcome> {
  const begun = Date.now();
  const random = seeded(seed);
  const rig = faultRig();
  let said: Senders | undefined;
  try {
    const refs: Sender["ref"][] = [];
    for (let at = 0; at < lanes; at++) {
      const settings = at === 0 ? careful : {};
      const made = await rig.must("thread.new", { name: `lane ${at}`, cwd: rig.codex.cwd, ...settings });
      refs.push(made.ref);
    }
    said = senders(rig, refs, { messages, random });
    const kills = await harm(rig, { random, budget: messages, work: said.done });
    await said.done;
    await peace(rig);
    await rig.ask(["down", "--force"]);
    const history: History = await historyIn(rig.codex.env, rig.codex.home);
    const verdict = check(rig, said, history, refs[0]!);
    return { ...verdict, kills, refused: said.refused.length, seconds: (Date.now() - begun) / 1000 };
  } catch (thrown) {
    const left = rig.registry.messages().filter(({ state }) => !/done|failed|cancelled/.test(state));
    const trail = `${said?.trail.slice(-30).join("\n")}\n${JSON.stringify(left)}\n${JSON.stringify(rig.registry.lanes())}`;
    throw new Error(
      `seed ${seed}, ${messages} messages: ${thrown instanceof Error ? thrown.stack : thrown}\n${trail}\n${logTail(rig.home)}`,
    );
  } finally {
    await rig.dispose();
  }
}

function logTail(home: string): string {
  const { stdout } = Bun.spawnSync(["tail", "-n", "40", `${home}/daemon.log`]);
  return stdout.toString();
}

/** No more harm: everything up, every hold released, until nothing is on its way. */
async function peace(rig: ReturnType<typeof faultRig>): Promise<void> {
  const isUnder = (state: string) => /queued|claimed|sent|delivered/.test(state);
  let tidied = 0;
  await until(
    "nothing is on its way",
    async () => {
      if (Date.now() - tidied > 500) {
        tidied = Date.now();
        await rig.tell("daemon.retry", {});
        for (const { ref, hold_reason } of rig.registry.lanes()) {
          if (hold_reason !== null && hold_reason !== "unsure")
            await rig.must("queue.release", { thread: ref });
        }
      }
      const held = new Set(
        rig.registry
          .lanes()
          .filter((lane) => lane.hold_reason === "unsure")
          .map(({ ref }) => ref),
      );
      return !rig.registry.messages().some(({ state, lane }) => isUnder(state) && !held.has(lane));
    },
    90_000,
  );
}
