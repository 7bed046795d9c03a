/** Receives what the agent reports: the spawn of the child, its events, its exit. */
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
import { cancelToolCalls } from "../requests/toolcall.ts";
import { endEphemeral } from "../state/ephemeral.ts";
import { cutAgents } from "../state/subagents.ts";
import { ingest } from "./ingest.ts";

export interface SinkListener {
  /** Called after the commit: a turn of the lane ended, so its next message may go. */
  onTurnEnd(lane: Lane): void;
  /** Something has to be settled by reading, soon. */
  onUnsettled(): void;
}

export function sinkOf(deps: CoreDeps, listener: SinkListener): AgentSink {
  const { store, journal, live, clock, log } = deps;
  const ingestEvents = ingest(deps, listener.onTurnEnd);
  /**
   * The threads that were loaded when the disk refused a batch. Their state is not certain until they are opened again.
   */
  let unstored: Set<string> | undefined;
  /** Epochs whose child is gone, but whose process group still had a process then. */
  const left = new Set<Epoch>();

  return {
    onSpawn: (child) =>
      journal.commit((change) => {
        // No child is spawned while a process of a former one lives, so every open epoch is over.
        for (const { id } of store.epochs.unended()) {
          // An epoch that is not in `left` has an end that a full disk refused to store.
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
      listener.onUnsettled();
    },

    onEvents(epoch, events) {
      try {
        ingestEvents(epoch, events);
      } catch (thrown) {
        if (!unstored) {
          log.error("events of Codex could not be stored", { thrown });
          unstored = new Set();
          retryStore(epoch);
        }
        // Memory must not have what the registry refused: drop what is loaded, and read it again when there is space.
        for (const [threadId] of live.list()) {
          unstored.add(threadId);
          live.drop(threadId);
        }
      }
    },

    onExit(epoch, reason, isLeft = false) {
      // Not one that a daemon before this one left behind, and this one ended.
      const wasUp = live.epoch() === epoch;
      live.end();
      unstored?.clear();
      const isExplained = journal.commit((change) => {
        if (!isLeft) store.epochs.end(epoch, reason, change.now);
        settleEnd(change, epoch, reason);
        return wasUp && blameFor(deps, change, epoch);
      });
      if (isLeft) left.add(epoch);
      return isExplained;
    },
  };

  /**
   * Repeats until the registry can be written again. Then the threads that were loaded are opened again, since no read
   * shows the requests of Codex: it sends its open requests again on a resume (facts F48). Reading shows the rest.
   */
  function retryStore(epoch: Epoch): void {
    clock.after(limits.loop.everyMs, () => {
      try {
        journal.commit((change) => change.append({ kind: "gap", data: { epoch } }));
      } catch (thrown) {
        log.debug("the registry still takes nothing", { reason: errorMessage(thrown) });
        retryStore(epoch);
        return;
      }
      for (const threadId of unstored ?? []) reopen(threadId);
      unstored = undefined;
      listener.onUnsettled();
    });
  }

  function reopen(threadId: string): void {
    const ref = store.lanes.findByThread(threadId)?.ref;
    if (ref === undefined) return;
    deps
      .locked(ref, () => {
        // A look in between may have found it loaded, without its open requests.
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
    cancelToolCalls(deps, change, { epoch }, "its Codex ended");
    endEphemeral(deps, change);
    interruptGoals(deps, change);
    cutAgents(store, change);
    change.append({
      kind: "codex.down",
      data: { epoch, reason: reason.slice(0, limits.event.textCharsMax) },
    });
    change.append({ kind: "gap", data: { epoch } });
  }
}
