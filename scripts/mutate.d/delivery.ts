import type { Mutant } from "./mutant.ts";

const modes = "src/core/delivery/modes.ts";
const drain = "src/core/delivery/drain.ts";
const next = "src/core/delivery/next.ts";
const idle = "src/core/delivery/idle.ts";
const nextTest = "core/delivery/next.test.ts";
const backoff = "src/core/delivery/backoff.ts";
const attempt = "src/core/delivery/attempt.ts";
const accept = "src/core/delivery/accept.ts";
const capacity = "core/state/capacity.test.ts";

export const delivery: readonly Mutant[] = [
  {
    file: modes,
    from: "        refuseUnlessFree(deps, writable(ref));\n        const { id }",
    to: "        const { id }",
    what: "a send overtakes what was queued while it was proven that nothing runs",
    tests: ["core/delivery/accept.test.ts"],
  },
  {
    file: modes,
    from: "      await journal.synced();\n",
    to: "",
    what: "a text is answered that a power cut may lose",
    tests: ["core/delivery/modes.test.ts"],
  },
  {
    file: modes,
    from: "    if (known) return onDisk(ref, known);\n    const lane",
    to: "    if (known) return known;\n    const lane",
    what: "a key that comes again is answered before its text is on the disk, where both come at once",
    tests: ["core/delivery/modes.test.ts"],
  },
  {
    file: modes,
    from: "      if (known) return onDisk(ref, known);\n      writable",
    to: "      if (known) return known;\n      writable",
    what: "a key that comes again is answered before its text is on the disk",
    tests: ["core/delivery/modes.test.ts"],
  },
  {
    file: modes,
    from: '        if (!(await isIdle(deps, opened))) busy(opened.lane, "runs a turn");\n',
    to: "",
    what: "a send goes into a turn that was not heard of",
    tests: ["core/delivery/accept.test.ts"],
  },
  {
    file: modes,
    from: "        const known = knownByKey(store, ref, draft);\n        if (known) return known;\n        writable",
    to: "        writable",
    what: "one key twice at once is two texts",
    tests: ["core/promises.test.ts"],
  },
  {
    file: modes,
    from: "        writable(ref);\n        const opened",
    to: "        const opened",
    what: "a send writes a thread that was given away meanwhile",
    tests: ["core/delivery/accept.test.ts"],
  },
  {
    file: modes,
    from: "          if (block) fail(",
    to: "          if (false) fail(",
    what: "a plain send starts a turn over the limit",
    tests: [capacity],
  },
  {
    file: modes,
    from: "      refuseCulprit(deps, ref);\n",
    to: "",
    what: "a plain send ends the turns of all others a third time",
    tests: ["core/loading/blame.test.ts"],
  },
  {
    file: drain,
    from: "      const now = actionOpen(ref);\n      if",
    to: "      const now = actionFor(opened.lane, true);\n      if",
    what: "a text goes though its queue was held while it was proven that nothing runs",
  },
  {
    file: idle,
    from: "if (known && saysIdle(known) && clock.monotonic() - known.at <= limits.thread.statusFreshMs) return true;",
    to: "if (known && saysIdle(known)) return true;",
    what: "an old word of Codex proves that nothing runs",
    tests: ["core/delivery/drain.test.ts"],
  },
  {
    file: next,
    from: "  if (facts.hasInFlight) return none;\n",
    to: "",
    what: "two texts of a thread are in flight",
    tests: [nextTest],
  },
  {
    file: next,
    from: "  if (facts.isCulprit) return none;\n",
    to: "",
    what: "a thread that ended Codex twice is opened again",
    tests: [nextTest],
  },
  {
    file: next,
    from: '  if (turn === "elsewhere") return none;\n',
    to: "",
    what: "a text goes to a thread whose turn another process runs",
    tests: [nextTest],
  },
  {
    file: next,
    from: "  if (writeLock(lane) !== null) return none;\n",
    to: "",
    what: "a text goes to a thread that is archived or gone",
    tests: [nextTest],
  },
  {
    file: next,
    from: "return block ? ",
    to: "return false ? ",
    what: "two threads get the last place",
    tests: [capacity],
  },
  {
    file: next,
    from: "mayPass(lane.hold_reason) ? waiting.start() : null",
    to: "waiting.start()",
    what: "a text passes a hold that was set by hand",
    tests: [nextTest],
  },
  {
    file: backoff,
    from: " * 2 ** (tries - 1)",
    to: "",
    what: "a refused text is tried as often after an hour as at first",
    tests: ["core/delivery/drain.test.ts"],
  },
  {
    file: backoff,
    from: "(refused.get(ref)?.until ?? 0) > clock.monotonic()",
    to: "false",
    what: "a refused text is tried in a hot loop",
    tests: ["core/delivery/drain.test.ts"],
  },
  {
    file: drain,
    from: "    backoff.add(ref);\n    return false;",
    to: "    return true;",
    what: "a text that Codex refuses is tried again at once",
  },
  {
    file: drain,
    from: "      backoff.clear();\n",
    to: "",
    what: "what was refused waits on though another Codex is up",
    tests: ["core/delivery/modes.test.ts"],
  },
  {
    file: drain,
    from: "      !policyAllows(({ releaseAfter }) => releaseAfter.includes(reason)) ||\n",
    to: "",
    what: "every hold releases itself",
    tests: ["core/delivery/modes.test.ts"],
  },
  {
    file: attempt,
    from: ' || reason === "archived"',
    to: "",
    what: "a text for a thread that was archived elsewhere fails instead of waiting",
  },
  {
    file: attempt,
    from: "  if (isUnknown(thrown)) return;\n",
    to: "",
    what: "a text whose answer was lost is sent again unread",
    tests: ["core/delivery/modes.test.ts"],
  },
  {
    file: attempt,
    from: '  if (reason === "not_loaded" && lane.thread_id !== null) live.drop(lane.thread_id);\n',
    to: "",
    what: "a thread that Codex unloaded is never opened again",
  },
  {
    file: attempt,
    from: "isSteering(message) && floor === message.target_turn_id ? null : floor,",
    to: "floor,",
    what: "a steer is looked for above the turn that it is in",
  },
  {
    file: attempt,
    from: "overridden: lane.overridden || message.settings !== null,",
    to: "overridden: message.settings !== null,",
    what: "an override of one turn stays when the next was refused",
    tests: ["core/promises.test.ts"],
  },
  {
    file: accept,
    from: "if (lane.pending >= limits.message.queuedPerThreadMax)",
    to: "if (false)",
    what: "a queue has no limit",
  },
  {
    file: accept,
    from: "if (Buffer.byteLength(text) > limits.input.textBytesMax)",
    to: "if (false)",
    what: "a text has no limit",
  },
  {
    file: accept,
    from: '  if (facts.in_flight > 0) busy(lane, "has a message in flight");\n',
    to: "",
    what: "a plain send overtakes the text in flight",
  },
  {
    file: accept,
    from: "  if (pending === 0 || hold_reason !== null) return;\n",
    to: "  return;\n",
    what: "a plain send overtakes the queue",
  },
  {
    file: accept,
    from: "  while (store.messages.find(id)) id = mint.id();\n",
    to: "",
    what: "two texts have one id",
  },
  {
    file: "src/core/delivery/turnend.ts",
    from: "if (isOver || end.status",
    to: "if (end.status",
    what: "a turn that a usage limit cut is nudged twice",
    tests: ["core/reconcile/ingest.test.ts"],
  },
  {
    file: "src/core/delivery/promptrefusal.ts",
    from: '  if (turn?.status !== "completed") return undefined;\n',
    to: "",
    what: "a turn that failed without its text ends the text for good",
    tests: ["core/promises.test.ts"],
  },
];
