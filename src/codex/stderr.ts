/** Keeps the end of the child's stderr. It must be read all the time (16 MB in 8 s were seen); most is dropped. */
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";

const linesShown = 3;
const charsShown = 500;

export function stderrTail(
  stream: ReadableStream<Uint8Array>,
  clock: Clock,
): { lastLines(): Promise<string> } {
  let tail = "";
  const decoder = new TextDecoder();
  const read = (async () => {
    for await (const chunk of stream)
      tail = (tail + decoder.decode(chunk, { stream: true })).slice(-limits.process.stderrTailBytes);
  })();
  // A broken pipe ends the reading. What was read is kept.
  const over = read.catch(() => {});
  return {
    async lastLines() {
      // The process is reaped and its last lines are in the pipe. Processes that it started may hold the pipe open.
      const patience = new AbortController();
      await Promise.race([over, clock.sleep(limits.process.drainGraceMs, patience.signal)]);
      patience.abort();
      return plainLines(tail);
    },
  };
}

/** The last lines as one line, without colours and control characters. */
export function plainLines(raw: string): string {
  const lines = raw
    .replace(/\x1b\[[0-9;?]*[ -/]*[@-~]/g, "")
    .split("\n")
    .map((line) => line.replace(/[\x00-\x1f\x7f-\x9f]+/g, " ").trim())
    .filter((line) => line !== "");
  return lines.slice(-linesShown).join(" | ").slice(-charsShown);
}
