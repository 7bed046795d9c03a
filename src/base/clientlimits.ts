/** Limits of the clients: a part of `limits`. */
const second = 1000;
const minute = 60 * second;
const KiB = 1024;

export const clientLimits = {
  client: {
    /** `quick` waits this long for the connection, and for each part up to hello. Then `runCli` calls again. */
    quickHelloMs: second,
    /** And for each part of the answer, before and after it has sent hello again. */
    quickAnswerMs: 15 * second,
    /** Its answer is read in pieces of this size: `list` of 100 threads is 42 KB. */
    bufferBytes: 64 * KiB,
    /** Less room than this is not offered to the kernel: many small reads would take long. */
    readBytesMin: 4 * KiB,
    /** While a call waits: how often the client looks whether anything has come, and asks the daemon if nothing has. */
    quietMs: 5 * second,
    /** Questions without any answer, after which the daemon counts as hung: half a minute. A machine may swap for as long. */
    quietTimesMax: 5,
    /** A local socket accepts a connection at once, or its daemon hangs. */
    connectTimeoutMs: 2 * second,
    /** How long completion waits for the daemon after TAB. */
    completionMs: second,
    /** Columns of the description that a shell shows beside a word. */
    completionColumns: 60,
    /** Choices of a picker: more cannot be looked through, and a selector is faster to type. */
    choicesMax: 50,
    /** How long a command waits for the daemon that it started: it opens its socket in 50 ms. */
    autostartWaitMs: 10 * second,
    /** How often it tries to connect meanwhile. */
    autostartPollMs: 10,
    /** How long `up --replace` waits for the work of the old daemon: most turns take some minutes. */
    replaceWaitMs: 30 * minute,
    /** How often it asks. */
    replacePollMs: 250,
    /** A daemon that dropped its first client may be exiting: how long the client waits to learn why. */
    startFailureMs: 500,
    /** How long a cancelled stream may take before the client exits. */
    cancelGraceMs: second,
    /** Lines below a stream on a terminal: more leave no room for the stream. */
    footerLinesMax: 8,
    /** How often they are drawn: their ages are in seconds. */
    footerEveryMs: second,
    /** Times a call that may be repeated is sent when the connection is lost under it: a daemon that dies of it stays dead. */
    callTriesMax: 3,
  },
} as const;
