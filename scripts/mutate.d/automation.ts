import type { Mutant } from "./mutant.ts";

const fire = "src/core/automation/fire.ts";
const guards = "src/core/automation/guards.ts";
const watch = "src/core/automation/watch.ts";
const reader = "src/core/automation/logreader.ts";
const engine = "src/core/automation/engine.ts";
const notify = "src/core/automation/notify.ts";
const sidework = "src/core/automation/sidework.ts";
const triggers = "core/automation/triggers.test.ts";
const subscriptions = "core/automation/subscriptions.test.ts";
const watching = "core/automation/watch.test.ts";
const controlled = "core/automation/control.test.ts";
const besides = "core/automation/beside.test.ts";
const control = "src/core/automation/control.ts";
const beside = "src/core/automation/beside.ts";

export const automation: readonly Mutant[] = [
  {
    file: fire,
    from: '  if (automation?.state !== "active") return;\n',
    to: "  if (!automation) return;\n",
    what: "an automation that was paused since fires",
    tests: [subscriptions],
  },
  {
    file: fire,
    from: "  if (failures >= limits.automation.failuresMax &&",
    to: "  if (false &&",
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
    from: "    if (all.some(({ holds, seq }) => !holds || seq === null)) return;\n",
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
    file: engine,
    from: "        if ((start.slot_at ?? 0) < (one.slot_at ?? 0)) ",
    to: "        ",
    what: "a moment is lost when it is noticed that the clock was set back",
    tests: [controlled],
  },
  {
    file: notify,
    from: ".filter(({ automation }) => !works.isAtWork(automation))",
    to: "",
    what: "a program is started again while it runs",
    tests: ["core/automation/notify.test.ts"],
  },
  {
    file: sidework,
    from: "          return clock.sleep(limits.automation.backoffFirstMs, over.signal);\n",
    to: "",
    what: "on a full disk a program is started again and again without a pause",
    tests: ["core/automation/notify.test.ts"],
  },
  {
    file: reader,
    from: " && one.since < seq",
    to: "",
    what: "what was archived before pauses a trigger after a restart",
    tests: [controlled],
  },
  {
    file: control,
    from: "    const isHeld = isSo && !isKnown;",
    to: "    const isHeld = isSo;",
    what: "a resumed subscription wakes again for what it woke for",
    tests: [controlled],
  },
  {
    file: fire,
    from: "  if (automation.guards.until !== null && occurrence.moment > automation.guards.until) {",
    to: "  if (false) {",
    what: "an event after its end fires a trigger",
    tests: [watching],
  },
  {
    file: watch,
    from: " && !isAny(when.conditions) ?",
    to: " ?",
    what: "a condition that holds still is forgotten when another one ends",
    tests: [watching],
  },
  {
    file: guards,
    from: "  if (guards.max_fires !== null && fired + open >= guards.max_fires)",
    to: "  if (false)",
    what: "a trigger fires once too often while Codex is slow",
    tests: [besides],
  },
  {
    file: beside,
    from: "      if (works.isAtWork(automation) || works.count() >= besideMax) continue;",
    to: "      if (works.count() >= besideMax) continue;",
    what: "what a trigger began is begun again while it runs",
    tests: [besides],
  },
  {
    file: beside,
    from: "    if (!isOver) await actions.stop(lane);",
    to: "    if (lane !== null) await actions.stop(lane);",
    what: "a stop that a killed daemon left stops a later turn",
    tests: [besides],
  },
];
