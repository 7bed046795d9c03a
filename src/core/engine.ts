/** The engine: the verbs, the loops behind them, and the sink of the agent. */

import { errorMessage } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import { loop } from "../base/loop.ts";
import { macrotask } from "../base/macrotask.ts";
import { automation } from "./automation/engine.ts";
import type { Core } from "./core.ts";
import { delivery } from "./delivery/modes.ts";
import { interruptGoals } from "./loading/goal.ts";
import type { CoreDeps } from "./model/deps.ts";
import type { AgentSink } from "./model/ports/agent.ts";
import type { Ref } from "./model/ports/rows.ts";
import type { MessageCursor } from "./model/ports/store.ts";
import { reconcile } from "./reconcile/loop.ts";
import { sinkOf } from "./reconcile/sink.ts";
import { relay } from "./relay/engine.ts";
import { nextInLine } from "./state/capacity.ts";
import { cutAgents } from "./state/subagents.ts";
import { verbsOf } from "./verbs.ts";

export interface Audit {
  caller: string;
  op: string;
  lane: Ref | null;
  receipt: string | null;
  outcome: string;
}

/** What the composition root holds; ops see only `core`. */
export interface Engine {
  core: Core;
  sink: AgentSink;
  /** Begins the loops; `agent` may already be starting. */
  begin(): void;
  audit(row: Audit): void;
  /** The composition root closes the agent next: what Codex does not finish is not to blame for its end. */
  closing(): void;
  /** Ends the loops, when the agent is closed. */
  end(): Promise<void>;
}

export function engineOf(deps: CoreDeps): Engine {
  const { store, journal, agent, clock, log } = deps;
  const deliver = delivery(deps);
  const settle = reconcile(deps, deliver);
  const settling = loop(
    clock,
    limits.loop.everyMs,
    () => {
      relaying.sync();
      return settle.step();
    },
    (thrown) => log.error("reconciling failed", { thrown }),
  );
  const pruning = loop(clock, limits.event.pruneEveryMs, prune, (thrown) =>
    log.error("pruning failed", { thrown }),
  );
  let isEnding = false;
  const splitting = loop(clock, limits.search.indexSplitEveryMs, splitOld, (thrown) =>
    log.error("indexing again failed", { thrown }),
  );
  const sink = sinkOf(deps, {
    onTurnEnd(lane) {
      settle.turnOver(lane.ref);
      for (const ref of nextInLine(deps)) deliver.kick(ref);
    },
    onUnsettled: settleSoon,
  });

  /** `onReady` comes a moment before the child accepts calls. */
  function settleSoon(): void {
    const isUp = () => {
      deliver.freshStart();
      settling.soon();
    };
    agent
      .ready(limits.codex.readyWaitMs)
      .then(isUp, (thrown: unknown) => log.warn("Codex was up and is not", { reason: errorMessage(thrown) }));
  }

  async function prune(): Promise<void> {
    const before = clock.now() - deps.policy().keepDays * limits.timer.dayMs;
    // In small transactions, since the events of Codex wait meanwhile.
    while (journal.note(() => store.events.prune(before, limits.event.pruneRowsMax)) > 0) await macrotask();
    for (const table of [
      store.automations,
      store.outbox,
      store.inbox,
      store.toolCalls,
      store.usage,
      store.profiles,
      // What may be given once more is still known then.
      { prune: (at: number, limit: number) => store.relay.prune(Math.min(at, keptArrivals()), limit) },
    ])
      while (journal.note(() => table.prune(before, limits.event.pruneRowsMax)) > 0) await macrotask();
    let after: MessageCursor | null = null;
    do {
      const from: MessageCursor | null = after;
      after = journal.note(() =>
        store.messages.dropTexts({ before, after: from, limit: limits.event.pruneRowsMax }),
      );
      await macrotask();
    } while (after !== null);
    while (journal.note(() => store.items.dropForgotten(limits.search.indexDropMax)) > 0) await macrotask();
  }

  function keptArrivals(): number {
    return clock.now() - limits.relay.claimAgeMaxMs;
  }

  /** Does not delay a start or an end: the next start continues. */
  async function splitOld(): Promise<void> {
    await macrotask();
    while (!isEnding && !store.items.isSplit()) {
      journal.note(() => store.items.splitOld(limits.search.indexSplitMax, limits.search.indexSplitBytes));
      await macrotask();
    }
  }

  const relaying = relay(deps, {
    delivery: deliver,
    async makeThread({ name, presets, cwd, text, key, by, receipt }) {
      const made = store.lanes.findByCreateKey(key);
      if (made) return made.ref;
      const flags = { text, ...(cwd === null ? {} : { cwd }) };
      const request = { name, presets, flags, key, created_by: by, cwd: deps.home };
      const { draft } = await core.checkedPlan(request);
      return (await core.create({ ...draft, receipt }, new AbortController().signal)).ref;
    },
  });
  const core = verbsOf(deps, { deliver, settle, relaying, automate: () => automating.soon() });
  const automating = automation(deps, {
    delivery: deliver,
    stop: (ref) => core.stop(ref, limits.thread.stopTimeoutMs),
    async create({ preset, name, text, key, by }) {
      // A daemon before this one made it: its name, which is taken by now, is not checked again.
      const made = store.lanes.findByCreateKey(key);
      if (made) return made.ref;
      const draft = { name, presets: preset === null ? [] : [preset], flags: { text }, key, created_by: by };
      const { draft: checked } = await core.checkedPlan({ ...draft, cwd: deps.home });
      return (await core.create(checked, new AbortController().signal)).ref;
    },
  });

  return {
    core,
    sink,
    begin() {
      journal.commit((change) => {
        change.append({ kind: "daemon.up" });
        // Also when no child comes up, which would find the end of the one before.
        interruptGoals(deps, change);
        cutAgents(store, change);
      });
      settling.soon();
      clock.after(limits.event.pruneFirstMs, () => pruning.soon());
      splitting.soon();
      automating.begin();
    },
    audit({ caller, op, outcome, lane, receipt }) {
      journal.later({ kind: "op.called", lane, receipt, data: { caller, op, outcome } });
    },
    closing() {
      deps.blame.ended = deps.live.epoch();
    },
    async end() {
      isEnding = true;
      await Promise.all([
        settling.stop(),
        pruning.stop(),
        splitting.stop(),
        automating.end(),
        relaying.end(),
      ]);
      journal.commit((change) => change.append({ kind: "daemon.down" }));
    },
  };
}
