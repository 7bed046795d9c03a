/**
 * Rows of a stream with lines below them that are drawn again: at each row, and as time passes. The cursor stays at the
 * first of these lines, so that whatever is written next begins by erasing them.
 */
import { systemClock } from "../../base/clock.ts";
import { limits } from "../../base/limits.ts";
import { writeOut } from "../../base/stdio.ts";
import { cut, type Look, toTerminal } from "../../base/text.ts";
import type { DaemonOp, FooterLines } from "../../ops/op.ts";
import type { Stream } from "./output.ts";

const erase = "\u001b[J";

export function footed(
  footer: FooterLines,
  viewRow: NonNullable<DaemonOp["viewRow"]>,
  look: () => Look,
): Stream {
  const over = new AbortController();
  let isDrawn = false;
  // One write at a time: a row and the clock may come together.
  let writes = Promise.resolve(true);

  function write(row?: string): Promise<boolean> {
    writes = writes.then(() => {
      const { width, color } = look();
      // A full line would wrap, and the lines would be more than were counted.
      const lines = over.signal.aborted ? [] : footer.lines(look()).map((line) => cut(line, width - 1));
      if (row === undefined && lines.length === 0 && !isDrawn) return true;
      const above = row === undefined ? "" : `${toTerminal(row.trimEnd(), { color })}\n`;
      const up = lines.length > 1 ? `\u001b[${lines.length - 1}A` : "";
      const below = lines.length > 0 ? `${toTerminal(lines.join("\n"), { color })}${up}\r` : "";
      const text = `${isDrawn ? erase : ""}${above}${below}`;
      isDrawn = lines.length > 0;
      return writeOut(text);
    });
    return writes;
  }

  async function tick(): Promise<void> {
    for (;;) {
      await systemClock.sleep(limits.client.footerEveryMs, over.signal);
      if (over.signal.aborted || !(await write())) return;
    }
  }

  // A terminal that cannot be written to ends the stream at its next row.
  tick().catch(() => {});
  return {
    row: (row) => (footer.note(row) ? write(viewRow(row, look())) : write()),
    async end() {
      over.abort();
      await write();
    },
  };
}
