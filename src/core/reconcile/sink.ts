/** What the agent tells core: the child's birth, its words, its death. */
import { errorMessage, fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { blameFor } from "../loading/blame.ts";
import { interruptGoals } from "../loading/goal.ts";
import { open } from "../loading/open.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import type { AgentSink, Epoch } from "../model/ports/agent.ts";
import type { Lane } from "../model/ports/rows.ts";
import { expireRequests } from "../requests/request.ts";
import { endEphemeral } from "../state/ephemeral.ts";
import { ingest } from "./ingest.ts";

export interface Told {
  /** After the commit: the lane's turn ended, so its next message may go. */
  turnOver(lane: Lane): void;
  /** Something is to be settled by reading, soon. */
  unsettled(): void;
}

export function sinkOf(deps: CoreDeps, told: Told): AgentSink {
  const { store, journal, live, clock, log } = deps;
  const ingested = ingest(deps, told.turnOver);
  /** A batch was refused by the disk: what was loaded then, of which nothing is sure until it is opened again. */
  let unheard: Set<string> | undefined;
  /** Epochs whose child is gone, and of whose group something was left then. */
  const left = new Set<Epoch>();

  return {
    onSpawn: (child) =>
      journal.commit((change) => {
        // Nobody is born while anything of a former child lives, so whatever is open is over.
        for (const { id } of store.epochs.unended()) {
          // What was not told is an end that a full disk refused.
          if (!left.delete(id)) settleEnd(change, id, "its end could not be stored when it came");
          store.epochs.end(id, "all of its processes are gone", change.now);
        }
        return store.epochs.open(child, change.now);
      }),

    onReady(epoch, { version, codex_home }) {
      const known = store.log.codexHome();
      if (known !== null && known !== codex_home) {
        fail("agent_down", `Codex uses the home ${codex_home}, but this registry belongs to ${known}`, {
          hint: `dispatch down, then CODEX_HOME=${known} dispatch up; or use another dispatch home`,
        });
      }
      journal.commit((change) => {
        if (known === null) store.log.setCodexHome(codex_home);
        store.epochs.markUp(epoch, version, change.now);
        change.append({ kind: "codex.up", data: { epoch, version } });
      });
      live.begin(epoch);
      told.unsettled();
    },

    onEvents(epoch, events) {
      try {
        ingested(epoch, events);
      } catch (thrown) {
        if (!unheard) {
          log.error("events of Codex could not be stored", { thrown });
          unheard = new Set();
          hearAgain(epoch);
        }
        // Memory never holds what the registry refused: forget what is loaded, and read it again once there is space.
        for (const [threadId] of live.list()) {
          unheard.add(threadId);
          live.drop(threadId);
        }
      }
    },

    onExit(epoch, reason, isLeft = false) {
      live.end();
      unheard?.clear();
      const isExplained = journal.commit((change) => {
        if (!isLeft) store.epochs.end(epoch, reason, change.now);
        settleEnd(change, epoch, reason);
        return blameFor(deps, change, epoch);
      });
      if (isLeft) left.add(epoch);
      return isExplained;
    },
  };

  /**
   * Until the registry takes a word again. Then what was loaded is opened again, since no read shows what Codex asked
   * meanwhile: it asks its open questions again on a resume (measured). Reading tells the rest.
   */
  function hearAgain(epoch: Epoch): void {
    clock.after(limits.loop.everyMs, () => {
      try {
        journal.commit((change) => change.append({ kind: "gap", data: { epoch } }));
      } catch (thrown) {
        log.debug("the registry still takes nothing", { reason: errorMessage(thrown) });
        hearAgain(epoch);
        return;
      }
      for (const threadId of unheard ?? []) reopen(threadId);
      unheard = undefined;
      told.unsettled();
    });
  }

  function reopen(threadId: string): void {
    const ref = store.lanes.findByThread(threadId)?.ref;
    if (ref === undefined) return;
    deps
      .locked(ref, () => {
        // A look in between may have told that it is loaded, and nothing of what it asked.
        live.drop(threadId);
        return open(deps, ref);
      })
      .catch((thrown: unknown) =>
        log.warn("a thread could not be opened again", { lane: ref, reason: errorMessage(thrown) }),
      );
  }

  /** What follows from the end of a child, whether or not its processes are gone. */
  function settleEnd(change: Change, epoch: Epoch, reason: string): void {
    expireRequests(deps, epoch, change);
    endEphemeral(deps, change);
    interruptGoals(deps, change);
    change.append({
      kind: "codex.down",
      data: { epoch, reason: reason.slice(0, limits.event.textCharsMax) },
    });
    change.append({ kind: "gap", data: { epoch } });
  }
}
