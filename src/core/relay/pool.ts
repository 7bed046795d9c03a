/**
 * Takes messages of pools. The server may give one message to two machines, so a machine stores it, then claims it, and
 * makes its thread only if the claim is its own. A machine that dies in between claims again when it is back; a claim is
 * never given twice.
 */
import { DispatchError, errorMessage } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Arrived, Arriving, RelayLink, RelaySettings, Verdict } from "../model/ports/relay.ts";
import type { MessageId, Ref } from "../model/ports/rows.ts";
import { attempt, isKnown, refuse, refuseUnlessWelcome, writer } from "./arrive.ts";
import { readMail } from "./letter.ts";

/** What pools need of other parts of core. */
export type MakeThread = (draft: {
  name: string;
  presets: readonly string[];
  cwd: string | null;
  text: string;
  key: string;
  by: string;
  receipt: MessageId;
}) => Promise<Ref>;

export interface Pools {
  take(pool: string, arriving: Arriving): Promise<Verdict>;
  mayTake(pool: string): boolean;
  /** Claims what a daemon before this one stored and did not claim. */
  claimLeft(): Promise<void>;
  /** Makes the threads of what was won. False: some have to wait. */
  work(): Promise<boolean>;
}

export function poolsOf(
  deps: CoreDeps,
  { name, pools }: RelaySettings,
  link: () => RelayLink,
  makeThread: MakeThread,
  /** Called when `work`, or `claimLeft`, has something to do. */
  wake: (isUnclaimed: boolean) => void,
): Pools {
  const { store, journal, log } = deps;
  const { relay } = store;

  async function claim(row: Pick<Arrived, "id">): Promise<void> {
    const owner = await link().claim(row.id);
    journal.commit((change) => {
      if (relay.findArrived(row.id)?.state !== "claiming") return;
      if (owner === name) relay.setArrived(row.id, { state: "won" });
      else relay.removeArrived(row.id);
      change.after(() => (owner === name ? wake(false) : link().roomMade()));
    });
  }

  async function makeOne(row: Arrived): Promise<boolean> {
    const read = readMail(row.body ?? "");
    const settings = pools[row.pool ?? ""];
    if (isBroken(deps, settings?.cwd ?? deps.home)) return false;
    try {
      if (!("mail" in read)) throw new DispatchError("stale", "the message cannot be read");
      if (!settings) throw new DispatchError("not_found", `this machine left the pool ${row.pool}`);
      refuseUnlessWelcome(deps);
      const lane = await makeThread({
        name: `${row.pool} ${row.id.slice(-8)}`,
        presets: settings.presets,
        cwd: settings.cwd,
        text: read.mail.text,
        key: `relay ${row.id}`,
        by: writer(row.origin, read.mail.by),
        receipt: row.id,
      });
      journal.commit(() => relay.setArrived(row.id, { state: "taken", lane, body: null }));
      return true;
    } catch (thrown) {
      const isLater =
        !(thrown instanceof DispatchError) ||
        ["storage", "agent_down", "timeout", "unsure", "internal"].includes(thrown.code);
      if (isLater) {
        log.warn("a message of a pool waits", { receipt: row.id, reason: errorMessage(thrown) });
        return false;
      }
      refuse(deps, row, row.pool, row.id, thrown);
      link().roomMade();
      return true;
    }
  }

  return {
    async take(pool, arriving) {
      const verdict = await attempt(deps, arriving, pool, async ({ id }): Promise<Verdict> => {
        const row = relay.findArrived(id);
        if (row ? row.state !== "claiming" : isKnown(deps, id)) return "done";
        try {
          if (!row)
            journal.commit((change) =>
              relay.addArrived({
                id: id as MessageId,
                origin: arriving.origin,
                pool,
                state: "claiming",
                body: arriving.body,
                lane: null,
                error: null,
                created_at: change.now,
              }),
            );
          await claim({ id: id as MessageId });
          return "done";
        } catch (thrown) {
          log.warn("a message of a pool could not be claimed", {
            receipt: id,
            reason: errorMessage(thrown),
          });
          // A machine that may take one at a time is not given this one again while it has it.
          wake(true);
          return { againMs: limits.relay.againMs };
        }
      });
      return verdict;
    },
    mayTake: (pool) => relay.countOpen(pool) < (pools[pool]?.atOnce ?? 0),
    async claimLeft() {
      for (const row of relay.listArrived(["claiming"], limits.relay.eventsMax)) await claim(row);
    },
    async work() {
      let isAll = true;
      for (const row of relay.listArrived(["won"], limits.relay.eventsMax))
        isAll = (await makeOne(row)) && isAll;
      return isAll;
    },
  };
}

/** A configuration that cannot be read is no reason to refuse a message: somebody is editing it. */
function isBroken(deps: CoreDeps, cwd: string): boolean {
  try {
    deps.policy();
    deps.config(cwd);
    return false;
  } catch (thrown) {
    deps.log.warn("messages of pools wait: the configuration is broken", { reason: errorMessage(thrown) });
    return true;
  }
}
