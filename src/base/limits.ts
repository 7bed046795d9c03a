/**
 * Every limit of the product, grouped by what it limits, each with its reason. Nothing queues, buffers, retries or
 * waits without a limit.
 */
import { clientLimits } from "./clientlimits.ts";
import { codexLimits } from "./codexlimits.ts";
import { daemonLimits } from "./daemonlimits.ts";
import { hostLimits } from "./hostlimits.ts";
import { relayLimits } from "./relaylimits.ts";
import { setupLimits } from "./setuplimits.ts";
import { topLimits } from "./toplimits.ts";

const second = 1000;
const minute = 60 * second;
const KiB = 1024;
const MiB = 1024 * KiB;

export const limits = {
  ...clientLimits,
  ...codexLimits,
  ...daemonLimits,
  ...hostLimits,
  ...relayLimits,
  ...setupLimits,
  ...topLimits,

  input: {
    /** Codex refuses a text over 1,048,576 characters (facts F56); bytes are never fewer than characters. */
    textBytesMax: MiB,
    /** A word of an input, unless its field says otherwise: as long as the longest path that the kernel takes. */
    wordBytesMax: 4 * KiB,
    /** Words in a list of an input: more threads at once than anybody has. */
    listItemsMax: 1000,
    /** One `--config KEY=VALUE`: a value may be a table as JSON. */
    configValueBytesMax: 64 * KiB,
    /** Codex never answers JSON over 127 levels deep (facts F11); the levels around a value count too. */
    jsonDepthMax: 100,
    /** Bytes of an idempotency key: several times a UUID or a delivery id of another system. */
    keyBytesMax: 200,
    /** Characters of a title: several times what a row of `list` or a tab of Codex can show. */
    titleCharsMax: 200,
    /** Characters of a handle, which is typed by hand. */
    handleCharsMax: 40,
    /** Codex's own limit for the objective of a goal (facts F57). */
    goalCharsMax: 4000,
    /** Threads that are read for an ambiguous word: enough to report the ambiguity. */
    matchesMax: 20,
    /** Rows of one page: some MB at the most, far under a frame. */
    pageMax: 1000,
    /** The longest `wait`. A caller that wants to wait longer calls again. */
    waitTimeoutMaxMs: 24 * 60 * minute,
    /** A question that waits longer waits for a person, and needs no end. */
    requestTimeoutMaxMs: 30 * 24 * 60 * minute,
  },

  error: {
    /**
     * Characters of an error's message, its hint, and each text in its data, because they may quote the input. Less than
     * an MCP result shows of one text, so that a text is cut only once.
     */
    charsMax: 1900,
    /** Bytes of an error's data as JSON: with message and hint far below a frame, also when escaped. */
    dataCharsMax: 64 * KiB,
    /** Items that are kept of a list in data over that limit. */
    dataItemsMax: 50,
    /** Characters of a value, or of a field name, that an error quotes. */
    valueCharsMax: 200,
    /** Words of a choice that an error lists. If there are more, it names the nearest. */
    choicesShownMax: 20,
  },

  thread: {
    /** Turns that `get` shows. */
    turnsShownMax: 5,
    /** Threads of one registry: what the bench rows measure up to is 10,000. */
    max: 100_000,
    /** How long a caller waits for that, with the thread locked. Then it goes on in the background. */
    openWaitMs: 45 * second,
    /** An opening that takes longer blocks its thread: most servers start in seconds, some are downloaded first. */
    openingMs: 5 * minute,
    /** A thread that is idle this long is unsubscribed. */
    idleUnloadMs: 60 * second,
    /** The child unloads an unsubscribed thread after `threadUnloadDelaySecs`. */
    unloadWaitMs: 10 * second,
    /** How often that is checked meanwhile. */
    unloadLookEveryMs: 100,
    /** A status of the running child that is at most this old proves idle without another call. */
    statusFreshMs: 250,
    /** Warnings of Codex about one thread: the newest ones. */
    warningsMax: 20,
    /** Characters of a failed turn's message: a provider may send a whole page. */
    turnErrorCharsMax: 4000,
    /** Characters of the last message in a row of `list`. */
    summaryTextCharsMax: 120,
    /** Characters of the last message in the registry: the history has all of it. */
    lastMessageBytesMax: 16 * KiB,
    /** Characters of a first text that is shown as the title. */
    previewCharsMax: 200,
    /** Characters of one item in `tail` without `--full`, to save an agent's context. */
    tailItemCharsMax: 2000,
    /** A running turn silent this long is settled by one cheap read. */
    turnSilentMs: 30 * second,
    /** How long `turn/completed` may be missing after `idle`: it follows at once (facts F22). */
    turnEndLostMs: 2 * second,
    /** A turn that only retries for this long needs attention. dispatch never ends it by itself. */
    retryingAttentionMs: 2 * minute,
    /** How long `stop` waits for the turn to end. Then it returns `pending`. */
    stopTimeoutMs: 10 * second,
    /** Sub-agents of sub-agents, up to the thread they work for. */
    subAgentDepthMax: 8,
  },

  message: {
    /** Queued messages of one thread: years of work, and the size up to which the bench measures a claim. */
    queuedPerThreadMax: 100_000,
    /** Between two that are queued: 20 moves to one place fit before the others get new positions. */
    positionStep: 2 ** 20,
    /** A sent message with no proof after this is `unsure`. */
    proofTimeoutMs: 60 * second,
    /** Attempts of one message: with the back-off between them some 12 minutes. */
    attemptsMax: 30,
    /** `send` returns the current state after this time. */
    sendAnswerMs: 5 * second,
  },

  loop: {
    /** How often all unfinished work is checked without an event. */
    everyMs: 5 * second,
    /** One thread keeps a pass over all that is unfinished so long; then it is settled beside the rest. */
    settleWaitMs: 2 * second,
    /** A wait also checks without an event: a confirming read may report `active` just before the turn event. */
    waitLookEveryMs: second,
    /** A suspect that waits for its trial asks with each pass; one that has not asked for so long keeps nobody back. */
    suspectAsksMs: 15 * second,
    /** A trial takes as long as it takes to open a thread and to start a turn: the next one begins soon after it. */
    suspectRetryMs: 500,
    /** Deaths of Codex that a thread is part of before it is held, where another thread may be the cause of the last. */
    crashesInCompanyMax: 3,
  },

  usageLimit: {
    /** Codex reports the reset of a usage limit just before the turn fails (facts C1.3). */
    saidMs: 10 * second,
    /** After the reset, so that neither a clock that is a little off nor all daemons of an account at once meet the limit again. */
    jitterMinMs: 2 * second,
    /** The part of it that is random. */
    jitterMs: 8 * second,
    /** The longest window of an account is a month. */
    maxMs: 32 * 24 * 60 * minute,
  },

  usage: {
    /** The part of a limit of `[limits]` at which an event is recorded. */
    nearShare: 0.8,
    /** Days of one sum: some hundred years, as nothing else bounds `[history] keep_days`. */
    daysMax: 36_525,
    /** Windows that are kept: an account has two for each of its limits, and it has few. */
    windowsMax: 64,
    /** The length of a window of which Codex gives none: the shortest that accounts have. */
    windowMinutes: 300,
  },

  event: {
    /** How long an audit row may wait for another transaction to join. */
    laterMs: 20,
    /** Bytes of the data of one event: the log has no texts. */
    dataBytesMax: 2 * KiB,
    /** Characters of a message or a path in that data: 1.5 KB of UTF-8, so that the rest fits too. */
    textCharsMax: 500,
    /** Events of one page: 2 MB at the most. */
    pageMax: 1000,
    /** Rows that are read one by one for their kinds: as fast as one look-up for each of thirty kinds. */
    tailRows: 100,
    /** How long events and ended messages are kept unless `[history] keep_days` says otherwise. */
    keepDays: 90,
    /** How often older rows are removed. */
    pruneEveryMs: 24 * 60 * minute,
    /** First so long after a start, whose callers would wait: with nothing to prune it takes 12 ms (measured). */
    pruneFirstMs: 10 * second,
    /** In one transaction: some 5 ms. */
    pruneRowsMax: 1000,
  },

  search: {
    /** Bytes of one item in the search index: FTS5 indexes some 5 MB/s, and Codex's events wait meanwhile. */
    indexedBytesMax: 16 * KiB,
    /** Turns that a sync reads by default: a day's work, in some seconds. */
    syncTurns: 200,
    /** Items that a sync reads by default. */
    syncItems: 5000,
    /** Bytes of text that a sync reads by default. */
    syncBytes: 16 * MiB,
    /** How long a sync reads by default. */
    syncMs: 20 * second,
    /** In one transaction: some 50 ms of FTS5. */
    syncCommitBytes: 256 * KiB,
    /** Stretches of a history that bounded syncs left out; past this the oldest two become one, and are read again. */
    syncGapsMax: 16,
    /** Characters of a search text: a long sentence. */
    textCharsMax: 1000,
    /** Words of one search: each is one more list to walk. */
    wordsMax: 32,
    /** FTS5 gives at most 64. */
    snippetWords: 32,
    /** 32 words of prose are some 200; a line of base64 is one word. */
    snippetCharsMax: 400,
    /** To rank is to read each text: 1,000 of 2 KB take some 20 ms, whatever else the history holds. */
    rankedMax: 1000,
    /** To name a thread in a search costs 0.07 ms (measured); past this each hit's thread is looked up instead. */
    namedMax: 1000,
    /** Skipping this many hits of unwanted threads takes as long as naming one thread (measured). */
    stepsPerName: 140,
    /** How long a search waits for a Codex that is starting: the index answers without it. */
    codexWaitMs: 2 * second,
    /** Pages of Codex's search that one call looks through for what its filters let pass. */
    codexPagesMax: 5,
    /** Items of forgotten threads taken out of the index in one transaction. */
    indexDropMax: 200,
    /** Items looked at in one transaction for what an older schema left unsplit. */
    indexSplitMax: 100,
    /** And split again: some 25 ms of FTS5, for which callers wait, a thousand times in a large history. */
    indexSplitBytes: 64 * KiB,
    /** The pause before a retry after a disk error. */
    indexSplitEveryMs: 10 * minute,
  },

  request: {
    /** Bytes of a stored question. A larger one is denied, because nobody could read it. */
    bytesMax: 256 * KiB,
    /** The files of a patch, as JSON: shown twice (each, and as one diff), with the rest they fit a frame. */
    changesBytesMax: MiB,
    /** Bytes of one question in a list. `request get` has all of it. */
    listEachBytesMax: 16 * KiB,
    /** Bytes of the whole list. */
    listBytesMax: 4 * MiB,
    /** Hooks that an approval is recorded with. */
    hooksShownMax: 3,
    /** Characters of the path of each hook. */
    hookPathCharsMax: 300,
    /** Past questions that one replay checks: it takes a moment, in which Codex's events wait. */
    replayMax: 10_000,
  },
} as const;
