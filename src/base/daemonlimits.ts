/** Limits of the daemon as a process, of what acts by itself in it, of its clients and files: a part of `limits`. */
const second = 1000;
const minute = 60 * second;
const KiB = 1024;
const MiB = 1024 * KiB;

export const daemonLimits = {
  automation: {
    /** Triggers, subscriptions and notifications: the bench measures 11,000. */
    max: 20_000,
    /** Of a name: as long as a title that one reads at a glance. */
    nameCharsMax: 80,
    /** Threads that one looks at. */
    watchedMax: 1000,
    /** A timer never sleeps longer: a machine that slept, or whose clock was set, is noticed by then. */
    sleepMaxMs: 30 * second,
    /** A wall clock that goes back by more than this was set: every due moment is counted again. */
    setBackMs: 60 * second,
    /** A moment seen later than this was missed. */
    lateMs: 60 * second,
    /** Of `--catch-up all`: older moments are skipped. */
    catchUpMax: 100,
    /** Moments that are counted one by one after a long sleep. */
    slotsMax: 1000,
    /** Looked at in one round, before others get their turn. */
    batchMax: 100,
    /** Fired in one transaction: some 5 ms, for which callers wait. */
    togetherMax: 10,
    /** Events of one page of the log. */
    eventsMax: 500,
    /** The pause after a failure, doubled each time. */
    backoffFirstMs: 10 * second,
    /** The longest such pause. */
    backoffMaxMs: 10 * minute,
    /** What Codex is asked for at a time, as much as one person waits for; the rest waits in order. */
    besideMax: 8,
    /** Of one automation, waiting for that: as many as are caught up. Further ones are skipped. */
    openMax: 100,
    /** In a row: then it is paused. */
    failuresMax: 5,
    /** Hops of a message that caused a message: then it is paused. */
    depthMax: 8,
    /** Of the moment, in the title of a thread that a trigger makes: to the second. */
    slotCharsInTitle: 19,
    /** Firings that events caused, of one automation within `rateWindowMs`: then it is paused. */
    rateMax: 30,
    /** The window of that. */
    rateWindowMs: minute,
    /** Of one value in a text: the last message of a thread is longer, and can be read there. */
    valueCharsMax: 4000,
    /** Messages that a wake quotes of each thread. */
    tailMax: 20,
    /** Firings of each that `trigger get` shows. */
    firingsShownMax: 20,
    /** Moments that `trigger test` shows. */
    slotsShownMax: 5,
    /** What waits for one program: past this the oldest are given up. */
    outboxMax: 10_000,
    /** How long such a program may run. */
    execTimeoutMs: 10 * second,
    /** Of what it writes, for the error. */
    execOutputBytesMax: 4 * KiB,
    /** How long a notification is tried. */
    outboxAgeMaxMs: 24 * 60 * minute,
  },

  socket: {
    /** Bytes of a key or an id at the top level of a line that cannot be read whole. */
    lineIdBytesMax: 256,
    /** Characters of a name in a frame (an operation, a schema, a version, a thread). */
    nameCharsMax: 200,
    /** A control frame holds one text of 1 MiB escaped (up to 6 bytes a byte) with room to spare. */
    frameBytesMax: 8 * MiB,
    /** Clients at a time: hosts, terminals and scripts of one person are some dozens. */
    connectionsMax: 256,
    /** Calls of one client at a time: an agent asks a handful. */
    callsPerConnectionMax: 64,
    /** Connections over that limit, for the ops that a person needs when the daemon is full. */
    connectionsReserved: 16,
    /** And over both, until it is known which of those that connect at once call something. */
    burstMax: 64,
    /** When that is known: after everything that they had sent was read. */
    burstMs: 50,
    /** Calls over that limit, for the same ops. */
    callsReserved: 8,
    /** Refused connections that stay open until the client has read why. Further ones are closed at once. */
    refusalsLingeringMax: 32,
    /** Descriptors that the daemon keeps for the registry, the log, Codex and what it opens in between. */
    descriptorsReserved: 64,
    /** A client sends hello with its first bytes. On a machine that swaps, that may take this long. */
    helloTimeoutMs: 10 * second,
    /** After a connection was made: until its process is looked at, if no call asked before. A pid is not used again as soon. */
    originMs: 20,
    /** How long a refused connection stays open: an immediate close can discard the error. */
    refusalLingerMs: second,
    /** What a slow reader may leave unread before its stream is cut. */
    outboundBytesMax: 16 * MiB,
    /** A stream waits while more than this is unread: far below the limit at which the connection is cut. */
    outboundHighWaterBytes: 256 * KiB,
    /** Values of at most this length stay in a row that is too large for a frame: a ref, a kind, a method. */
    rowValueCharsMax: 200,
    /** The kernel's limit for a unix socket path: 108 on Linux, 104 on macOS, one byte for the final NUL. */
    pathBytesMax: 103,
  },

  report: {
    /** The period without --since. */
    periodMs: 24 * 60 * minute,
    /** Threads of one report. */
    threadsMax: 1000,
    /** Threads that are read without a pause: a millisecond or two each, of the busiest. */
    threadsAtOnce: 10,
    /** Turns, questions and texts, each: a page of 3 MB at most, and one frame of the socket. */
    rowsMax: 10_000,
    /** Rows of a thread's table: the newest. */
    detailsMax: 30,
    /** Bars with words of their own; more are one shape. */
    titledBarsMax: 200,
  },

  mcp: {
    /** Calls that still run when an MCP host closes our input may take this long to answer. */
    eofGraceMs: 2 * second,
    /** What one MCP result may cost an agent's context, about 8,000 tokens: texts are cut first, then rows. */
    resultBytesMax: 32 * KiB,
    /** How long `wait` and `send` wait by default over MCP: many hosts give up a call after a minute. */
    waitMs: 45 * second,
    /** Threads of one call that does the same for several. */
    severalMax: 50,
    /** How many of them run at once: the daemon takes 64 calls of one connection. */
    severalAtOnce: 8,
    /** Questions that a wait returns of one thread. */
    asksMax: 20,
    /** Turns whose last message an agent has been shown, the newest ones. */
    newsKeptMax: 1000,
    /** How long a person may think about a question that the host shows. */
    personMs: 4 * minute,
    /** Questions put to the person in one call. */
    personAsksMax: 10,
    /** Threads that `list` returns over MCP by default: some 1.1 KB each. */
    threads: 30,
    /** Texts are cut to this when a result is over the limit, then to half of it, and so on. */
    textCharsMax: 2000,
    /** The shortest that a text is cut to. */
    textCharsMin: 250,
    /** Fields of an operation that the listing of a group names; a call with a wrong one is refused with all of them. */
    fieldsShownMax: 8,
    /** Words of a choice in a listing: more cost every agent's context more than one refused call. */
    choicesMax: 12,
    /** Characters of a hint that are read for commands. */
    hintCharsMax: 2000,
  },

  tool: {
    /** Calls of dispatch's own tools that run at a time. Each holds a turn of Codex, and most of them wait. */
    runningMax: 64,
    /** Of one thread: a model makes a handful at once. */
    runningPerThreadMax: 8,
    /** How long `dispatch_wait` waits by itself: a turn that shows nothing for longer looks dead to a person. */
    waitMs: 45 * second,
    /** Threads that `dispatch_list` returns by itself: some 40 tokens each. */
    threads: 20,
    /** What one result may cost the context of the thread: about 2,000 tokens, most cost far less. */
    resultBytesMax: 8 * KiB,
    /** Texts are cut to this, then to half of it, until the result fits. */
    textCharsMax: 2000,
    /** The shortest that a text is cut to. */
    textCharsMin: 60,
    /** Characters of a tool's name in records: the model may call anything. */
    nameCharsMax: 100,
  },

  daemon: {
    /** How long a graceful stop may take. Then the process exits anyway. */
    shutdownGraceMs: 10 * second,
    /** How long the lock of a killed daemon may take to become free. */
    killedMs: 5 * second,
    /** The part of that time that open calls get after their abort. */
    shutdownCallsMs: 2 * second,
    /** How long no turn starts after a daemon that waits to take over has asked: several times as long as its pause. */
    handoverMs: 2 * second,
    /** Failures that `daemon status` shows: the newest ones. The log has all. */
    faultsKeptMax: 10,
    /** Characters of a failure's message there. */
    faultCharsMax: 200,
    /** A failure that has not occurred again for this long is not shown any more. */
    faultShownMs: 24 * 60 * minute,
    /** An unfinished copy this old is abandoned: a copy that is being written changes all the time. */
    leftoverAgeMs: 10 * minute,
    /** A stop marker this old, beside a daemon that answers, was left by an interrupted `down`. */
    markAgeMs: minute,
  },

  log: {
    /** Bytes of one log file: weeks of a healthy daemon. */
    bytesMax: 8 * MiB,
    /** The number of log files: the current one and two older ones. */
    filesKept: 3,
    /** Items of a list or an object in a log line: the first ones. */
    itemsMax: 50,
    /** Characters of one string in a log line: a whole stack fits. */
    textCharsMax: 8 * KiB,
    /** How far back `daemon log --raw` looks in the file. */
    tailBytes: MiB,
  },

  store: {
    /** How long a statement waits for another process that reads or copies the registry. */
    busyTimeoutMs: 5 * second,
    /** Copies of the registry from before migrations: the newest ones are kept. */
    migrationBackupsKept: 3,
    /** Faults of a damaged registry that are listed: the first few say it. */
    faultsMax: 20,
  },

  doctor: {
    /** Codex gives an MCP server 30 s to start; doctor names one that needs longer than this. */
    serversMs: 5 * second,
    /** Things that one check of doctor puts right before it gives up. */
    fixesMax: 20,
    /** Under this doctor warns: a migration's backup of a large registry needs more. */
    diskFreeBytesMin: 64 * MiB,
  },
} as const;
