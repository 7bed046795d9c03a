/** Limits of `dispatch top`, the live board: a part of `limits`. */
const second = 1000;
const KiB = 1024;

export const topLimits = {
  top: {
    /** Threads that the board reads: the newest ones, as many as one page of `list` has. */
    threadsMax: 1000,
    /** Changed threads are read together, the first at once and then at most this often: nobody reads a table faster. */
    readEveryMs: second,
    /** A thread at work is read so often for its tokens alone, which every item changes. */
    countEveryMs: 5 * second,
    /** A list read of all threads takes at most one tenth of the daemon's time: the pause after it is this many times as long. */
    readPauseFactor: 10,
    /** So many changed threads are read one by one; more of them, by one list. */
    readsMax: 12,
    /** The open thread's last turns are read from Codex, which is slower than the registry. */
    tailEveryMs: 500,
    /** Turns of the open thread: what happened last, not its history. */
    tailTurns: 5,
    /** Items of those turns: some screens. */
    tailItems: 100,
    /** Ages are shown in seconds. */
    tickMs: second,
    /** The pause between two tries to reach a daemon that is down. */
    reconnectMs: second,
    /** The same for another machine: each try is a log-in there. */
    hostReconnectMs: 10 * second,
    /** A key and the start of an escape sequence are the same byte. The rest of a sequence follows within this time, over ssh too. */
    escapeMs: 25,
    /** The order of the rows is kept for so long after the last key, so that no row moves under a finger. */
    orderKeptMs: 30 * second,
    /** How long a note about an action is shown. */
    noteMs: 8 * second,
    /** A narrower terminal shows no useful board. */
    columnsMin: 40,
    /** A lower one does not either. */
    rowsMin: 8,
    /** One typed or pasted text. A longer one is sent from a file by `dispatch send --text-file`. */
    editorBytesMax: 64 * KiB,
    /** Lines of one request or of one timeline that are laid out: a patch of 256 KiB has fewer. */
    linesMax: 20_000,
    /** Characters of a message that are looked at for one line: wider than any terminal. */
    lineCharsMax: 500,
    /** Characters of a message that the timeline shows. */
    timelineCharsMax: 2000,
    /** Lines of one command's output that the timeline shows: the last ones. */
    outputLinesMax: 6,
    /** How long a terminal that takes no more output may delay the end. */
    restoreMs: second,
    /** How soon a terminal that refused output is tried again. */
    writeRetryMs: 10,
  },
} as const;
