/** Man pages in the macros of man(7), which every `man` can render. */

/** A list of terms and texts, plain paragraphs, or lines that keep their form. */
export type Block =
  | { kind: "terms"; rows: readonly (readonly [term: string, text: string])[] }
  | { kind: "text"; text: string }
  | { kind: "lines"; lines: readonly string[] };

export interface Page {
  /** `dispatch-send`; in section 1. */
  name: string;
  summary: string;
  /** Of the footer. `date`: YYYY-MM-DD. */
  date: string;
  source: string;
  sections: readonly { heading: string; blocks: readonly Block[] }[];
}

export function roff({ name, summary, date, source, sections }: Page): string {
  return [
    `.TH ${argument(name.toUpperCase())} "1" "${date}" ${argument(source)} "dispatch manual"`,
    // No hyphens in words that are typed, and no wide gaps.
    ".nh",
    ".ad l",
    ".SH NAME",
    `${escaped(name)} \\- ${escaped(summary)}`,
    ...sections.flatMap(({ heading, blocks }) => [
      `.SH ${argument(heading.toUpperCase())}`,
      ...blocks.flatMap((block, at) => linesOf(block, at === 0)),
    ]),
    "",
  ].join("\n");
}

function linesOf(block: Block, isFirst: boolean): string[] {
  const gap = isFirst ? [] : [".PP"];
  switch (block.kind) {
    case "text": {
      const text = paragraphs(block.text);
      return text[0] === ".TP" ? text : [...gap, ...text];
    }
    case "lines":
      return [...gap, ".nf", ...block.lines.map(textLine), ".fi"];
    case "terms":
      return block.rows.flatMap(([term, text]) => [".TP", `.B ${argument(term)}`, ...oneParagraph(text)]);
  }
}

/** A line `term  text`, with two or more blanks between, is a term of a list. Every other line is a paragraph. */
function paragraphs(text: string): string[] {
  const parts = text.split(/\n+/).filter((line) => line.trim() !== "");
  return parts.flatMap((part, at) => {
    const [, term, rest] = /^(\S+(?: \S+)*) {2,}(\S.*)$/.exec(part) ?? [];
    if (term !== undefined) return [".TP", `.B ${argument(term)}`, ...oneParagraph(rest!)];
    return [...(at === 0 ? [] : [".PP"]), textLine(part.trim())];
  });
}

/** The text of a term has one paragraph: another `.PP` would end the indentation. */
function oneParagraph(text: string): string[] {
  const line = text.replace(/\s+/g, " ").trim();
  return line === "" ? ["\\&"] : [textLine(line)];
}

/** A line that begins with a dot or a quote would be a request. */
function textLine(line: string): string {
  const text = escaped(line);
  return /^[.']/.test(text) ? `\\&${text}` : text;
}

function argument(text: string): string {
  return `"${escaped(text).replaceAll('"', "\\(dq")}"`;
}

/** A hyphen that is typed in a shell is `\-`; a backslash is `\e`; what is not ASCII has a name of its number. */
function escaped(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("`", "\\(ga")
    .replaceAll("'", "\\(aq")
    .replaceAll("^", "\\(ha")
    .replaceAll("~", "\\(ti")
    .replace(
      /[^\x20-\x7e\n]/gu,
      (c) => `\\[u${c.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}]`,
    );
}
