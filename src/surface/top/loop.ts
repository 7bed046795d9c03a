/** The board while it runs: keys, the size, signals and the daemon's events become pictures and calls. */
import type { Clock } from "../../base/clock.ts";
import { limits } from "../../base/limits.ts";
import { onSignals, onUncaught, suspend } from "../../base/signals.ts";
import { openTerminal } from "../../base/terminal.ts";
import { actionsOf } from "./actions.ts";
import type { Calls } from "./daemon.ts";
import { openFeed } from "./feed.ts";
import { keysIn } from "./keys.ts";
import { type Effect, emptyBoard } from "./model.ts";
import { render } from "./render.ts";
import { openScreen } from "./screen.ts";
import { type Happened, update } from "./update.ts";

export interface BoardOptions {
  color: boolean;
  clock: Clock;
  /** Ends the board when it aborts. */
  stop: AbortController;
}

/** Resolves with the exit status when the board was left, and the terminal is as it was. */
export async function runBoard(calls: Calls, { color, clock, stop }: BoardOptions): Promise<number> {
  const terminal = openTerminal();
  let board = emptyBoard(terminal.size(), clock.now());
  let isDrawing = false;
  const { promise: ended, resolve: end, reject: crash } = Promise.withResolvers<number>();
  const screen = openScreen(terminal, { color, clock, gone: () => end(0) });

  const draw = () => {
    if (isDrawing) screen.draw(() => render(board, clock.now()));
  };
  const happen = (happened: Happened) => {
    const { board: next, effects } = update(board, happened, clock.now());
    board = next;
    for (const effect of effects) perform(effect);
    draw();
  };
  const act = actionsOf(calls, happen);
  const perform = (effect: Effect) => {
    if (effect.do === "quit") end(0);
    else if (effect.do === "suspend") pause().catch(crash);
    else act(effect);
  };
  /** Of the open thread, at most so often. */
  let isTailDue = false;
  const touched = (ref: string) => {
    if (board.open?.ref !== ref || isTailDue) return;
    isTailDue = true;
    clock.after(limits.top.tailEveryMs, () => {
      isTailDue = false;
      if (board.open?.ref === ref) act({ do: "tail", ref });
    });
  };
  const feed = openFeed({ ...calls, clock, report: happen, touched });
  // Before the screen is taken, so that an error is shown as that of any other command.
  await feed.begin();
  calls.forbidStart();

  const enter = () => {
    happen({ is: "size", size: terminal.size() });
    screen.enter();
    isDrawing = true;
    draw();
  };
  const pause = async () => {
    isDrawing = false;
    await screen.leave();
    suspend();
  };
  const releases = [
    onSignals(["SIGINT", "SIGTERM", "SIGHUP"], () => end(0)),
    onSignals(["SIGTSTP"], () => void pause().catch(crash)),
    onSignals(["SIGCONT"], () => {
      try {
        enter();
      } catch (thrown) {
        crash(thrown);
      }
    }),
    onUncaught(crash),
  ];
  stop.signal.addEventListener("abort", () => end(0));
  try {
    enter();
    releases.push(
      terminal.listen({
        keys: keyReader(clock, (key) => happen({ is: "key", key })),
        resize: () => happen({ is: "size", size: terminal.size() }),
        gone: () => end(0),
      }),
      every(clock, limits.top.tickMs, () => happen({ is: "tick" })),
    );
    feed.follow(stop.signal).catch(crash);
    return await ended;
  } finally {
    stop.abort();
    await screen.leave();
    for (const release of releases) release();
  }
}

function keyReader(clock: Clock, onKey: (key: ReturnType<typeof keysIn>["keys"][number]) => void) {
  const decoder = new TextDecoder();
  let rest = "";
  let cancel = () => {};
  const take = (isLast: boolean) => {
    const { keys, rest: left } = keysIn(rest, isLast);
    rest = left;
    for (const key of keys) onKey(key);
  };
  return (bytes: Uint8Array) => {
    cancel();
    rest += decoder.decode(bytes, { stream: true });
    take(false);
    if (rest !== "" && !rest.startsWith("\u001b[200~"))
      cancel = clock.after(limits.top.escapeMs, () => take(true));
  };
}

function every(clock: Clock, ms: number, fn: () => void): () => void {
  let cancel = () => {};
  const next = () => {
    cancel = clock.after(ms, () => {
      fn();
      next();
    });
  };
  next();
  return () => cancel();
}
