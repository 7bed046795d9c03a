/** Limits of the protocol with Codex, and of its processes and timers: a part of `limits`. */
const second = 1000;
const minute = 60 * second;
const KiB = 1024;
const MiB = 1024 * KiB;

export const codexLimits = {
  wire: {
    /** JSON depth of a whole message to Codex: a value, and the levels around it. */
    depthMax: 120,
    /** Parts of a dotted key of Codex's configuration: 200 are answered, 20,000 end Codex (facts F11). */
    configKeyPartsMax: 100,
    /** One line of the app-server: a page of ten turns may have 4.4 MB (facts F60). A longer line is counted and dropped. */
    lineBytesMax: 32 * MiB,
    /** Lines of one read that share one transaction. */
    batchLinesMax: 256,
    /** Above 128 calls in flight the app-server loses requests for good (facts F58); 64 has the same throughput. */
    inFlightMax: 64,
    /** Requests that wait for a place in the window. Further ones are refused. */
    backlogMax: 4096,
    /** Open items that are remembered for a question that may follow: the files of a patch, the end of a hook. */
    openChangesMax: 256,
    /** Characters of all those patches: two lines of Codex at their limit. */
    openChangesCharsMax: 64 * MiB,
    /** Characters of a refusal by Codex: the answer to an unknown method lists all 184 methods. */
    refusalCharsMax: 500,
    /** A deadline that fires this late fired because the machine slept, so it starts again once. */
    deadlineLateMs: 5 * second,
    /** Retries of a read when Codex was overloaded or silent. A write is never repeated. */
    readRetriesMax: 2,
    /** Codex answers again within some 10 ms (measured); then a read is repeated. */
    overloadPauseMs: 100,
    /** Sub-agents whose parent is remembered; Codex itself allows a handful at a time. */
    subAgentsKnownMax: 1024,
    /** Parents above a sub-agent: Codex's own limit of depth is far lower. */
    subAgentDepthMax: 16,
    /** Codex clamps a page of threads to this. */
    pageMax: 100,
    /** Bytes at the end of a rollout in which an injected item is searched: many times what follows one claim. */
    rolloutTailBytes: 16 * MiB,
    /** Bytes of a rollout's first line, which holds the instructions of the thread and its tools: it has some 25 KB. */
    rolloutHeadBytes: 64 * KiB,
    /** The same for instructions at their own limit, escaped. */
    rolloutHeadBytesMax: 8 * MiB,
    /** Turns of one page of history: ten may have 4.4 MB (facts F60). */
    historyPageTurns: 10,
    /** Pages of one history: 100,000 turns. A server that repeats itself is stopped there. */
    historyPagesMax: 10_000,
    /** Models that Codex lists: it has some ten. */
    modelsMax: 200,
    /**
     * Threads that are read to find a fork whose answer was lost, those made nearest to it first: each is one call, and the
     * fork is among the first few unless somebody set the clock.
     */
    forkCandidatesMax: 1000,
    /** Messages that are read from Codex's own queue of a thread: nobody queues more by hand. */
    queueMax: 10_000,
    /** Permission profiles of one directory: Codex has three of its own, and a person writes the others. */
    profilesMax: 1000,
    /** Characters of a thread's sandbox as JSON: some hundred writable folders. */
    sandboxCharsMax: 32 * KiB,
  },

  process: {
    /** Characters of a line that a child prints besides its protocol. */
    printedLineMax: KiB,
    /** Lines of those that are shown as the reason of its end: the one that says why, and what explains it. */
    printedLinesMax: 3,
    /** Characters of those lines. */
    printedCharsMax: 500,
    /** A line that says why is no reason any more when the child went on for this long. */
    causeMaxMs: minute,
    /** Bytes of each stream of a short command of Codex: one that fails may print its reason last. */
    commandBytesMax: 256 * KiB,
    /** Output written before the exit is in the pipe already; reading it takes a moment. */
    pipeGraceMs: 250,
    /** A tool that is run for one fact answers at once, or its answer is not used. */
    toolTimeoutMs: 5 * second,
    /** What a dead child started may hold its stdout open; then the stream is given up. */
    drainGraceMs: second,
    /** How long the processes of a dead daemon's child may take to exit (3.5 s, facts F59) before they are killed. */
    orphanGraceMs: 4 * second,
    /** How often that is checked. */
    orphanLookEveryMs: 20,
    /** stdin closed, then TERM, then KILL: a healthy child leaves within 90 ms, orphans took up to 3.5 s. */
    stopGraceMs: 2 * second,
    /** Between TERM and KILL. */
    termGraceMs: 2 * second,
    /** How often exited detached processes of Codex are reaped. */
    reapEveryMs: 10 * second,
    /** Parents of a caller that are checked: nested shells are some ten deep. */
    ancestorsMax: 64,
    /** Bytes of a process's environment: the kernel allows 2 MiB, most have some KB. */
    environmentBytesMax: 256 * KiB,
    /** A process that checks the instance lock holds it for an instant, so an attempt is repeated. */
    lockTries: 5,
    /** The pause before each attempt. */
    lockRetryMs: 10,
    /** A file that was made and never written has its two times this near to each other. */
    fileTimesApartMs: 10,
  },

  codex: {
    /** Codex answers a call within 50 ms, or it hangs. Calls that scan or load have their own limits. */
    callTimeoutMs: 10 * second,
    /**
     * To start, fork or resume a thread: Codex answers once its required MCP servers are up, each within its own
     * `startup_timeout_sec`, which is 30 s unless configured and far under this wherever it is.
     */
    loadTimeoutMs: 10 * minute,
    /** Scans of the sessions folder: 15 s measured at 10,000 threads. */
    scanTimeoutMs: 60 * second,
    /** From the spawn to the answer to initialize: 0.2 s measured on an idle machine. */
    startTimeoutMs: 20 * second,
    /**
     * A start that uses at least this much CPU time in that time is not ended: a Codex that lost its database reads all
     * rollouts before it answers (93 s for 1 GB, facts F65), and starts over when it is killed.
     */
    startWorkMs: second,
    /** The limit of a start, also when it uses CPU time. */
    startMaxMs: 15 * minute,
    /** Unreadable lines during a start: a Codex that reads its rollouts prints nothing (facts F65). */
    startGarbageMax: 100,
    /** Bytes of the stored list of what an installed Codex lacks: some KB. */
    lacksBytesMax: 64 * KiB,
    /** Codex writes its schema in 0.1 s (facts F61). After this the start continues without it. */
    schemaTimeoutMs: 3 * second,
    /** How long a command waits for a child that is starting. */
    readyWaitMs: 10 * second,
    /** How often an idle child is pinged. */
    pingEveryMs: 10 * second,
    /** How long the answer to a ping may take. */
    pingTimeoutMs: 5 * second,
    /** Missed pings in a row after which the child hangs and is replaced. */
    pingMisses: 3,
    /** Between a crash and the next start; doubled with each crash. */
    backoffFirstMs: 500,
    /** The longest such pause. */
    backoffMaxMs: 30 * second,
    /** Crashes within the window below: then nothing is started until the circuit closes. */
    crashesMax: 5,
    /** Five starts with their pauses take some 30 s, so the window holds them several times. */
    crashesWindowMs: 180 * second,
    /** How long no start is tried then, unless `daemon retry` requests one. */
    circuitOpenMs: 5 * minute,
    /** Warnings of Codex that are not about a thread: the newest ones. */
    warningsMax: 50,
    /** Passed to the child, so that an unsubscribed thread gives its writer lock back soon. */
    threadUnloadDelaySecs: 2,
    /** Until the first turn of a goal has begun: Codex takes some ms for it. */
    goalStartMs: 10 * second,
  },

  timer: {
    /** How much too early a timer may fire by the monotonic clock (measured). */
    slackMs: 5,
    /** A timer over 2^31 - 1 ms fires at once. */
    maxMs: 24 * 60 * minute,
    /** One day, for what is counted in days. */
    dayMs: 24 * 60 * minute,
  },
} as const;
