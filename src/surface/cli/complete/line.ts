/** A command line as far as it is typed, read as a shell reads it, but for expansions: nothing of it is ever run. */

export type Quote = "" | "'" | '"';

export interface Typed {
  /** The words before the one under the cursor, unquoted. */
  before: string[];
  /** The word under the cursor, up to it, unquoted. */
  current: string;
  /** The part of it that bash leaves as it is: up to the last character of COMP_WORDBREAKS, or to the open quote. */
  kept: string;
  /** The quote that is open at the cursor. */
  quote: Quote;
  /** The word is a file to read from or to write to. */
  isRedirect: boolean;
}

/** What a backslash takes the meaning of inside double quotes; before anything else there it stays. */
const escapable = '$`"\\\n';

/** `breaks` is COMP_WORDBREAKS; empty where the shell puts whole words. */
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
      // readline counts these two to the word that they begin (measured).
      if (breaks.includes(char)) kept = "@$".includes(char) ? front : front + char;
    }
  }
  return { before, current: word ?? "", kept, quote, isRedirect };
}
