/** Rows in columns, for a terminal. */
import { cut, type Look, paint, widthOf, wrap } from "./text.ts";

const gap = 2;
const shrunkWidthMin = 8;

export interface TableForm {
  header?: readonly string[];
  /** The column that gives way first when the line is too long; the widest one when not said. */
  shrink?: number;
}

/** Rows in columns that fit the terminal. Cells are one line each; foreign ones went through `cell`. */
export function table(rows: readonly (readonly string[])[], look: Look, form: TableForm = {}): string {
  const lines = (form.header ? [form.header, ...rows] : [...rows]).map((row) =>
    // Blanks stay: they indent.
    row.map((s) => s.replace(/[^\S ]+/g, " ")),
  );
  const widths: number[] = [];
  for (const line of lines)
    for (const [at, s] of line.entries()) widths[at] = Math.max(widths[at] ?? 0, widthOf(s));
  shrinkToFit(widths, look.width, form.shrink);
  const drawn = lines.map((line) =>
    line.map((s, at) => pad(cut(s, widths[at]!), at === line.length - 1 ? 0 : widths[at]!)).join("  "),
  );
  return drawn.map((line, at) => (form.header && at === 0 ? paint("dim", line) : line)).join("\n");
}

/**
 * `label  value` lines with the values under each other; a value of many lines is indented. `isExact`: no line is broken,
 * so that none that the terminal breaks looks like two of the text's own.
 */
export function pairs(
  rows: readonly (readonly [label: string, value: string])[],
  look: Look,
  isExact = false,
): string {
  const labelWidth = Math.max(0, ...rows.map(([label]) => widthOf(label)));
  const indent = " ".repeat(labelWidth + gap);
  const drawn = (value: string) => (isExact ? value : wrap(value, look.width - indent.length));
  return rows
    .map(
      ([label, value]) =>
        `${paint("dim", pad(label, labelWidth))}${" ".repeat(gap)}${drawn(value).replaceAll("\n", `\n${indent}`)}`,
    )
    .join("\n");
}

/** Takes what is too much from `first`, then from whichever column is widest, none below a readable minimum. */
function shrinkToFit(widths: number[], widthMax: number, first: number | undefined): void {
  let over = widths.reduce((sum, width) => sum + width, gap * (widths.length - 1)) - widthMax;
  const order = widths
    .map((_, at) => at)
    .sort((a, b) => Number(b === first) - Number(a === first) || widths[b]! - widths[a]!);
  for (const at of order) {
    const given = Math.min(Math.max(over, 0), Math.max(widths[at]! - shrunkWidthMin, 0));
    widths[at]! -= given;
    over -= given;
  }
}

function pad(s: string, width: number): string {
  return s + " ".repeat(Math.max(0, width - widthOf(s)));
}
