/** Ten thousand threads of other apps: all pages through the daemon, and Codex's own pages straight. */
import { systemClock } from "../../src/base/clock.ts";
import { type CodexAgent, codexAgent } from "../../src/codex/agent.ts";
import { codexExecutable, codexHome } from "../../test/support/codex.ts";
import { copyThreads } from "../../test/support/codex-many.ts";
import { quietLog, recordingSink, until } from "../../test/support/codex-sink.ts";
import { startProvider } from "../../test/support/provider.ts";
import { ask, makeHome, startDaemon } from "./daemon.ts";
import { inTurns, ratio, sides } from "./measure.ts";
import { atMost, type Bench, type Row } from "./row.ts";

const threads = 10_000;

export const unmanaged: Row = {
  async measure(bench) {
    const provider = startProvider({ requestsKept: 1 });
    bench.owns(() => provider.stop());
    const home = codexHome(provider.url);
    bench.owns(home.cleanup);
    await firstThread(bench, home);
    copyThreads(home.home, threads);
    const agent = await codexOn(bench, home.env);
    const codex = { CODEX_HOME: home.home, DISPATCH_CODEX: codexExecutable() };
    const daemon = await startDaemon(bench, await makeHome(bench, "unmanaged", 0, codex));
    await ask(daemon.connection, "thread.list", { unmanaged: true, limit: 1 });
    const taken = await inTurns(
      8,
      () => timed(() => straight(agent)),
      () => timed(() => through(daemon.connection)),
    );
    await daemon.end();
    await agent.close();
    return {
      lines: [atMost("`list --unmanaged`, 10,000 threads / Codex's own pages", ratio(taken), 2, "x")],
      notes: [
        sides(taken, ["straight, pages of 100", "through the daemon, pages of 1,000 on a kept connection"]),
      ],
    };
  },
};

async function timed(all: () => Promise<number>): Promise<number> {
  const from = performance.now();
  const found = await all();
  if (found < threads) throw new Error(`only ${found} threads were listed`);
  return performance.now() - from;
}

async function straight(agent: CodexAgent): Promise<number> {
  let found = 0;
  let cursor: string | null = null;
  do {
    const page = await agent.listThreads({ cursor, limit: 100, archived: false });
    found += page.threads.length;
    cursor = page.next_cursor;
  } while (cursor !== null);
  return found;
}

async function through(connection: Parameters<typeof ask>[0]): Promise<number> {
  let found = 0;
  let cursor: unknown;
  do {
    const page = await ask(connection, "thread.list", {
      unmanaged: true,
      limit: 1000,
      ...(cursor ? { cursor } : {}),
    });
    found += (page["threads"] as unknown[]).length;
    cursor = page["next_cursor"];
  } while (cursor);
  return found;
}

/** The row that all others are copies of. */
async function firstThread(bench: Bench, home: ReturnType<typeof codexHome>): Promise<void> {
  let isOver = false;
  const sink = recordingSink({
    onEvents(_, events) {
      isOver = isOver || events.some((event) => event.kind === "turn_completed");
    },
  });
  const agent = await codexOn(bench, home.env, sink);
  const { thread } = await agent.startThread({ cwd: home.cwd });
  await agent.startTurn({ thread_id: thread.id, text: "hello", client_id: "first" });
  await until("the first turn", () => isOver);
  await agent.close();
}

async function codexOn(
  bench: Bench,
  env: Record<string, string>,
  sink = recordingSink(),
): Promise<CodexAgent> {
  const executable = async () => codexExecutable();
  const agent = codexAgent({
    sink,
    clock: systemClock,
    log: quietLog,
    env,
    version: "0.0.0",
    executable,
    random: () => 0,
  });
  bench.owns(() => agent.close());
  agent.start();
  await agent.ready(20_000);
  return agent;
}
