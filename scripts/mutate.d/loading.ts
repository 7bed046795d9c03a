import type { Mutant } from "./mutant.ts";

const open = "src/core/loading/open.ts";
const goal = "src/core/loading/goal.ts";
const idle = "src/core/loading/idle.ts";

export const loading: readonly Mutant[] = [
  {
    file: "src/core/loading/effective.ts",
    from: '  "model_provider",\n]',
    to: "]",
    what: "another provider works on after a crash, unseen",
  },
  {
    file: open,
    from: "    if (differing.length > 0) await refuseDiffering(deps, lane, opened, differing);\n",
    to: "",
    what: "a text runs with other settings than its thread was given",
    tests: ["core/promises.test.ts"],
  },
  {
    file: open,
    from: "      await pauseGoal(deps, lane, threadId);\n",
    to: "",
    what: "to open a thread continues its goal",
    tests: ["core/loading/goal.test.ts"],
  },
  {
    file: open,
    from: "  if (!isUnderWay) refuseWithoutFolder(deps, lane);\n",
    to: "",
    what: "a text runs in a folder that is gone",
    tests: ["core/promises.test.ts"],
  },
  {
    file: "src/core/loading/opening.ts",
    from: "known?.at ?? (how.isNew ? clock.monotonic() : 0)",
    to: "known?.at ?? clock.monotonic()",
    what: "a turn that a resume started is steered",
    tests: ["core/loading/open.test.ts"],
  },
  {
    file: goal,
    from: "      await agent.clearGoal(lane.thread_id);\n    await putGoal",
    to: "      ;\n    await putGoal",
    what: "a new goal goes on with the tokens of the finished one",
  },
  {
    file: goal,
    from: "    lane.hold_reason === null &&\n",
    to: "",
    what: "a held thread's goal starts its work",
  },
  {
    file: goal,
    from: " &&\n    isFirstDelivered(deps.store, lane.ref)",
    to: "",
    what: "a goal swallows the first text of its thread",
    tests: ["core/threads/create.test.ts"],
  },
  {
    file: idle,
    from: 'if (live.get(lane.thread_id) && (await agent.readThread(lane.thread_id!)).status === "active")',
    to: "if (false)",
    what: "an archive, a revert or a compaction cuts a turn that was not heard of",
  },
  {
    file: idle,
    from: "  refuseUnsettled(deps, ref);\n  if (needs",
    to: "  if (needs",
    what: "a history is rewritten under a text that is not settled",
  },
  {
    file: "src/core/loading/alreadysent.ts",
    from: "if (turn === undefined && !isInjected) continue;",
    to: "continue;",
    what: "a registry that was copied back sends again what Codex has",
    tests: ["core/promises.test.ts"],
  },
  {
    file: "src/core/loading/blame.ts",
    from: '    hold(store, change, ref, "crashed");\n',
    to: "",
    what: "a thread that ends Codex is not held",
  },
  {
    file: "src/core/loading/blame.ts",
    from: "epoch === blame.ended ? [] :",
    to: "false ? [] :",
    what: "a Codex that dispatch ends while it opens a thread is held against that thread",
    tests: ["core/loading/blame.test.ts"],
  },
  {
    file: "src/core/state/blocked.ts",
    from: "!(isStuck || isFinal(thrown))",
    to: "!isFinal(thrown)",
    what: "a thread that Codex opens without end never needs attention",
    tests: ["core/loading/opening.test.ts"],
  },
  {
    file: "src/core/loading/history.ts",
    from: "return { turns, reachedFloor: floor === null };",
    to: "return { turns, reachedFloor: true };",
    what: "a floor that is not in the history counts as met",
    tests: ["core/reconcile/recover.test.ts"],
  },
  {
    file: open,
    from: "    await settleAlreadySent(deps, { ...lane, thread_id: threadId }, epoch);\n",
    to: "",
    what: "a registry that was copied back sends what Codex has, unlooked",
    tests: ["core/loading/open.test.ts"],
  },
  {
    file: "src/core/loading/opening.ts",
    from: "    live.drop(threadId);\n    throw thrown;\n",
    to: "    throw thrown;\n",
    what: "a thread whose newest turn could not be read counts as loaded",
    tests: ["core/loading/open.test.ts"],
  },
  {
    file: "src/core/loading/late.ts",
    from: " || (lane && live.openings.has(lane.ref))",
    to: "",
    what: "a late answer unloads a thread that is being opened",
    tests: ["core/loading/late.test.ts"],
  },
  {
    file: "src/core/loading/late.ts",
    from: "is_durable && forkRef !== undefined && !lane",
    to: "is_durable && !lane",
    what: "a late answer deletes a fork that somebody has",
    tests: ["core/loading/late.test.ts"],
  },
  {
    file: "src/core/loading/newthread.ts",
    from: "    if (refusalOf(thrown) !== undefined) withdraw(deps, lane.ref, thrown);\n",
    to: "",
    what: "a fork that is refused late is withdrawn for another reason",
    tests: ["core/loading/opening.test.ts"],
  },
  {
    file: "src/core/threads/take.ts",
    from: "    if (!live.openings.has(ref)) await undoTake(deps, lane);\n",
    to: "",
    what: "a take that is refused leaves the goal of another app paused",
    tests: ["core/threads/take.test.ts"],
  },
];
