/** From a text to a running turn: through the daemon, and by the same adapter straight to an app-server. */
import { systemClock } from "../../src/base/clock.ts";
import { codexAgent } from "../../src/codex/agent.ts";
import { connect } from "../../src/surface/client.ts";
import { codexExecutable, codexHome } from "../../test/support/codex.ts";
import { quietLog, recordingSink } from "../../test/support/codex-sink.ts";
import { startProvider } from "../../test/support/provider.ts";
import { ask, makeHome, startDaemon } from "./daemon.ts";
import { inTurns, median, ms, ratio, sides } from "./measure.ts";
import { atMost, type Bench, type Row } from "./row.ts";

const turns = 60;

export const send: Row = {
  async measure(bench) {
    const provider = startProvider({ requestsKept: 1 });
    bench.owns(() => provider.stop());
    const straight = await straightTo(bench, provider.url);
    const through = await throughDaemon(bench, provider.url);
    const taken = await inTurns(turns, straight.turn, through.turn);
    await through.end();
    await straight.end();
    return {
      lines: [atMost("`send` to turn/started, daemon / app-server", ratio(taken), 1.2, "x")],
      notes: [
        sides(taken, ["straight", "through the daemon"]),
        "straight: turn/start written by the daemon's own adapter -> turn/started read by it, no registry",
        "through: message.send written to the socket -> the turn.started row read on another kept connection: two hops, the proof of idle (a thread/read), and the commits of claimed, sent, the audit and turn.started",
        `answer of message.send: median ${ms(median(through.answers))}`,
      ],
    };
  },
};

interface Route {
  /** One turn to its end; answers how long its start took. */
  turn(): Promise<number>;
  end(): Promise<void>;
}

/** Resolves at the next event of a kind. */
function ear() {
  const waiting = new Map<string, PromiseWithResolvers<number>>();
  return {
    tell(kind: string): void {
      waiting.get(kind)?.resolve(performance.now());
      waiting.delete(kind);
    },
    next(kind: string): Promise<number> {
      const next = waiting.get(kind) ?? Promise.withResolvers<number>();
      waiting.set(kind, next);
      return next.promise;
    },
  };
}

async function straightTo(bench: Bench, url: string): Promise<Route> {
  const home = codexHome(url);
  const heard = ear();
  const sink = recordingSink({
    onEvents: (_, events) => events.map((event) => event.kind).forEach(heard.tell),
  });
  const agent = codexAgent({
    sink,
    clock: systemClock,
    log: quietLog,
    env: home.env,
    version: "0.0.0",
    executable: async () => codexExecutable(),
    random: () => 0,
  });
  const end = async () => {
    await agent.close();
    home.cleanup();
  };
  bench.owns(end);
  agent.start();
  await agent.ready(20_000);
  const { id } = (await agent.startThread({ cwd: home.cwd })).thread;
  await agent.nameThread(id, "straight");
  return {
    async turn() {
      const completed = heard.next("turn_completed");
      const from = performance.now();
      const answer = agent.startTurn({ thread_id: id, text: "hello", client_id: crypto.randomUUID() });
      const started = await heard.next("turn_started");
      await Promise.all([answer, completed]);
      return started - from;
    },
    end,
  };
}

async function throughDaemon(bench: Bench, url: string): Promise<Route & { answers: number[] }> {
  const home = codexHome(url);
  bench.owns(home.cleanup);
  const agent = { DISPATCH_CODEX: codexExecutable(), CODEX_HOME: home.home };
  const daemon = await startDaemon(bench, await makeHome(bench, "send", 0, agent));
  const created = await ask(daemon.connection, "thread.new", { name: "through", cwd: home.cwd });
  const heard = ear();
  const answers: number[] = [];
  const watching = await connect(daemon.socket);
  if (!watching) throw new Error("the connection to the daemon was lost");
  const stream = ask(
    watching,
    "thread.watch",
    { all: true, follow: true },
    { row: (row) => heard.tell(String(row["kind"])) },
  ).catch(() => undefined);
  return {
    answers,
    async turn() {
      const completed = heard.next("turn.completed");
      const from = performance.now();
      const answer = ask(daemon.connection, "message.send", { thread: created["ref"], text: "hello" }).then(
        () => answers.push(performance.now() - from),
      );
      const started = await heard.next("turn.started");
      await Promise.all([answer, completed]);
      return started - from;
    },
    async end() {
      watching.close();
      await stream;
      await daemon.end();
    },
  };
}
