/** Limits of the relay between machines: a part of `limits`. */
const second = 1000;
const minute = 60 * second;
const day = 24 * 60 * minute;
const KiB = 1024;

export const relayLimits = {
  relay: {
    /** Characters of the name of a machine or a pool: one word of a subject, and typed by hand. */
    nameCharsMax: 32,
    /** Servers of one cluster that are tried. */
    serversMax: 16,
    /** Pools of one machine: each has a request of its own open at the server. */
    poolsMax: 16,
    /** Threads of one pool that a machine works on at a time, unless the configuration says otherwise. */
    atOnce: 1,
    /** How long the server may take to accept a connection. */
    connectTimeoutMs: 5 * second,
    /** How often a machine asks the server for a sign of life. */
    pingMs: 5 * second,
    /** Such questions without an answer; the next one ends the connection. A network that fell silent is known within 15 s. */
    pingsOpenMax: 2,
    /** How long a send waits for a connection that is being made. */
    connectWaitMs: 5 * second,
    /** How long the server may take to answer: it writes to its disk first, and to those of its cluster. */
    answerTimeoutMs: 5 * second,
    /** The pause before the next connection, doubled each time. */
    backoffFirstMs: 500,
    /** The longest such pause: a server that is back is found within it. */
    backoffMaxMs: 30 * second,
    /**
     * A message that was given to a daemon and not acknowledged is given again after this time. To store one takes some
     * ms, and one that waits for the disk is held, so only a lost acknowledgement comes to this.
     */
    mailAckWaitMs: 5 * second,
    /** The same for what comes back, and for pools, where another machine takes it then. */
    ackWaitMs: 30 * second,
    /** Messages that the server gives a machine before the first of them is stored; they share a transaction. */
    mailGivenMax: 32,
    /** Reports of one transaction. */
    reportsMax: 256,
    /** What happens within this time is reported together: a message that is queued and starts at once is one report. */
    gatherMs: 20,
    /** Between two transactions of messages or reports: what comes faster shares one. The first one does not wait. */
    apartMs: 60,
    /** Bytes of the reports of one message. A single report may be larger: a server takes a megabyte by default. */
    letterBytesMax: 32 * KiB,
    /** Reports of one message that are read: more than that many bytes hold. */
    letterReportsMax: 512,
    /** Events of one page of the log that are looked at for reports. */
    eventsMax: 500,
    /** Reports whose answers of the server are waited for at a time. */
    publishedMax: 64,
    /** How long a machine asks for the next message of a pool, or of its own, before it asks again. */
    pullMs: 30 * second,
    /** The pause when the disk refused a message. The message stays in the stream. */
    againMs: 2 * second,
    /** Times a message is tried that meets a bug here. Then it is refused, so that those behind it arrive. */
    triesMax: 5,
    /** How long the stream keeps a message for a machine that does not come. */
    mailAgeMaxMs: 30 * day,
    /** How long it is kept which machine took a message of a pool: longer than the stream keeps the message. */
    claimAgeMaxMs: 60 * day,
    /** The window within which the stream itself drops a second copy. A receipt drops it for ever. */
    duplicateWindowMs: 2 * minute,
    /** A machine that is not found is looked for once more after this time. */
    lookAgainMs: 300,
    /** How long a machine that was found to exist is not asked for again. */
    knownMs: minute,
    /** Bytes of the answer of a turn that a report carries: as much as the registry keeps of it. */
    answerBytesMax: 16 * KiB,
    /** Open questions that a report names. */
    asksMax: 5,
    /** Characters of the data of an event that comes back: the log here takes no more. */
    eventCharsMax: 1000,
    /** Bytes around the text of a message: its envelope, and escapes are counted with the text. */
    envelopeBytesMax: 4 * KiB,
  },
} as const;
