/**
 * Every limit of the product, by what it limits, with its reason. Nothing queues, buffers, retries or waits without a
 * row here.
 */
import { codexLimits } from "./codexlimits.ts";
import { daemonLimits } from "./daemonlimits.ts";

const second = 1000;
const minute = 60 * second;
const KiB = 1024;
const MiB = 1024 * KiB;

export const limits = {
  ...codexLimits,
  ...daemonLimits,

  input: {
    /** Codex refuses user text over 1,048,576 characters; bytes are never fewer than characters. */
    textBytesMax: MiB,
    /** A word of an input, unless its field says otherwise: as long as the longest path that the kernel takes. */
    wordBytesMax: 4 * KiB,
    /** Words in a list of an input: more threads at once than anybody has. */
    listItemsMax: 1000,
    /** One `--config KEY=VALUE`: a value may be a table as JSON. */
    configValueBytesMax: 64 * KiB,
    /** Codex never answers JSON that is over 127 deep; what is around a value takes a few of these levels. */
    jsonDepthMax: 100,
    /** Of an idempotency key: a UUID or a delivery id of another system, several times over. */
    keyBytesMax: 200,
    /** What a row of `list` and a tab of Codex can show of one, several times over. */
    titleCharsMax: 200,
    /** Of a word that is typed: longer ones are titles. */
    handleCharsMax: 40,
    /** Codex's own limit for the objective of a goal. */
    goalCharsMax: 4000,
    /** Threads that a word may stand for; more are not told apart. */
    matchesMax: 20,
    /** Rows of one page: some MB at the most, far under a frame. */
    pageMax: 1000,
    /** Of one `wait`: a longer one is asked again by who still wants it. */
    waitTimeoutMaxMs: 24 * 60 * minute,
    /** A question that waits longer waits for a person, and needs no end. */
    requestTimeoutMaxMs: 30 * 24 * 60 * minute,
  },

  config: {
    /** The user's own configuration, written by hand. The runtime's parser is quadratic: 50 ms for so much (measured). */
    bytesMax: 64 * KiB,
    /** A repository's configuration is somebody else's text: 6 ms at the most, while all else waits. */
    repositoryBytesMax: 16 * KiB,
    /** Of a file that is no TOML: a statement of more lines than this is not read further to find the line. */
    statementLinesMax: 50,
  },

  error: {
    /**
     * Of an error's message, its hint, and each text in its data: some repeat what they were given. Under what an MCP
     * result shows of one text, so that it is cut once.
     */
    charsMax: 1900,
    /** Of an error's data as JSON: with message and hint far under a frame, however it is escaped. */
    dataCharsMax: 64 * KiB,
    /** Of a list in data that is over that limit. */
    dataItemsMax: 50,
    /** Of a value, or the name of a field, that an error about it repeats. */
    valueCharsMax: 200,
    /** Words of a choice that an error lists; of more it names the nearest. */
    choicesShownMax: 20,
  },

  thread: {
    /** Threads of one registry: what the bench rows measure up to is 10,000. */
    max: 100_000,
    /** How long a caller waits for that, with the thread locked. Then it goes on in the background. */
    openWaitMs: 45 * second,
    /** A lane idle this long is unsubscribed. */
    idleUnloadMs: 60 * second,
    /** The child unloads an unsubscribed thread after `threadUnloadDelaySecs`. */
    unloadWaitMs: 10 * second,
    /** How often it is asked meanwhile whether Codex has let go. */
    unloadLookEveryMs: 100,
    /** A status this young, said by the running child itself, proves idle as well as asking again would. */
    statusFreshMs: 250,
    /** What Codex warns of one thread: the newest so many. */
    warningsMax: 20,
    /** What is kept of a failed turn's words: a provider may send a whole page. */
    turnErrorCharsMax: 4000,
    /** Of the last message, in a row of `list`. */
    summaryTextCharsMax: 120,
    /** Of the last message, in the row of its thread: the whole is in the history. */
    lastMessageBytesMax: 16 * KiB,
    /** Of a first text, where it stands for a title. */
    previewCharsMax: 200,
    /** What `tail` shows of one item unless `--full`; an agent's context is the scarce thing. */
    tailItemCharsMax: 2000,
    /** A running turn silent this long is settled by one cheap read. */
    turnSilentMs: 30 * second,
    /** After `idle` without `turn/completed`: the completion was measured to follow at once. */
    turnEndLostMs: 2 * second,
    /** A turn that only retries for this long asks for attention; dispatch never ends it by itself. */
    retryingAttentionMs: 2 * minute,
    /** How long `stop` waits for the turn to end, before it answers that it was asked to. */
    stopTimeoutMs: 10 * second,
    /** Sub-agents of sub-agents, up to the thread they work for. */
    subAgentDepthMax: 8,
  },

  message: {
    /** What waits for one thread: years of work, and no more than the bench claims from in the same time. */
    queuedPerThreadMax: 100_000,
    /** A sent message with no proof after this is `unsure`. */
    proofTimeoutMs: 60 * second,
    /** Attempts of one message, whatever sent it back: with the back-off between them some 12 minutes. */
    attemptsMax: 30,
    /** `send` answers with the state as it is after this. */
    sendAnswerMs: 5 * second,
  },

  loop: {
    /** How often all that is unfinished is looked at without any event. */
    everyMs: 5 * second,
    /** One thread keeps a pass over all that is unfinished so long; then it is settled beside the rest. */
    settleWaitMs: 2 * second,
    /** A wait also looks without any event: a confirming read may have said `active` just before the turn was told. */
    waitLookEveryMs: second,
    /** A suspect that waits for its trial asks with each pass; one that has not asked for so long keeps nobody back. */
    suspectAsksMs: 15 * second,
    /** A trial takes as long as it takes to open a thread and to start a turn: the next one begins soon after it. */
    suspectRetryMs: 500,
    /** Deaths of Codex that a thread is part of before it is held, where another thread may be the cause of the last. */
    crashesInCompanyMax: 3,
  },

  usageLimit: {
    /** Codex says the reset of a usage limit just before the turn fails: within one read, or the next. */
    saidMs: 10 * second,
    /** After the reset, so that neither a clock that is a little off nor all daemons of an account at once meet the limit again. */
    jitterMinMs: 2 * second,
    /** The part of it that is random. */
    jitterMs: 8 * second,
    /** The longest window of an account is a month. */
    maxMs: 32 * 24 * 60 * minute,
  },

  event: {
    /** How long an audit row may wait for a transaction to ride on. */
    laterMs: 20,
    /** Of the data of one event: the log is of what happened, and not of texts. */
    dataBytesMax: 2 * KiB,
    /** Of the words of a failure, or a path, in that data: 1.5 KB of UTF-8, so that it fits with what is beside it. */
    textCharsMax: 500,
    /** Events of one page: 2 MB at the most. */
    pageMax: 1000,
    /** How long events and ended messages are kept unless `[history] keep_days` says otherwise. */
    keepDays: 90,
    /** How often what is older is looked for. */
    pruneEveryMs: 24 * 60 * minute,
    /** In one transaction: some 5 ms. */
    pruneRowsMax: 1000,
  },

  search: {
    /** Of one item in the search index: FTS5 takes some 5 MB/s, and what Codex says meanwhile waits. */
    indexedBytesMax: 16 * KiB,
    /** What a sync reads unless told otherwise: a day's work, in seconds. */
    syncTurns: 200,
    /** Of the items of those turns. */
    syncItems: 5000,
    /** Of their texts. */
    syncBytes: 16 * MiB,
    /** Of the time that reading them takes. */
    syncMs: 20 * second,
    /** In one transaction: some 50 ms of FTS5. */
    syncCommitBytes: 256 * KiB,
    /** Stretches of a history that bounded syncs left out; past this the oldest two become one, and are read again. */
    syncGapsMax: 16,
    /** Of the words that are searched for: as long as a sentence gets. */
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
    /** As long as one name takes to step over so many hits of threads that are not wanted (measured). */
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
    /** How soon it is tried again where the disk refused it. */
    indexSplitEveryMs: 10 * minute,
  },

  request: {
    /** Of a question that is stored: what is larger is denied, since nobody could read it. */
    bytesMax: 256 * KiB,
    /** The files of a patch, as JSON: shown twice (each, and as one diff), with the rest they fit a frame. */
    changesBytesMax: MiB,
    /** Of one question in a list; `request get` has the whole. */
    listEachBytesMax: 16 * KiB,
    /** Of the whole list. */
    listBytesMax: 4 * MiB,
    /** Hooks that an approval is recorded with. */
    hooksShownMax: 3,
    /** Of the path of each. */
    hookPathCharsMax: 300,
    /** Past questions that one replay looks at: a moment's work, while what Codex says waits. */
    replayMax: 10_000,
  },
} as const;
