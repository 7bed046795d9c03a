import type { Mutant } from "./mutant.ts";

const request = "src/core/requests/request.ts";
const wait = "src/core/events/wait.ts";
const condition = "src/core/events/condition.ts";

const tools = "core/requests/toolcall.test.ts";

export const rest: readonly Mutant[] = [
  {
    file: "src/core/model/events.ts",
    from: "  if (seq + 1 < log.first) fail",
    to: "  if (false) fail",
    what: "a pruned cursor hides a gap",
    tests: ["core/events/follow.test.ts"],
  },
  {
    file: "src/core/model/events.ts",
    from: "  if (seq > log.last) fail",
    to: "  if (false) fail",
    what: "a cursor past the end waits for ever",
    tests: ["core/events/follow.test.ts"],
  },
  {
    file: "src/core/model/journal.ts",
    from: "      waiting = [];\n      log.error",
    to: "      log.error",
    what: "events that a full disk refuses fill the memory",
  },
  {
    file: "src/core/model/live.ts",
    from: "      if (thread) Object.assign(thread, { status, at: clock.monotonic(), ...signOfLife() });",
    to: "      threads.set(threadId, { floor: null, ...thread, status, at: clock.monotonic(), ...signOfLife() });",
    what: "a thread whose settings were not compared counts as open",
  },
  {
    file: request,
    from: "      if (live.epoch() !== epoch) return;\n",
    to: "",
    what: "a question of a dead child stays open for ever",
  },
  {
    file: request,
    from: "      if (!live.pendingLookups.delete(facts.rpc_id)) return;\n",
    to: "",
    what: "a question that Codex resolved is asked",
  },
  {
    file: request,
    from: '    if (open.state !== "open") {',
    to: "    if (false) {",
    what: "a question is answered twice",
  },
  {
    file: wait,
    from: '  return status !== "active";',
    to: "  return true;",
    what: "a wait ends before the turn that was not heard of",
  },
  {
    file: wait,
    from: "  refuseUnknowable(deps, facts);\n",
    to: "",
    what: "a wait for a turn of a dead Codex is silent",
  },
  {
    file: condition,
    from: " && facts.in_flight === 0 && ",
    to: " && ",
    what: "a wait ends while a text is on its way",
    tests: ["core/events/wait.test.ts"],
  },
  {
    file: condition,
    from: "(facts.lane.pending === 0 || facts.lane.hold_reason !== null)",
    to: "true",
    what: "a wait ends before what is queued",
    tests: ["core/events/wait.test.ts"],
  },
  {
    file: condition,
    from: " && state.agents === 0",
    to: "",
    what: "a wait ends while sub-agents work",
    tests: ["core/events/wait.test.ts"],
  },
  {
    file: "src/core/threads/create.ts",
    from: "  const raced = known(deps, draft);\n  if (raced) return raced;\n",
    to: "",
    what: "one key twice at once is refused as a bug of the registry",
  },
  {
    file: "src/core/threads/historyedit.ts",
    from: "    if (raced) return raced.ref;\n",
    to: "",
    what: "one key twice at once makes two forks",
    tests: ["core/loading/opening.test.ts"],
  },
  {
    file: "src/core/threads/historyedit.ts",
    from: "    if (liveThread) liveThread.floor = left.turns[0]?.id ?? null;\n",
    to: "",
    what: "after a revert a text has a floor that no history holds",
  },
  {
    file: "src/core/threads/metadata.ts",
    from: "    refuseTaken();\n    journal.commit",
    to: "    journal.commit",
    what: "two renames at once get one handle",
  },
  {
    file: "src/core/threads/metadata.ts",
    from: 'const lane = await assertIdle(deps, target.ref, "archiving", true);',
    to: 'const lane = await assertIdle(deps, target.ref, "archiving");',
    what: "a thread is archived over its queue",
    tests: ["core/loading/idle.test.ts"],
  },
  {
    file: "src/core/threads/stop.ts",
    from: "  await until(deps, timeoutMs, () => !isBeginning(deps, ref));\n",
    to: "",
    what: "a text that was sent a moment ago outlives the stop",
  },
  {
    file: "src/core/requests/toolcall.ts",
    from: "  if (store.toolCalls.findByWire(epoch, facts.rpc_id)) return;\n",
    to: "",
    what: "a tool call that Codex sends again is a bug of the registry",
    tests: [tools],
  },
  {
    file: "src/core/requests/toolcall.ts",
    from: "own < runningPerThreadMax && running.length < runningMax",
    to: "running.length < runningMax",
    what: "one thread takes the place of all tool calls",
    tests: [tools],
  },
  {
    file: "src/core/requests/toolcall.ts",
    from: '      if (store.toolCalls.find(row.id)?.state === "running") answer(deps, change, row, made);\n',
    to: "      answer(deps, change, row, made);\n",
    what: "a tool call that was cancelled is answered too",
    tests: [tools],
  },
  {
    file: "src/core/delivery/turnend.ts",
    from: '  cancelToolCalls(deps, change, { lane: lane.ref, turn_id: end.turn_id }, "its turn ended");\n',
    to: "",
    what: "a tool call outlives its turn",
    tests: [tools],
  },
  {
    file: "src/core/reconcile/sink.ts",
    from: '    cancelToolCalls(deps, change, { epoch }, "its Codex ended");\n',
    to: "",
    what: "a tool call outlives its Codex",
    tests: [tools],
  },
  {
    file: "src/core/threads/agents.ts",
    from: "settings.tools && !hasTools(deps, draft.agent) && !mayDelegateApproval(own)",
    to: "false",
    what: "an agent whose calls are asked about makes a thread whose calls are not",
    tests: ["core/threads/agents.test.ts"],
  },
];
