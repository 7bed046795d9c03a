/** What a terminal must be sent so that it shows the next picture instead of the last. Pure. */
import { toTerminal, widthOf } from "../../base/text.ts";
import type { Picture } from "./render.ts";

export interface Frame {
  /** As they were painted. */
  painted: readonly string[];
  /** As they are written, colours and all. */
  lines: readonly string[];
  cursor: Picture["cursor"];
}

const esc = "\u001b[";
/** Everything between these two is shown at once, where the terminal knows them; others ignore them. */
const [syncOn, syncOff] = [`${esc}?2026h`, `${esc}?2026l`];

/** The other screen, which leaves the text before it as it was. A line that is too long is cut and not wrapped. */
export const enterScreen = `${esc}?1049h${esc}?7l${esc}?2004h${esc}?25l${esc}2J`;
export const leaveScreen = `${syncOff}${esc}?2004l${esc}0m${esc}?7h${esc}?25h${esc}?1049l`;

/**
 * The rest of a line is erased, but not after its last column: there the cursor is still on what was written. A line that
 * `last` has too, in the same width and colour, is not made again.
 */
export function frameOf({ lines, cursor }: Picture, columns: number, color: boolean, last?: Frame): Frame {
  const drawn = lines.map((line, at) => {
    if (last?.painted[at] === line) return last.lines[at]!;
    const flat = line.replaceAll("\n", " ");
    const end = widthOf(flat) < columns ? `${esc}K` : "";
    return `${toTerminal(flat, { color })}${esc}0m${end}`;
  });
  return { painted: lines, lines: drawn, cursor };
}

/** Only the lines that differ. Empty: nothing does. `last` is undefined when it is not known what is shown. */
export function difference(last: Frame | undefined, next: Frame): string {
  const changed = next.lines.flatMap((line, at) =>
    last?.lines[at] === line ? [] : [`${esc}${at + 1};1H${line}`],
  );
  const isCursorSame =
    last !== undefined &&
    last.cursor?.row === next.cursor?.row &&
    last.cursor?.column === next.cursor?.column;
  if (changed.length === 0 && isCursorSame) return "";
  const cursor = next.cursor ? `${esc}${next.cursor.row + 1};${next.cursor.column + 1}H${esc}?25h` : "";
  const clear = last === undefined ? `${esc}2J` : "";
  return `${syncOn}${esc}?25l${clear}${changed.join("")}${cursor}${syncOff}`;
}
