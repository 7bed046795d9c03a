/** The end of what the child wrote to stderr. It is always read (16 MB in 8 s were seen), and nearly all is dropped. */
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
  // A pipe that breaks with its process ends the tail; what was read stays.
  const over = read.catch(() => {});
  return {
    async lastLines() {
      // The process is reaped and its last words are in the pipe; what it started may keep that open.
      const patience = new AbortController();
      await Promise.race([over, clock.sleep(limits.process.drainGraceMs, patience.signal)]);
      patience.abort();
      return plainLines(tail);
    },
  };
}

/** Without colours and control characters, on one line. */
export function plainLines(raw: string): string {
  const lines = raw
    .replace(/\x1b\[[0-9;?]*[ -/]*[@-~]/g, "")
    .split("\n")
    .map((line) => line.replace(/[\x00-\x1f\x7f-\x9f]+/g, " ").trim())
    .filter((line) => line !== "");
  return lines.slice(-linesShown).join(" | ").slice(-charsShown);
}
