/** Limits of other machines that are reached over ssh: a part of `limits`. */
const second = 1000;
const KiB = 1024;

export const hostLimits = {
  host: {
    /** Until the other machine's dispatch has begun: name look-up, jump hosts and the log-in of a slow one. */
    dialMs: 30 * second,
    /** The same where one command reads several: one that is down must not keep the others' rows back for long. */
    severalDialMs: 8 * second,
    /** Then until its daemon has answered hello: it may have to be started. */
    helloMs: 25 * second,
    /** What a log-in script may print before that. */
    noiseBytesMax: 64 * KiB,
    /** Bytes of what ssh and the other machine say on standard error: the last ones, for the error. */
    stderrBytesMax: 8 * KiB,
    /** Characters of that in an error. */
    wordsCharsMax: 400,
    /** After the connection has ended: how long ssh may take to exit, so that its words are whole. */
    exitGraceMs: second,
    /** Seconds between two signs of life that ssh asks for. */
    aliveSeconds: 15,
    /** Unanswered ones until ssh gives the connection up: a dead network is noticed within a minute. */
    aliveMissedMax: 3,
    /** Characters of the name of a host: those of a label in DNS. */
    nameCharsMax: 63,
    /** How long a connection that reads use stays open after the last one. */
    keptIdleMs: 60 * second,
    /** How old it may become: what a name means to ssh may change. */
    keptAgeMs: 600 * second,
    /** Until a read that was not answered over it goes its own way: the network may be gone. */
    keptAnswerMs: second,
    /** How long a host is left alone to which none could be opened. */
    keptAgainMs: 15 * second,
    /** Machines that one command reads at once: a fleet of one person. */
    atOnceMax: 32,
  },
} as const;
