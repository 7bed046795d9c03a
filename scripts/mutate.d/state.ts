import type { Mutant } from "./mutant.ts";

const settle = "src/core/state/settle.ts";
const turn = "src/core/state/turn.ts";
const hold = "src/core/state/hold.ts";
const subagents = "src/core/state/subagents.ts";
const ingest = "core/reconcile/ingest.test.ts";
const modes = "core/delivery/modes.test.ts";

export const state: readonly Mutant[] = [
  {
    file: settle,
    from: '  if (message.state !== "claimed" && message.state !== "sent" && message.state !== "unsure") return;\n',
    to: "",
    what: "a text is delivered twice by its event and by its history",
    tests: [ingest],
  },
  {
    file: turn,
    from: '  if (known && known.status !== "in_progress") return;\n  const messages',
    to: "  const messages",
    what: "a turn ends twice, and holds again what was released",
    tests: [ingest],
  },
  {
    file: turn,
    from: '    if (known.status === "in_progress") store.turns.put({ ...known, epoch });\n    return;\n',
    to: "",
    what: "a late word of its start begins a turn again",
    tests: [ingest],
  },
  {
    file: turn,
    from: "reportedAt === null || now - reportedAt < 1000 ? now : reportedAt",
    to: "reportedAt ?? now",
    what: "a turn of this second ends before it began",
    tests: [ingest],
  },
  {
    file: turn,
    from: "reportedAt === null || now - reportedAt < 1000 ? now : reportedAt",
    to: "now",
    what: "a turn that ended an hour ago ended now",
    tests: [ingest],
  },
  {
    file: turn,
    from: "completed_at: Math.max(started_at, endedAt(end.completed_at, change.now)),",
    to: "completed_at: endedAt(end.completed_at, change.now),",
    what: "a turn ends before it began",
    tests: [ingest],
  },
  {
    file: settle,
    from: "  if (message.attempt >= limits.message.attemptsMax) {",
    to: "  if (false) {",
    what: "a text is tried for ever",
    tests: ["core/delivery/promptrefusal.test.ts"],
  },
  {
    file: settle,
    from: '  if (request?.state !== "open") return;\n',
    to: "",
    what: "an answered question expires",
    tests: ["core/requests/request.test.ts"],
  },
  {
    file: turn,
    from: "    expire(store, change, request.id);\n  for",
    to: "    ;\n  for",
    what: "a question outlives its turn",
    tests: [ingest],
  },
  {
    file: turn,
    from: " && !isInterjected(store, lane.ref, end.turn_id)",
    to: "",
    what: "the turn that an interjection cuts holds the interjection",
    tests: [modes],
  },
  {
    file: turn,
    from: '    if (message.state === "queued") failSteer(store, change, message);\n',
    to: "",
    what: "a steer that never left waits for a turn that is over",
    tests: ["core/state/hold.test.ts"],
  },
  {
    file: settle,
    from: '  if (isHeld && (message.mode === "send"',
    to: '  if (false && (message.mode === "send"',
    what: "a text begins again at once, against the stop that cut it",
    tests: ["core/state/hold.test.ts"],
  },
  {
    file: settle,
    from: '  hold(store, change, message.lane, "unsure");\n',
    to: "",
    what: "what waits goes on behind a text of which nobody knows",
    tests: [modes],
  },
  {
    file: hold,
    from: "(current !== null && strength[current] >= strength[reason])",
    to: "now === reason",
    what: "the end of a turn renames what a person holds, and the next one lifts it",
  },
  {
    file: hold,
    from: 'if (reason === "failed" || reason === "stopped" || reason === "crashed") release',
    to: "if (reason) release",
    what: "a completed turn releases what a person holds",
  },
  {
    file: hold,
    from: "if (!stillUnsure && ",
    to: "if (",
    what: "one text that is settled releases another that is unsure",
  },
  {
    file: hold,
    from: 'return reason === null || reason === "failed" || reason === "stopped" || reason === "crashed";',
    to: "return true;",
    what: "an interjection passes what a person holds",
    tests: ["core/state/hold.test.ts"],
  },
  {
    file: "src/core/reconcile/sink.ts",
    from: "    cutAgents(store, change);\n",
    to: "",
    what: "sub-agents that end with their Codex count as done well",
    tests: ["core/state/subagents.test.ts"],
  },
  {
    file: "src/core/engine.ts",
    from: "        cutAgents(store, change);\n",
    to: "",
    what: "a wait calls done what a killed daemon left, until Codex is up",
    tests: ["core/state/subagents.test.ts"],
  },
  {
    file: subagents,
    from: "if (store.turns.running(lane.ref).length === 0)",
    to: "if (true)",
    what: "a sub-agent that fails under a running turn holds the queue",
    tests: ["core/state/subagents.test.ts"],
  },
  {
    file: subagents,
    from: 'if (lane?.source !== "own") continue;',
    to: "if (!lane) continue;",
    what: "the thread of another app is held",
    tests: ["core/state/subagents.test.ts"],
  },
  {
    file: "src/core/events/condition.ts",
    from: 'condition === "done" && hasBadAgents(facts.latest)',
    to: "false",
    what: "a wait calls good what lost its sub-agents",
    tests: ["core/state/subagents.test.ts"],
  },
  {
    file: "src/core/state/writable.ts",
    from: "  if (reason === null) return;\n",
    to: "  return;\n",
    what: "a text is written into another app's thread",
    tests: ["core/delivery/accept.test.ts"],
  },
];
