/** Limits of what is asked of Codex and heard from it: a part of `limits`. */
const second = 1000;
const minute = 60 * second;
const KiB = 1024;
const MiB = 1024 * KiB;

export const codexLimits = {
  /** One line of the app-server: a full page of ten turns measured 4.4 MB; past this it is counted and dropped. */
  childLineBytesMax: 32 * MiB,
  /** Lines of one read that share one transaction. */
  childBatchLinesMax: 256,
  /** More than 128 in flight makes the app-server lose requests for good; 64 keeps the same throughput. */
  childInFlightMax: 64,
  /** Requests that wait for a place in the window before the caller is told no. */
  childBacklogMax: 4096,
  /** Items under way of which something is kept for the question that may follow: the files of a patch, a hook's end. */
  childOpenChangesMax: 256,
  /** Sub-agents whose parent is remembered; Codex itself allows a handful at a time. */
  agentsKnownMax: 1024,
  /** Parents above a sub-agent: Codex's own limit of depth is far lower. */
  agentDepthMax: 16,
  /** Of all those patches: two lines of Codex at their limit. */
  childOpenChangesCharsMax: 64 * MiB,
  childStderrTailBytes: 16 * KiB,
  /** Of what Codex says in a refusal: an unknown method is answered with the list of all 184. */
  childRefusalCharsMax: 500,
  /** Codex's own limit for the objective of a goal. */
  goalCharsMax: 4000,
  /** Output written before the exit is in the pipe already; reading it takes a moment. */
  pipeGraceMs: 250,
  /** A tool asked for one fact answers at once or is not asked. */
  toolTimeoutMs: 5 * second,

  agentCallTimeoutMs: 10 * second,
  /**
   * To start, fork or resume a thread: Codex answers once its required MCP servers are up, each within its own
   * `startup_timeout_sec`, which is 30 s unless configured and far under this wherever it is.
   */
  agentLoadTimeoutMs: 10 * minute,
  /** How long a caller waits for that, with the thread locked. Then it goes on in the background. */
  openWaitMs: 45 * second,
  /** One thread keeps a pass over all that is unfinished so long; then it is settled beside the rest. */
  settleWaitMs: 2 * second,
  /** Scans of the sessions folder: 15 s measured at 10,000 threads. */
  agentScanTimeoutMs: 60 * second,
  agentStartTimeoutMs: 20 * second,
  /**
   * A start that computes at least this much in that time is waited for on: a Codex that has lost its database reads all
   * rollouts before it answers (93 s for 1 GB, measured), and from the beginning when it is cut off.
   */
  agentStartWorkMs: second,
  agentStartMaxMs: 15 * minute,
  /** Unreadable lines of a start that works: one that reads its rollouts prints nothing (measured). */
  agentStartGarbageMax: 100,
  /** Of a thread's sandbox as JSON: some hundred writable folders. */
  sandboxCharsMax: 32 * KiB,
  /** What is kept of an installed Codex's lacks: some KB. */
  lacksBytesMax: 64 * KiB,
  /** What Codex writes of its own schema: 0.1 s measured. Untold after this, the start goes on without it. */
  agentSchemaTimeoutMs: 3 * second,
  /** How long a command waits for a child that is starting. */
  agentReadyWaitMs: 10 * second,
  /** How often a read is repeated when Codex was overloaded or silent; what writes is never repeated. */
  agentReadRetriesMax: 2,
  agentOverloadPauseMs: 100,
  /** A deadline that fired this late fired because the machine slept: it starts again once. */
  agentDeadlineLateMs: 5 * second,
  agentPingEveryMs: 10 * second,
  agentPingTimeoutMs: 5 * second,
  agentPingMisses: 3,
  agentBackoffFirstMs: 500,
  agentBackoffMaxMs: 30 * second,
  timerSlackMs: 5,
  /** A timer over 2^31 - 1 ms fires at once. */
  timerMaxMs: 24 * 60 * minute,
  agentCrashesMax: 5,
  agentCrashesWindowMs: 180 * second,
  agentCircuitOpenMs: 5 * minute,
  /** stdin closed, then TERM, then KILL: a healthy child leaves within 90 ms, orphans took up to 3.5 s. */
  agentStopGraceMs: 2 * second,
  agentTermGraceMs: 2 * second,
  /** What a dead child started may hold its stdout open; then the stream is given up. */
  childDrainGraceMs: second,
  orphanGraceMs: 4 * second,
  orphanLookEveryMs: 20,
  /** Passed to the child, so that an unsubscribed thread gives its writer lock back soon. */
  threadUnloadDelaySecs: 2,
  /** A lane idle this long is unsubscribed. */
  laneIdleUnloadMs: 60 * second,
  /** Where an injected item is looked for: what followed one claim fits many times over. */
  rolloutTailBytes: 16 * MiB,
  /** Codex clamps a page of threads to this. */
  codexPageMax: 100,
  /** The child unloads an unsubscribed thread after `threadUnloadDelaySecs`. */
  unloadWaitMs: 10 * second,
  unloadLookEveryMs: 100,
  historyPageTurns: 10,
  modelsMax: 200,
  /**
   * Threads that are read to find a fork whose answer was lost, those made nearest to it first: each is one call, and the
   * fork is among the first few unless somebody set the clock.
   */
  forkCandidatesMax: 1000,
  /** Of Codex's own queue of a thread so many are looked at: nobody types more ahead. */
  nativeQueueMax: 10_000,
  historyPagesMax: 10_000,

  /** A status this young, said by the running child itself, proves idle as well as asking again would. */
  statusFreshMs: 250,
  /** A running turn silent this long is settled by one cheap read. */
  turnSilentMs: 30 * second,
} as const;
