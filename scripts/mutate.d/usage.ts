import type { Mutant } from "./mutant.ts";

const tokens = "src/core/state/tokens.ts";
const budget = "src/core/state/budget.ts";
const capacity = "src/core/state/capacity.ts";
const budgets = ["core/delivery/budget.test.ts"];

export const usage: readonly Mutant[] = [
  {
    file: tokens,
    from: "  if (total.total === known.total) return { spent: null, incomplete: false };\n",
    to: "",
    what: "an answer is counted again in each turn that has none",
  },
  {
    file: tokens,
    from: "last.input > 0 ? last : null",
    to: "last",
    what: "an estimate of Codex is counted as an answer",
  },
  {
    file: tokens,
    from: "return { spent: isRunning ? answer : null, incomplete: false };",
    to: "return { spent: answer, incomplete: false };",
    what: "what a thread used before it was managed is counted",
  },
  {
    file: tokens,
    from: "since.total >= last.total || (!isRunning && since.total > 0)",
    to: "true",
    what: "of an answer after a revert only the difference is counted",
  },
  {
    file: tokens,
    from: "input + output === total && ",
    to: "",
    what: "an overflow that was missed is counted, or nobody learns that it was",
  },
  {
    file: tokens,
    from: "store.lanes.findByThread(root_id) ?? own",
    to: "own",
    what: "what a sub-agent uses is charged to nobody",
  },
  {
    file: budget,
    from: "window.provider === provider && ",
    to: "",
    what: "the threads of one account wait for another account",
    tests: budgets,
  },
  {
    file: budget,
    from: "    .filter((window) => !isOver(window, clock.now()));",
    to: "",
    what: "a thread waits for ever for a window that has reset",
    tests: budgets,
  },
  {
    file: budget,
    from: "used < mark && now >= mark",
    to: "now >= mark",
    what: "each answer over a mark is an event",
    tests: budgets,
  },
  {
    file: budget,
    from: "store.usage.tokensOfDay(localDay(now)) < max",
    to: "true",
    what: "nothing keeps to the tokens of a day",
    tests: budgets,
  },
  {
    file: budget,
    from: "store.usage.tokensOfLane(ref) < max",
    to: "true",
    what: "nothing keeps to the tokens of a thread",
    tests: budgets,
  },
  {
    file: capacity,
    from: "turnsPerCwd === null || store",
    to: "true || store",
    what: "all threads of one directory run at once",
    tests: budgets,
  },
  {
    file: capacity,
    from: "    if (startBlock(deps, lane) !== null) return false;\n",
    to: "",
    what: "a free place is offered to a thread that another limit keeps",
  },
  {
    file: capacity,
    from: "(running === null || turns < running)",
    to: "running === null",
    what: "the larger of two limits on turns counts",
    tests: budgets,
  },
  {
    file: "src/core/loading/goal.ts",
    from: "    budgetBlock(deps, lane) === null &&\n",
    to: "",
    what: "a goal begins although the user's limit is reached",
    tests: budgets,
  },
];
