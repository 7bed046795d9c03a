/** One word in full and in half width, as Japanese and Chinese texts have it: `dispatch` and `ｄｉｓｐａｔｃｈ`, `カタ` and `ｶﾀ`. */

/** How far from their codes the same letters are in full width. */
const [narrowLetters, fullWidth] = [/[0-9A-Za-z]/g, 0xfee0];
const katakana = /[\u30a1-\u30fc]/g;
const halfKana = new Map(
  Array.from({ length: 0xff9f - 0xff65 + 1 }, (_, at) => String.fromCharCode(0xff65 + at)).map((half) => [
    half.normalize("NFKC"),
    half,
  ]),
);

/** The term itself first, each spelling once. None holds a quote, if the term does not. */
export function spellings(term: string): string[] {
  const usual = term.normalize("NFKC").replaceAll('"', " ");
  return [...new Set([term.normalize("NFC"), usual, wide(usual), withHalfKana(usual)])];
}

function wide(text: string): string {
  return text.replace(narrowLetters, (one) => String.fromCharCode(one.charCodeAt(0) + fullWidth));
}

function withHalfKana(text: string): string {
  return text.replace(katakana, (one) =>
    // Its sound mark is a character of its own there.
    one.normalize("NFD").replace(/./gu, (part) => halfKana.get(part) ?? part),
  );
}
