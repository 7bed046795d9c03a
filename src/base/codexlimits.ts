/** Limits of what is asked of Codex and heard from it, and of the processes and timers for it: a part of `limits`. */
const second = 1000;
const minute = 60 * second;
const KiB = 1024;
const MiB = 1024 * KiB;

export const codexLimits = {
  wire: {
    /** Of a whole message to Codex, with what is around such a value. */
    depthMax: 120,
    /** Parts of a dotted key of Codex's configuration: 200 are answered, 20,000 end Codex (measured). */
    configKeyPartsMax: 100,
    /** One line of the app-server: a full page of ten turns measured 4.4 MB; past this it is counted and dropped. */
    lineBytesMax: 32 * MiB,
    /** Lines of one read that share one transaction. */
    batchLinesMax: 256,
    /** More than 128 in flight makes the app-server lose requests for good; 64 keeps the same throughput. */
    inFlightMax: 64,
    /** Requests that wait for a place in the window before the caller is told no. */
    backlogMax: 4096,
    /** Items under way of which something is kept for the question that may follow: the files of a patch, a hook's end. */
    openChangesMax: 256,
    /** Of all those patches: two lines of Codex at their limit. */
    openChangesCharsMax: 64 * MiB,
    /** Of what Codex says in a refusal: an unknown method is answered with the list of all 184. */
    refusalCharsMax: 500,
    /** A deadline that fired this late fired because the machine slept: it starts again once. */
    deadlineLateMs: 5 * second,
    /** How often a read is repeated when Codex was overloaded or silent; what writes is never repeated. */
    readRetriesMax: 2,
    /** Codex answers again within some 10 ms (measured); then a read is asked once more. */
    overloadPauseMs: 100,
    /** Sub-agents whose parent is remembered; Codex itself allows a handful at a time. */
    subAgentsKnownMax: 1024,
    /** Parents above a sub-agent: Codex's own limit of depth is far lower. */
    subAgentDepthMax: 16,
    /** Codex clamps a page of threads to this. */
    pageMax: 100,
    /** Where an injected item is looked for: what followed one claim fits many times over. */
    rolloutTailBytes: 16 * MiB,
    /** Turns of one page of history: ten were measured to be 4.4 MB. */
    historyPageTurns: 10,
    /** Pages of one history: 100,000 turns, so that a server that repeats itself is left. */
    historyPagesMax: 10_000,
    /** Models that Codex lists: it has some ten. */
    modelsMax: 200,
    /**
     * Threads that are read to find a fork whose answer was lost, those made nearest to it first: each is one call, and the
     * fork is among the first few unless somebody set the clock.
     */
    forkCandidatesMax: 1000,
    /** Of Codex's own queue of a thread so many are looked at: nobody types more ahead. */
    queueMax: 10_000,
    /** Of a thread's sandbox as JSON: some hundred writable folders. */
    sandboxCharsMax: 32 * KiB,
  },

  process: {
    /** Of what a child writes to its stderr: the end, where the reason is. */
    stderrTailBytes: 16 * KiB,
    /** Output written before the exit is in the pipe already; reading it takes a moment. */
    pipeGraceMs: 250,
    /** A tool asked for one fact answers at once or is not asked. */
    toolTimeoutMs: 5 * second,
    /** What a dead child started may hold its stdout open; then the stream is given up. */
    drainGraceMs: second,
    /** How long what a dead child started may take to end (3.5 s measured), before it is killed. */
    orphanGraceMs: 4 * second,
    /** How often it is looked at meanwhile. */
    orphanLookEveryMs: 20,
    /** stdin closed, then TERM, then KILL: a healthy child leaves within 90 ms, orphans took up to 3.5 s. */
    stopGraceMs: 2 * second,
    /** Between TERM and KILL. */
    termGraceMs: 2 * second,
    /** What detached processes of Codex leave behind when they end is collected this often. */
    reapEveryMs: 10 * second,
    /** Parents of a caller that are looked at: shells in shells are some ten deep. */
    ancestorsMax: 64,
    /** Of a process's environment: an exec takes 2 MiB, and all but a few have some KB. */
    environmentBytesMax: 256 * KiB,
    /** Somebody who looks at the instance lock holds it for an instant: try again before believing it is taken. */
    lockTries: 5,
    /** The pause before each of them. */
    lockRetryMs: 10,
    /** A file that was made and never written has its two times this near to each other. */
    fileTimesApartMs: 10,
  },

  codex: {
    /** Codex answers a call within 50 ms, or it hangs; those that scan or load have limits of their own. */
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
     * A start that computes at least this much in that time is waited for on: a Codex that has lost its database reads all
     * rollouts before it answers (93 s for 1 GB, measured), and from the beginning when it is cut off.
     */
    startWorkMs: second,
    /** And no start, however hard it works, takes longer than this. */
    startMaxMs: 15 * minute,
    /** Unreadable lines of a start that works: one that reads its rollouts prints nothing (measured). */
    startGarbageMax: 100,
    /** What is kept of an installed Codex's lacks: some KB. */
    lacksBytesMax: 64 * KiB,
    /** What Codex writes of its own schema: 0.1 s measured. Untold after this, the start goes on without it. */
    schemaTimeoutMs: 3 * second,
    /** How long a command waits for a child that is starting. */
    readyWaitMs: 10 * second,
    /** How often an idle child is asked whether it still answers. */
    pingEveryMs: 10 * second,
    /** How long it may take to. */
    pingTimeoutMs: 5 * second,
    /** Of those in a row: then it hangs, and is replaced. */
    pingMisses: 3,
    /** Between a crash and the next start; doubled with each crash. */
    backoffFirstMs: 500,
    /** The longest such pause. */
    backoffMaxMs: 30 * second,
    /** Crashes within the window below: then nothing is started until the circuit closes. */
    crashesMax: 5,
    /** Five starts with their pauses take some 30 s, so the window holds them several times. */
    crashesWindowMs: 180 * second,
    /** How long no start is tried then, unless `daemon retry` asks for one. */
    circuitOpenMs: 5 * minute,
    /** The same of what Codex warns of without a thread. */
    warningsMax: 50,
    /** Passed to the child, so that an unsubscribed thread gives its writer lock back soon. */
    threadUnloadDelaySecs: 2,
  },

  timer: {
    /** How much too early a timer may fire by the clock that is asked (measured). */
    slackMs: 5,
    /** A timer over 2^31 - 1 ms fires at once. */
    maxMs: 24 * 60 * minute,
    /** One day, for what is counted in days. */
    dayMs: 24 * 60 * minute,
  },
} as const;
