/**
 * Text on its way to a person. What agents write is hostile: escape sequences, bidi overrides and invisible
 * characters would rewrite the screen or hide what a title says. They are shown as `\uXXXX`, never dropped.
 *
 * `cell` and `block` clean one foreign string; `toTerminal` is the only way to a terminal and cleans all once more.
 */

/** What a view may know of where it is shown. */
export interface Look {
  /** Columns. */
  width: number;
  /** Wall clock, ms: relative times count from it. */
  now: number;
  color: boolean;
}

export const plainLook = (now: number): Look => ({ width: 80, now, color: false });

const styles = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36, inverse: 7 } as const;
export type Style = keyof typeof styles;

// Paint is carried by Unicode noncharacters, reserved for a program's own use, so that the sink can refuse every raw
// ESC, no matter who wrote it. Foreign text that holds one is escaped by `cell` and `block`.
const styleNames = Object.keys(styles) as Style[];
const markEnd = "\ufdd0";
const markOf = (style: Style) => String.fromCharCode(0xfdd1 + styleNames.indexOf(style));
const marks = /[\ufdd0-\ufdd7]/g;

// Controls (C0, DEL, C1), lone surrogates, line and paragraph separators, and everything that is drawn as nothing:
// bidi controls, zero-width, tags, fillers. Kept: newline, and the two selectors that choose emoji or text form.
const unsafe =
  /[[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb\ufdd8-\ufdef]--[\n\ufe0e\ufe0f]]/gv;
const unsafeOrMark =
  /[[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb\ufdd0-\ufdef]--[\n\ufe0e\ufe0f]]/gv;
/** Most text is this, and the wide classes above cost ten times as much to search for. */
const plain = /^[\x20-\x7e\n]*$/;
/** The same without line ends: each character is one column. */
const oneLine = /^[\x20-\x7e]*$/;

const invisible = /^[\s\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]*$/v;

/** True if it has no visible character: only blanks, controls, and characters of no width. */
export function isBlank(text: string): boolean {
  return invisible.test(text);
}

function escaped(found: string): string {
  let out = "";
  for (let at = 0; at < found.length; at++) out += `\\u${found.charCodeAt(at).toString(16).padStart(4, "0")}`;
  return out;
}

function clean(foreign: string): string {
  return plain.test(foreign) ? foreign : foreign.replace(unsafeOrMark, escaped);
}

/** One line of foreign text: whitespace collapsed, cleaned, cut to `widthMax` columns. Nothing is shown as `-`. */
export function cell(foreign: string | null | undefined, widthMax = Number.POSITIVE_INFINITY): string {
  const line = clean((foreign ?? "").replace(/\s+/g, " ").trim());
  return line === "" ? "-" : cut(line, widthMax);
}

/** Foreign text of many lines: newlines stay, tabs become spaces, the rest is cleaned. */
export function block(foreign: string | null | undefined): string {
  return clean((foreign ?? "").replace(/\r\n/g, "\n").replace(/\t/g, "    "));
}

/**
 * Foreign text that is decided on: nothing of it may be out of sight. Tabs are shown, and long runs of blanks or of
 * empty lines, which would push what follows off the screen, are counted.
 */
export function exact(foreign: string): string {
  return foreign
    .split(hiding)
    .map((part, at) => (at % 2 === 0 ? clean(part) : paint("yellow", countOf(part))))
    .join("");
}

/** Indentation is shorter; a terminal is no higher. */
const hiding = /( {20,}|(?:[ \t]{0,80}\n){5,}|[\t\r]+)/;

function countOf(part: string): string {
  if (part.includes("\n")) return `\n[${part.split("\n").length - 1} line ends]\n`;
  return part.startsWith(" ") ? ` [${part.length} blanks] ` : JSON.stringify(part).slice(1, -1);
}

/** `s` in a style, where the terminal has colours. Styles nest. */
export function paint(style: Style, s: string): string {
  return `${markOf(style)}${s}${markEnd}`;
}

/** `s` without its paint. */
export function unpainted(s: string): string {
  return s.replace(marks, "");
}

/** Columns that `s` takes, paint not counted. */
export function widthOf(s: string): number {
  return Bun.stringWidth(unpainted(s));
}

/** One line in rows of at most `width` columns; nothing is lost, and the paint of each row is whole. */
export function fold(line: string, width: number): string[] {
  if (widthOf(line) <= width) return [line];
  const rows: string[] = [];
  const open: string[] = [];
  let row = "";
  let used = 0;
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(line)) {
    for (const mark of segment.match(marks) ?? []) {
      if (mark === markEnd) open.pop();
      else open.push(mark);
    }
    const columns = widthOf(segment);
    if (used + columns > width && used > 0) {
      rows.push(row + markEnd.repeat(open.length));
      row = open.join("");
      used = 0;
    }
    row += segment;
    used += columns;
  }
  return [...rows, row];
}

/** `s` within `widthMax` columns, an ellipsis in place of what went; paint stays balanced. */
export function cut(s: string, widthMax: number): string {
  // Most text is this, and to cut it by visible characters takes a hundred times as long.
  if (oneLine.test(s)) return s.length <= widthMax ? s : widthMax > 0 ? `${s.slice(0, widthMax - 1)}…` : "";
  if (widthOf(s) <= widthMax) return s;
  let room = widthMax - 1;
  let out = "";
  let ended = false;
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(s)) {
    const inside = segment.replace(marks, "");
    const width = Bun.stringWidth(inside);
    if (!ended && width > room) {
      ended = true;
      out += widthMax > 0 ? "…" : "";
    }
    room -= width;
    out += ended ? segment.slice(0, segment.length - inside.length) : segment;
  }
  return out;
}

/** Lines broken at words to fit `width`; what was broken already stays so. */
export function wrap(s: string, width: number): string {
  const lines = s.split("\n").map((line) => {
    if (widthOf(line) <= width) return line;
    const out: string[] = [];
    for (const word of line.split(" ")) {
      const last = out.at(-1);
      if (last !== undefined && widthOf(last) + 1 + widthOf(word) <= width)
        out[out.length - 1] = `${last} ${word}`;
      else out.push(word);
    }
    return out.join("\n");
  });
  return lines.join("\n");
}

/** `3m ago`, `in 5s`, `-` for none; a date when it is more than four weeks away. */
export function ago(iso: string | null | undefined, look: Look): string {
  const at = iso ? Date.parse(iso) : Number.NaN;
  if (Number.isNaN(at)) return "-";
  const seconds = Math.round((look.now - at) / 1000);
  if (Math.abs(seconds) >= 28 * 86_400) return new Date(at).toISOString().slice(0, 10);
  if (seconds >= 0 && seconds < 2) return "now";
  return seconds > 0 ? `${span(seconds)} ago` : `in ${span(-seconds)}`;
}

/** A whole number as a person reads it: `1,234,567`. */
export function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A length of time in its largest whole unit: `45s`, `3m`, `2h`, `5d`. */
export function span(seconds: number): string {
  if (seconds < 60) return `${Math.floor(seconds)}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

/** The single sink to a terminal: whatever a view let through is cleaned here, and paint becomes colour or nothing. */
export function toTerminal(s: string, look: { color: boolean }): string {
  const safe = plain.test(s) ? s : s.replaceAll("\t", "    ").replace(unsafe, escaped);
  if (!look.color) return safe.replace(marks, "");
  const open: number[] = [];
  const drawn = safe.replace(marks, (mark) => {
    if (mark !== markEnd) {
      open.push(styles[styleNames[mark.charCodeAt(0) - 0xfdd1]!]);
      return `\u001b[${open.at(-1)}m`;
    }
    open.pop();
    return ["\u001b[0m", ...open.map((code) => `\u001b[${code}m`)].join("");
  });
  return open.length > 0 ? `${drawn}\u001b[0m` : drawn;
}

/**
 * JSON for `--json`, with the characters a terminal would obey or hide escaped: in two-space indent, but each row of a
 * list on one line, which is easier to search and a third smaller.
 */
export function toJson(value: object): string {
  const members = Object.entries(value).flatMap(([name, member]) =>
    member === undefined ? [] : [`  ${JSON.stringify(name)}: ${memberJson(member)}`],
  );
  return escapeJson(members.length === 0 ? "{}" : `{\n${members.join(",\n")}\n}`);
}

function memberJson(member: unknown): string {
  if (!Array.isArray(member)) return JSON.stringify(member, null, 2).replaceAll("\n", "\n  ");
  const rows = member.map((row) => `    ${JSON.stringify(row) ?? "null"}`);
  return rows.length === 0 ? "[]" : `[\n${rows.join(",\n")}\n  ]`;
}

/** The same on one line: a row of NDJSON. */
export function toJsonLine(value: unknown): string {
  return escapeJson(JSON.stringify(value));
}

function escapeJson(json: string): string {
  // Inside strings JSON has escaped C0 by itself; a newline found here is layout. Of ASCII only DEL is left, and
  // to count bytes is much faster than to match them, which shows in the time of `list`.
  const isPlain = Buffer.byteLength(json) === json.length && !json.includes("\u007f");
  return isPlain ? json : json.replace(unsafeOrMark, escaped);
}
