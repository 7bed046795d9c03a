import type { Mutant } from "./mutant.ts";

const recover = "src/core/reconcile/recover.ts";
const loop = "src/core/reconcile/loop.ts";
const upkeep = "src/core/reconcile/upkeep.ts";
const ingest = "src/core/reconcile/ingest.ts";
const sink = "src/core/reconcile/sink.ts";

export const reconcile: readonly Mutant[] = [
  {
    file: recover,
    from: "  await open(deps, lane.ref);\n  if (message.mode",
    to: "  if (message.mode",
    what: "history is read without the writer lock, and a text sent again",
  },
  {
    file: recover,
    from: " || !store.epochs.isEnded(message.epoch)",
    to: "",
    what: "a text is sent again while the child that may have it lives",
  },
  {
    file: recover,
    from: "else if (!back.reachedFloor)",
    to: "else if (false)",
    what: "a text is sent again though its history could not be searched",
  },
  {
    file: recover,
    from: "if (message.path !== null && path !== message.path)",
    to: "if (false)",
    what: "a text is sent again into a history that was rewritten",
  },
  {
    file: recover,
    from: "    else if (refusal) failed(store, change, now, refusal);\n",
    to: "",
    what: "a text that a hook refused goes round once more after a crash",
  },
  {
    file: recover,
    from: 'lane !== undefined && lane.source !== "attached" &&',
    to: "lane !== undefined &&",
    what: "what went into Codex's own queue is taken for lost with our child",
    tests: ["core/delivery/codexqueue.test.ts"],
  },
  {
    file: recover,
    from: 'holds: (turn?.items.length ?? 0) > 0 || status !== "interrupted",',
    to: "holds: true,",
    what: "a turn that was lost with its text holds the queue",
  },
  {
    file: recover,
    from: "  if (lane.durable_at !== null) markGone(deps, lane.ref);\n",
    to: "",
    what: "a thread whose history is gone is not told to be",
  },
  {
    file: recover,
    from: "if (lane.durable_at === null) requeued(store, change, message, null);\n      else unsure",
    to: "if (lane.durable_at === null) unsure(store, change, message, why);\n      else requeued(store, change, message, null);\n      if (0) unsure",
    what: "a text of a thread whose history is gone is sent again",
  },
  {
    file: loop,
    from: '        if (turn?.status === "in_progress") continue;\n',
    to: '        if (turn?.status === "in_progress") turn.status = "interrupted";\n',
    what: "a living turn is ended as interrupted",
  },
  {
    file: upkeep,
    from: "      if (idleLane(deps, isDue, threadId) === undefined) return;\n",
    to: "",
    what: "a thread is unloaded under the turn that began meanwhile",
    tests: ["core/promises.test.ts"],
  },
  {
    file: upkeep,
    from: ' || lane.goal?.status === "active"',
    to: "",
    what: "an active goal stops silently, its thread unloaded",
  },
  {
    file: upkeep,
    from: "  if (lane && isEphemeral(lane)) return undefined;\n",
    to: "",
    what: "an idle ephemeral thread is ended",
  },
  {
    file: upkeep,
    from: "  if (live.agents(threadId).length > 0 || live.owesReport(threadId)) return undefined;\n",
    to: "",
    what: "the reports of sub-agents are lost with their unloaded thread",
    tests: ["core/events/wait.test.ts"],
  },
  {
    file: upkeep,
    from: "  if (isBusy) return;\n",
    to: "",
    what: "a replaced Codex is ended under its turns",
    tests: ["core/reconcile/sink.test.ts"],
  },
  {
    file: loop,
    from: '    if (status === "active") {\n      live.setStatus(threadId, status);\n      return;\n    }\n',
    to: "",
    what: "a silent turn is ended though Codex says that it runs",
  },
  {
    file: loop,
    from: "limits.message.proofTimeoutMs && !runsFor(message)",
    to: "limits.message.proofTimeoutMs",
    what: "a text that a slow hook still looks at becomes unsure",
  },
  {
    file: loop,
    from: "pauseInterrupted(deps, ref).then(() => true)",
    to: "Promise.resolve(true)",
    what: "an interrupted goal goes on by itself with the next child",
    tests: ["core/promises.test.ts"],
  },
  {
    file: loop,
    from: "if (isWhole && (settledEpoch",
    to: "if ((settledEpoch",
    what: "a gap is closed before all that it touched was read",
  },
  {
    file: loop,
    from: "    if (running.length > 0 && !here) await deps.locked(ref, () => open(deps, ref));\n",
    to: "",
    what: "a running turn is heard no more",
  },
  {
    file: loop,
    from: "      else if (isTurnOver(message) && asked.mode",
    to: "      else if (false && asked.mode",
    what: "a text that its turn ended without waits a minute and is unsure",
  },
  {
    file: "src/core/reconcile/itemcompleted.ts",
    from: "    if (message?.lane === lane.ref) {",
    to: "    if (message) {",
    what: "a text counts as delivered in another thread's turn",
    tests: ["core/reconcile/ingest.test.ts"],
  },
  {
    file: ingest,
    from: "      if (goal === null && lane.goal_setup !== null) return;\n",
    to: "",
    what: "a goal that is still to be set is forgotten",
    tests: ["core/promises.test.ts"],
  },
  {
    file: sink,
    from: "          unstored.add(threadId);\n          live.drop(threadId);\n",
    to: "",
    what: "memory holds what the disk refused",
  },
  {
    file: sink,
    from: "if (known !== null && known !== codex_home)",
    to: "if (false)",
    what: "another Codex home judges the threads of this one",
  },
  {
    file: sink,
    from: "if (!isLeft) store.epochs.end(",
    to: "store.epochs.end(",
    what: "an epoch whose processes live counts as ended",
  },
  {
    file: sink,
    from: "    expireRequests(deps, epoch, change);\n",
    to: "",
    what: "a dead child's question stays open",
    tests: ["core/requests/request.test.ts"],
  },
];
