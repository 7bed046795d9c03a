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
    /** Events of one page of the log. */
    eventsMax: 500,
    /** The pause after a failure, doubled each time. */
    backoffFirstMs: 10 * second,
    /** The longest such pause. */
    backoffMaxMs: 10 * minute,
    /** In a row: then it is paused. */
    failuresMax: 5,
    /** Hops of a message that caused a message: then it is paused. */
    depthMax: 8,
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
    /** Of a key or an id at the top level of a line that cannot be read whole. */
    lineIdBytesMax: 256,
    /** Of the names in a frame (an operation, a schema, a version, a thread). */
    nameCharsMax: 200,
    /** A control frame holds one text of 1 MiB escaped (up to 6 bytes a byte) with room to spare. */
    frameBytesMax: 8 * MiB,
    /** Clients at a time: hosts, terminals and scripts of one person are some dozens. */
    connectionsMax: 256,
    /** Calls of one client at a time: an agent asks a handful. */
    callsPerConnectionMax: 64,
    /** Beyond these two limits: for what a person needs when everything else is taken. */
    connectionsReserved: 16,
    /** The same, of calls. */
    callsReserved: 8,
    /** Refused connections that are still left to read why; past this they are closed at once, for their descriptors. */
    refusalsLingeringMax: 32,
    /** Descriptors that the daemon keeps for the registry, the log, Codex and what it opens in between. */
    descriptorsReserved: 64,
    /** A client says who it is with its first bytes; this long it may take on a machine that swaps. */
    helloTimeoutMs: 10 * second,
    /** A refused connection may read why for so long: closing at once can take the words away with it. */
    refusalLingerMs: second,
    /** What a slow reader may leave unread before its stream is cut. */
    outboundBytesMax: 16 * MiB,
    /** A stream waits while more than this is unread: far under the cut, so that only who ignores it is cut. */
    outboundHighWaterBytes: 256 * KiB,
    /** Of a row that no frame holds, the values that stay: a ref, a kind, a method. */
    rowValueCharsMax: 200,
    /** The kernel's limit for a unix socket path: 108 on Linux, 104 on macOS, one byte for the final NUL. */
    pathBytesMax: 103,
  },

  client: {
    /** A daemon that says nothing at all for this long is asked again, and then waited for as above. */
    quickHelloMs: second,
    /** A socket of this machine takes a connection at once, or its daemon hangs. */
    connectTimeoutMs: 2 * second,
    /** Who pressed TAB waits no longer than this for what the daemon knows. */
    completionMs: second,
    /** Of what a shell shows beside a word. */
    completionColumns: 60,
    /** How long a command waits for the daemon that it started: it opens its socket in 50 ms. */
    autostartWaitMs: 10 * second,
    /** How often it tries to connect meanwhile. */
    autostartPollMs: 10,
    /** A daemon that dropped its first client may be ending: this long it is waited for, to learn why. */
    startFailureMs: 500,
    /** A stream that was told to end may take this long before the client leaves anyhow. */
    cancelGraceMs: second,
    /** Times a call that may be repeated is sent when the connection is lost under it: a daemon that dies of it stays dead. */
    callTriesMax: 3,
  },

  mcp: {
    /** Calls that still run when an MCP host closes our input may take this long to answer. */
    eofGraceMs: 2 * second,
    /** What one MCP result may cost an agent's context, about 25,000 tokens; texts are cut first, then it is refused. */
    resultBytesMax: 100 * KiB,
    /** That `list` shows there: some 1.1 KB each, with nothing said yet. */
    threads: 30,
    /** To this, when a result is over the limit; then to the half of it, and so on down to the least. */
    textCharsMax: 2000,
    /** The least that is left of one. */
    textCharsMin: 250,
  },

  daemon: {
    /** How long an end that was asked for may take: then the process leaves anyhow. */
    shutdownGraceMs: 10 * second,
    /** The part of it that calls get to end by themselves once they are told. */
    shutdownCallsMs: 2 * second,
    /** Different failures that `daemon status` shows: the newest few say it, the log has them all. */
    faultsKeptMax: 10,
    /** Of a failure's words there. */
    faultCharsMax: 200,
    /** A failure that did not come back for this long is shown no more. */
    faultShownMs: 24 * 60 * minute,
    /** A half-written copy this old belongs to nobody any more: one that is being written changes all the time. */
    leftoverAgeMs: 10 * minute,
    /** A mark of `down` this old beside a daemon that answers was left by a `down` that was cut off. */
    markAgeMs: minute,
  },

  log: {
    /** Of one file of the log: weeks of a daemon that is well. */
    bytesMax: 8 * MiB,
    /** Of those files: the one that is written and two older ones. */
    filesKept: 3,
    /** Of a list, or of an object, in a log line: the first so many. */
    itemsMax: 50,
    /** Of one string in a log line: a whole stack fits. */
    textCharsMax: 8 * KiB,
    /** How far back `daemon log --raw` looks in the file. */
    tailBytes: MiB,
  },

  store: {
    /** How long a statement waits for another process that reads or copies the registry. */
    busyTimeoutMs: 5 * second,
    /** Copies of the registry that were made before migrations: the newest so many. */
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
