import type { Mutant } from "./mutant.ts";

const fire = "src/core/automation/fire.ts";
const guards = "src/core/automation/guards.ts";
const watch = "src/core/automation/watch.ts";
const reader = "src/core/automation/logreader.ts";
const engine = "src/core/automation/engine.ts";
const notify = "src/core/automation/notify.ts";
const triggers = "core/automation/triggers.test.ts";
const subscriptions = "core/automation/subscriptions.test.ts";

export const automation: readonly Mutant[] = [
  {
    file: fire,
    from: '  if (automation?.state !== "active") return undefined;\n',
    to: "  if (!automation) return undefined;\n",
    what: "a subscription of one time wakes again",
    tests: [subscriptions],
  },
  {
    file: fire,
    from: "  if (failures >= limits.automation.failuresMax)",
    to: "  if (false)",
    what: "a trigger that always fails goes on for ever",
    tests: [triggers],
  },
  {
    file: guards,
    from: "  if ((causeOf(store, event)?.depth ?? 0) >= limits.automation.depthMax)",
    to: "  if (false)",
    what: "two threads wake each other without end",
    tests: [triggers],
  },
  {
    file: guards,
    from: '  if (target && automation.action.kind !== "wake" && writeLock(target) !== null)',
    to: "  if (false)",
    what: "a trigger of a thread that takes nothing fails again and again",
    tests: [triggers],
  },
  {
    file: watch,
    from: "  const isKnown = watched.holds && watched.seq !== event.seq;",
    to: "  const isKnown = watched.holds;",
    what: "a wake is lost when the daemon dies between seeing and firing",
    tests: [subscriptions],
  },
  {
    file: watch,
    from: '  if (event.kind === "turn.started" && !canEnd) return watched.holds ? "arm" : "none";\n',
    to: "",
    what: "what is done a second time wakes nobody",
    tests: [subscriptions],
  },
  {
    file: reader,
    from: "event.seq <= automation.since || ",
    to: "",
    what: "what happened before a subscription wakes as well",
    tests: [subscriptions],
  },
  {
    file: reader,
    from: "    if (all.some(({ holds }) => !holds)) return;\n",
    to: "",
    what: "a wake of all comes with the first of them",
    tests: [subscriptions],
  },
  {
    file: engine,
    from: "    if (back < limits.automation.setBackMs) return;\n",
    to: "    return;\n",
    what: "a clock that is set back stops every trigger",
    tests: [triggers],
  },
  {
    file: notify,
    from: ".filter(({ automation }) => !under.has(automation))",
    to: "",
    what: "a program is started again while it runs",
    tests: ["core/automation/notify.test.ts"],
  },
];
