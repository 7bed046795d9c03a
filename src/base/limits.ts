/**
 * Every limit of the product, with its reason. Nothing queues, buffers, retries or waits without a row here.
 */
import { codexLimits } from "./codexlimits.ts";

const second = 1000;
const minute = 60 * second;
const KiB = 1024;
const MiB = 1024 * KiB;

export const limits = {
  ...codexLimits,
  /** Codex refuses user text over 1,048,576 characters; bytes are never fewer than characters. */
  textBytesMax: MiB,
  /** The user's own configuration, written by hand. The runtime's parser is quadratic: 50 ms for so much (measured). */
  configBytesMax: 64 * KiB,
  /** A repository's configuration is somebody else's text: 6 ms at the most, while all else waits. */
  repositoryConfigBytesMax: 16 * KiB,
  /** Of a file that is no TOML: a statement of more lines than this is not read further to find the line. */
  configStatementLinesMax: 50,
  /**
   * Of an error's message, its hint, and each text in its data: some repeat what they were given. Under what an MCP
   * result shows of one text, so that it is cut once.
   */
  errorCharsMax: 1900,
  /** Of an error's data as JSON: with message and hint far under a frame, however it is escaped. */
  errorDataCharsMax: 64 * KiB,
  /** Of a list in data that is over that limit. */
  errorDataItemsMax: 50,
  /** Of a value, or the name of a field, that an error about it repeats. */
  issueValueCharsMax: 200,
  /** A word of an input, unless its field says otherwise: as long as the longest path that the kernel takes. */
  wordBytesMax: 4 * KiB,
  /** Words of a choice that an error lists; of more it names the nearest. */
  choicesShownMax: 20,
  /** Words in a list of an input: more threads at once than anybody has. */
  listItemsMax: 1000,
  /** One `--config KEY=VALUE`: a value may be a table as JSON. */
  configValueBytesMax: 64 * KiB,
  /** Codex never answers JSON that is over 127 deep; what is around a value takes a few of these levels. */
  jsonDepthMax: 100,
  /** Of a whole message to Codex, with what is around such a value. */
  wireDepthMax: 120,
  /** Parts of a dotted key of Codex's configuration: 200 are answered, 20,000 end Codex (measured). */
  configKeyPartsMax: 100,
  /** Of a key or an id at the top level of a line that cannot be read whole. */
  lineIdBytesMax: 256,
  /** Of the names in a frame (an operation, a schema, a version, a thread). */
  frameNameCharsMax: 200,
  /** A control frame holds one text of 1 MiB escaped (up to 6 bytes a byte) with room to spare. */
  frameBytesMax: 8 * MiB,
  /** A turn that only retries for this long asks for attention; dispatch never ends it by itself. */
  retryingAttentionMs: 2 * minute,
  /** After `idle` without `turn/completed`: the completion was measured to follow at once. */
  turnEndLostMs: 2 * second,
  reconcileEveryMs: 5 * second,
  /** A suspect that waits for its trial asks with each pass; one that has not asked for so long keeps nobody back. */
  suspectAsksMs: 15 * second,
  /** Codex says the reset of a usage limit just before the turn fails: within one read, or the next. */
  usageLimitSaidMs: 10 * second,
  /** After the reset, so that neither a clock that is a little off nor all daemons of an account at once meet the limit again. */
  usageLimitJitterMinMs: 2 * second,
  usageLimitJitterMs: 8 * second,
  /** The longest window of an account is a month. */
  usageLimitMaxMs: 32 * 24 * 60 * minute,
  /** A sent message with no proof after this is `unsure`. */
  proofTimeoutMs: 60 * second,
  /** Attempts of one message, whatever sent it back: with the back-off between them some 12 minutes. */
  messageAttemptsMax: 30,
  /** `send` answers with the state as it is after this. */
  sendAnswerMs: 5 * second,
  stopTimeoutMs: 10 * second,
  /** A wait also looks without any event: a confirming read may have said `active` just before the turn was told. */
  waitLookEveryMs: second,
  waitTimeoutMaxMs: 24 * 60 * minute,

  lanesMax: 100_000,
  queuedPerLaneMax: 100_000,
  /** Threads that a word may stand for; more are not told apart. */
  matchesMax: 20,
  titleCharsMax: 200,
  handleCharsMax: 40,
  keyBytesMax: 200,
  /** What is kept of a failed turn's words: a provider may send a whole page. */
  turnErrorCharsMax: 4000,
  /** Of the last message, in a row of `list`. */
  summaryTextCharsMax: 120,
  /** What Codex warns of one thread, and of itself: the newest so many. */
  threadWarningsMax: 20,
  codexWarningsMax: 50,
  lastMessageBytesMax: 16 * KiB,
  previewCharsMax: 200,
  /** How long an audit row may wait for a transaction to ride on. */
  laterEventsMs: 20,
  eventDataBytesMax: 2 * KiB,
  /** Of the words of a failure, or a path, in that data: 1.5 KB of UTF-8, so that it fits with what is beside it. */
  eventTextCharsMax: 500,
  eventsPageMax: 1000,
  eventsKeepDays: 90,
  dayMs: 24 * 60 * minute,
  pruneEveryMs: 24 * 60 * minute,
  /** In one transaction: some 5 ms. */
  pruneRowsMax: 1000,
  pageMax: 1000,
  /** What `tail` shows of one item unless `--full`; an agent's context is the scarce thing. */
  tailItemCharsMax: 2000,
  /** Of one item in the search index: FTS5 takes some 5 MB/s, and what Codex says meanwhile waits. */
  indexedBytesMax: 16 * KiB,
  /** What a sync reads unless told otherwise: a day's work, in seconds. */
  syncTurns: 200,
  syncItems: 5000,
  syncBytes: 16 * MiB,
  syncMs: 20 * second,
  /** In one transaction: some 50 ms of FTS5. */
  syncCommitBytes: 256 * KiB,
  /** Stretches of a history that bounded syncs left out; past this the oldest two become one, and are read again. */
  syncGapsMax: 16,
  searchTextCharsMax: 1000,
  searchWordsMax: 32,
  /** FTS5 gives at most 64. */
  searchSnippetWords: 32,
  /** 32 words of prose are some 200; a line of base64 is one word. */
  searchSnippetCharsMax: 400,
  /** To rank is to read each text: 1,000 of 2 KB take some 20 ms, whatever else the history holds. */
  searchRankedMax: 1000,
  /** To name a thread in a search costs 0.07 ms (measured); past this each hit's thread is looked up instead. */
  searchNamedMax: 1000,
  /** As long as one name takes to step over so many hits of threads that are not wanted (measured). */
  searchStepsPerName: 140,
  /** How long a search waits for a Codex that is starting: the index answers without it. */
  searchAgentWaitMs: 2 * second,
  /** Pages of Codex's search that one call looks through for what its filters let pass. */
  searchCodexPagesMax: 5,
  /** Items of forgotten threads taken out of the index in one transaction. */
  indexDropMax: 200,
  /** Items looked at in one transaction for what an older schema left unsplit. */
  indexSplitMax: 100,
  /** And split again: some 25 ms of FTS5, for which callers wait, a thousand times in a large history. */
  indexSplitBytes: 64 * KiB,
  /** How soon it is tried again where the disk refused it. */
  indexSplitEveryMs: 10 * minute,
  requestBytesMax: 256 * KiB,
  /** The files of a patch, as JSON: shown twice (each, and as one diff), with the rest they fit a frame. */
  requestChangesBytesMax: MiB,
  /** Of one question in a list, and of the list: half of a frame. `request get` has the whole. */
  requestListEachBytesMax: 16 * KiB,
  requestListBytesMax: 4 * MiB,
  /** Hooks that an approval is recorded with, and how much of the path of each. */
  hooksShownMax: 3,
  hookPathCharsMax: 300,
  /** Sub-agents of sub-agents, up to the thread they work for. */
  subAgentDepthMax: 8,
  /** Past questions that one replay looks at: a moment's work, while what Codex says waits. */
  replayMax: 10_000,
  /** A question that waits longer waits for a person, and needs no end. */
  requestTimeoutMaxMs: 30 * 24 * 60 * minute,

  /** Somebody who looks at the instance lock holds it for an instant: try again before believing it is taken. */
  lockTries: 5,
  lockRetryMs: 10,
  connectionsMax: 256,
  /** Parents of a caller that are looked at: shells in shells are some ten deep. */
  ancestorsMax: 64,
  /** Of a process's environment: an exec takes 2 MiB, and all but a few have some KB. */
  environmentBytesMax: 256 * KiB,
  /** What detached processes of Codex leave behind when they end is collected this often. */
  reapEveryMs: 10 * second,
  callsPerConnectionMax: 64,
  /** Beyond these two limits: for what a person needs when everything else is taken. */
  connectionsReserved: 16,
  callsReserved: 8,
  /** Refused connections that are still left to read why; past this they are closed at once, for their descriptors. */
  refusalsLingeringMax: 32,
  /** Descriptors that the daemon keeps for the registry, the log, Codex and what it opens in between. */
  descriptorsReserved: 64,
  helloTimeoutMs: 10 * second,
  /** A daemon that says nothing at all for this long is asked again, and then waited for as above. */
  quickHelloMs: second,
  /** A refused connection may read why for so long: closing at once can take the words away with it. */
  refusalLingerMs: second,
  /** What a slow reader may leave unread before its stream is cut. */
  outboundBytesMax: 16 * MiB,
  /** A stream waits while more than this is unread: far under the cut, so that only who ignores it is cut. */
  outboundHighWaterBytes: 256 * KiB,
  /** Of a row that no frame holds, the values that stay: a ref, a kind, a method. */
  rowValueCharsMax: 200,
  connectTimeoutMs: 2 * second,
  /** Who pressed TAB waits no longer than this for what the daemon knows. */
  completionMs: second,
  /** Of what a shell shows beside a word. */
  completionColumns: 60,
  autostartWaitMs: 10 * second,
  autostartPollMs: 10,
  /** A daemon that dropped its first client may be ending: this long it is waited for, to learn why. */
  startFailureMs: 500,
  /** A stream that was told to end may take this long before the client leaves anyhow. */
  cancelGraceMs: second,
  /** Times a call that may be repeated is sent when the connection is lost under it: a daemon that dies of it stays dead. */
  callTriesMax: 3,
  /** Calls that still run when an MCP host closes our input may take this long to answer. */
  mcpEofGraceMs: 2 * second,
  /** What one MCP result may cost an agent's context, about 25,000 tokens; texts are cut first, then it is refused. */
  mcpResultBytesMax: 100 * KiB,
  /** That `list` shows there: some 1.1 KB each, with nothing said yet. */
  mcpThreads: 30,
  /** To this, when a result is over the limit; then to the half of it, and so on down to the least. */
  mcpTextCharsMax: 2000,
  mcpTextCharsMin: 250,
  shutdownGraceMs: 10 * second,
  /** The part of it that calls get to end by themselves once they are told. */
  shutdownCallsMs: 2 * second,
  /** The kernel's limit for a unix socket path: 108 on Linux, 104 on macOS, one byte for the final NUL. */
  socketPathBytesMax: 103,
  /** Different failures that `daemon status` shows: the newest few say it, the log has them all. */
  faultsKeptMax: 10,
  /** Of a failure's words there. */
  faultCharsMax: 200,
  /** A failure that did not come back for this long is shown no more. */
  faultShownMs: 24 * 60 * minute,
  logBytesMax: 8 * MiB,
  logFilesKept: 3,
  /** Of one string in a log line: a whole stack fits. */
  logTextCharsMax: 8 * KiB,
  /** How far back `daemon log --raw` looks in the file. */
  logTailBytes: MiB,
  /** A file that was made and never written has its two times this near to each other. */
  fileTimesApartMs: 10,
  storeBusyTimeoutMs: 5 * second,
  /** Copies of the registry that were made before migrations: the newest so many. */
  migrationBackupsKept: 3,
  /** A half-written copy this old belongs to nobody any more: one that is being written changes all the time. */
  leftoverAgeMs: 10 * minute,
  /** A mark of `down` this old beside a daemon that answers was left by a `down` that was cut off. */
  markAgeMs: minute,
  /** Codex gives an MCP server 30 s to start; doctor names one that needs longer than this. */
  doctorServersMs: 5 * second,
  /** Things that one check of doctor puts right before it gives up. */
  mendsMax: 20,
  /** Under this doctor warns: a migration's backup of a large registry needs more. */
  diskFreeBytesMin: 64 * MiB,
  /** Faults of a damaged registry that are listed: the first few say it. */
  registryFaultsMax: 20,
} as const;
