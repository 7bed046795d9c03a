/** Splits an unfinished command line into words as a shell does, but without expansions: nothing of it is run. */

export type Quote = "" | "'" | '"';

export interface Typed {
  /** The words before the one at the cursor, unquoted. */
  before: string[];
  /** The word at the cursor, up to the cursor, unquoted. */
  current: string;
  /** The part of `current` that bash keeps: up to the last character of COMP_WORDBREAKS, or to the open quote. */
  kept: string;
  /** The quote that is open at the cursor. */
  quote: Quote;
  /** True if the word is the file of a redirection. */
  isRedirect: boolean;
}

/** The characters that a backslash escapes inside double quotes. Before any other one the backslash is literal. */
const escapable = '$`"\\\n';

/** `breaks` is bash's COMP_WORDBREAKS. Empty for a shell that replaces whole words. */
export function typedIn(line: string, breaks = ""): Typed {
  const before: string[] = [];
  let word: string | undefined;
  let kept = "";
  let quote: Quote = "";
  let isRedirect = false;

  const end = () => {
    if (word === undefined) return;
    if (!isRedirect) before.push(word);
    word = undefined;
    kept = "";
    isRedirect = false;
  };
  const add = (char: string) => {
    word = (word ?? "") + char;
  };
  for (let at = 0; at < line.length; at++) {
    const char = line[at]!;
    const next = line[at + 1];
    if (quote !== "") {
      if (char === quote) quote = "";
      else if (quote === '"' && char === "\\" && next !== undefined && escapable.includes(next)) {
        add(next);
        at++;
      } else add(char);
    } else if (char === "\\") {
      add(next ?? "");
      at++;
    } else if (char === '"' || char === "'") {
      quote = char;
      add("");
      kept = word ?? "";
    } else if (/\s/.test(char)) end();
    else if (char === "<" || char === ">") {
      end();
      isRedirect = true;
    } else {
      const front = word ?? "";
      add(char);
      // For readline these two belong to the word that they begin (measured).
      if (breaks.includes(char)) kept = "@$".includes(char) ? front : front + char;
    }
  }
  return { before, current: word ?? "", kept, quote, isRedirect };
}
