/** The board over a daemon that answers nothing, and an exception in a callback: for the test that the screen is restored. */
import { systemClock } from "../../src/base/clock.ts";
import { runBoard } from "../../src/surface/top/loop.ts";

const answers: Record<string, Record<string, unknown>> = {
  "daemon.status": {
    version: "1",
    cursor: "x:1",
    child: { state: "running", version: "1", last_error: null },
  },
  "thread.list": { threads: [], truncated: false },
};
// Any key: the exception must find the board on the screen.
process.stdin.on("data", () => {
  throw new Error("an exception of this test");
});
await runBoard(
  {
    call: async (op) => answers[op] ?? {},
    follow: () => new Promise(() => {}),
    forbidStart() {},
  },
  { color: true, clock: systemClock, stop: new AbortController() },
);
