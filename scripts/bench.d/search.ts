/**
 * Full text over a history of 1 GB: our index through the socket, beside Codex's own search and ripgrep on the same
 * text, all from the page cache. To write the history twice takes most of the row's seven to ten minutes, and 4 GB.
 */
import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { type CodexAgent, codexAgent } from "../../src/codex/agent.ts";
import { codexExecutable, codexHome } from "../../test/support/codex.ts";
import { addThreads } from "../../test/support/codex-many.ts";
import { quietLog, recordingSink } from "../../test/support/codex-sink.ts";
import { startProvider } from "../../test/support/provider.ts";
import { ask, makeHome, startDaemon } from "./daemon.ts";
import {
  chineseWord,
  clausesOf,
  fillCodex,
  fillIndex,
  type History,
  parts,
  textOf,
  words,
} from "./history.ts";
import { median, ms, quantile, timed } from "./measure.ts";
import { worldOn } from "./registry.ts";
import { atMost, type Bench, type Row } from "./row.ts";

const history: History = { threads: 500, turnsPerThread: 1000, textBytes: 1e9, text: textOf };
const chinese: History = { threads: 50, turnsPerThread: 1000, textBytes: 1e8, text: clausesOf };
const runs = 40;
const runsOnFiles = 5;

type Queries = Record<string, Record<string, unknown>>;

const phrase = textOf(5000).split(" ").slice(10, 13).join(" ");

/** The queries: each uses another path through the index. */
const queries: Queries = {
  "a word in one message": { text: words.once },
  "a word in 1,000": { text: words.seldom },
  "a word in all 500,000": { text: words.everywhere },
  "the same, page 2": { text: words.everywhere, page: 2 },
  "the same, oldest first": { text: words.everywhere, ascending: true },
  "the same, in one thread": { text: words.everywhere, thread: "@thread-7" },
  "the same, up to 12 h ago": {
    text: words.everywhere,
    until: new Date(Date.now() - 43_200_000).toISOString(),
  },
  "the same, by relevance": { text: words.everywhere, sort: "relevance" },
  "the same, in the oldest 400 threads": { text: words.everywhere, dir: "/repo/old" },
  "two words": { text: `${words.everywhere} ${words.seldom}` },
  "three frequent words, by relevance": { text: "w0 w1 w2", sort: "relevance" },
  "a phrase": { text: `"${phrase}"` },
  "a phrase of frequent words": { text: '"w0 w1"' },
  "a phrase in none, of frequent words": { text: `"question ${words.everywhere}"` },
  "a word in none": { text: words.none },
};

/** In texts without spaces, where each character is a word. */
const chineseQueries: Queries = {
  "a part of one message": { text: parts.once },
  "a part of 100": { text: parts.seldom },
  "a part of all 50,000": { text: parts.everywhere },
  "the same, by relevance": { text: parts.everywhere, sort: "relevance" },
  "the same, in one thread": { text: parts.everywhere, thread: "@thread-7" },
  "a frequent word": { text: chineseWord(70) },
  "a rare word": { text: chineseWord(20_000) },
  "a frequent character": { text: chineseWord(1) },
  "a character in one message": { text: parts.onceAlone },
  "two words": { text: `${chineseWord(70)} ${chineseWord(3000)}` },
  "six characters, in few": { text: chineseWord(80) + chineseWord(90) + chineseWord(100) },
  "a part of none, of frequent characters": { text: [...parts.everywhere].reverse().join("") },
  "a part of none": { text: parts.none },
};

/** Of them, what is looked for in files too. */
const compared = {
  "a word in one message": words.once,
  "a word in 1,000": words.seldom,
  "a word in all 500,000": words.everywhere,
  "a word in none": words.none,
};

export const search: Row = {
  async measure(bench) {
    const ours = await overSocket(bench, "search", history, queries);
    const unspaced = await overSocket(bench, "search-chinese", chinese, chineseQueries);
    const theirs = await onFiles(bench);
    const p50s = Object.values(ours.taken).map((took) => median(took));
    return {
      lines: [
        atMost(
          "search, 1 GB of text, warm: p50 of all kinds of query",
          median(Object.values(ours.taken).flat()),
          50,
          "ms",
        ),
        atMost("search, the slowest kind's p50", Math.max(...p50s), 50, "ms"),
        atMost(
          "search, 100 MB of Chinese: p50 of all kinds of query",
          median(Object.values(unspaced.taken).flat()),
          50,
          "ms",
        ),
      ],
      notes: [
        ...shown(history, ours),
        ...shown(chinese, unspaced),
        "thread.search --managed on a kept connection, 20 matches with snippets, answer validated; the first of each kind not counted",
        ...theirs,
      ],
    };
  },
};

interface Taken {
  buildMs: number;
  dbBytes: number;
  taken: Record<string, number[]>;
}

function shown(
  { threads, turnsPerThread, textBytes }: History,
  { buildMs, dbBytes, taken }: Taken,
): string[] {
  return [
    `${threads} threads, ${threads * turnsPerThread} messages of 2 KB in the mean and as many short ones; written in ${(buildMs / 1000).toFixed(0)} s (${(textBytes / 1e3 / buildMs).toFixed(1)} MB/s), ${(dbBytes / textBytes).toFixed(2)} x the text on disk`,
    ...Object.entries(taken).map(
      ([what, took]) =>
        `${what.padEnd(38)} p50 ${ms(median(took)).padStart(8)}  p95 ${ms(quantile(took, 0.95)).padStart(8)}`,
    ),
  ];
}

async function overSocket(bench: Bench, name: string, history: History, queries: Queries): Promise<Taken> {
  const home = await makeHome(bench, name, history.threads);
  const db = join(home.env["DISPATCH_HOME"]!, "registry.db");
  const world = worldOn(db);
  const refs = Array.from({ length: history.threads }, (_, i) =>
    world.engine.core.resolve(`@thread-${i}`, null),
  );
  for (const ref of refs.slice(0, history.threads * 0.8)) world.store.lanes.set(ref, { cwd: "/repo/old" });
  const buildMs = await timed(() => fillIndex(world, refs, history));
  world.store.close();
  const daemon = await startDaemon(bench, home);
  const taken: Record<string, number[]> = {};
  for (const [what, { page, ...query }] of Object.entries(queries)) {
    const input = { ...query, managed: true };
    const cursor = page
      ? { cursor: (await ask(daemon.connection, "thread.search", input))["next_cursor"] }
      : {};
    const once = () => timed(() => ask(daemon.connection, "thread.search", { ...input, ...cursor }));
    await once();
    taken[what] = [];
    for (let run = 0; run < runs; run++) taken[what].push(await once());
  }
  await daemon.end();
  return { buildMs, taken, dbBytes: statSync(db).size };
}

/** Codex's own search over rollouts with the same text, and ripgrep over these files. */
async function onFiles(bench: Bench): Promise<string[]> {
  const provider = startProvider({ requestsKept: 1 });
  bench.owns(() => provider.stop());
  const home = codexHome(provider.url);
  bench.owns(() => home.cleanup());
  const first = await startAgent(bench, home.env);
  const { folder, rollouts } = await fillCodex(first, home.home, home.cwd, history);
  await first.close();
  // Written into its database: to find them by itself, at a start without one, took Codex 93 s (measured).
  addThreads(home.home, rollouts);
  const agent = await startAgent(bench, home.env);
  const notes: string[] = [];
  for (const [what, text] of Object.entries(compared)) {
    const threads = { cursor: null, limit: 20, archived: false, by: "updated_at", ascending: false } as const;
    let found = 0;
    const codex = () =>
      timed(async () => {
        found = (await agent.searchThreads({ ...threads, text })).found.length;
      });
    const rg = () => timed(() => Bun.spawnSync([ripgrep(), "-lF", text, folder]));
    const coldMs = await codex();
    await rg();
    const taken = { codex: [] as number[], rg: [] as number[] };
    for (let run = 0; run < runsOnFiles; run++) {
      taken.codex.push(await codex());
      taken.rg.push(await rg());
    }
    notes.push(
      `${what.padEnd(36)} Codex's thread/search p50 ${ms(median(taken.codex))} (first ${ms(coldMs)}; ${found} threads, no place in them), rg -lF p50 ${ms(median(taken.rg))}`,
    );
  }
  return notes;
}

/** The user's own, else the one that Codex brings along. */
function ripgrep(): string {
  return Bun.which("rg") ?? join(dirname(codexExecutable()), "../codex-path/rg");
}

async function startAgent(bench: Bench, env: Record<string, string>): Promise<CodexAgent> {
  const agent = codexAgent({
    sink: recordingSink(),
    clock: systemClock,
    log: quietLog,
    env,
    version: "0.0.0",
    executable: async () => codexExecutable(),
    random: () => 0,
  });
  bench.owns(() => agent.close());
  agent.start();
  await agent.ready(20_000);
  return agent;
}
