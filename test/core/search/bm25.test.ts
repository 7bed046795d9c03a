/** What fits best comes first: more of the words, in fewer. */
import { expect, test } from "bun:test";
import { split } from "../../../src/base/unspaced.ts";
import { ranked } from "../../../src/core/search/bm25.ts";
import { spellings } from "../../../src/core/search/spelling.ts";

/** The texts in the order of rank. */
function order(terms: string[], texts: string[]): string[] {
  return ranked(
    terms.map((term) => [split(term)]),
    texts.map((text, id) => ({ id, text: split(text) })),
  ).map((id) => texts[id]!);
}

test("more often, and in a shorter text, is better; of equals the later", () => {
  const filler = " and so on".repeat(20);
  const [once, often, short] = [`fish${filler}`, `fish fish fish${filler}`, "a fish"];
  expect(order(["fish"], [once, often, short])).toEqual([short, often, once]);
  expect(
    ranked(
      [["fish"]],
      [1, 2, 3].map((id) => ({ id, text: "fish" })),
    ),
  ).toEqual([3, 2, 1]);
});

test("each word counts: one that floods a text does not stand for the other", () => {
  const [flood, both] = ["red red red red red fish", "red fish red fish red fish"];
  expect(order(["red", "fish"], [both, flood])).toEqual([both, flood]);
});

test("words are counted as the index reads them: whole, in any case, without accents", () => {
  const texts = ["crawfish starfish fishing fish", "fish, Fish: FÏSH - fish"];
  expect(order(["fish"], texts)).toEqual(texts.toReversed());
  expect(order(["FÎSH"], texts)).toEqual(texts.toReversed());
});

test("a phrase counts where it occurs, with anything between its words that is no word", () => {
  const [scattered, phrase] = [
    "red old fish, red old fish, fish red",
    "red-fish; red\n fish or red  old fish",
  ];
  expect(order(["red fish"], [phrase, scattered])).toEqual([phrase, scattered]);
  expect(order(["red-fish"], [phrase, scattered])).toEqual([phrase, scattered]);
});

test("parts of a clause are counted as the index reads them, in every spelling", () => {
  const [once, twice] = ["我们部署了新的服务器然后等待", "部署之后再部署一次然后又等待"];
  expect(order(["部署"], [twice, once])).toEqual([twice, once]);
  // With an accent somewhere, for which the text is taken apart.
  const [plain, voiced] = ["é かかか", "é ががが、か"];
  expect(order(["か"], [plain, voiced])).toEqual([plain, voiced]);
  expect(order(["มา"], ["มา มี มู มี", "มี มา มา มู"])).toEqual(["มี มา มา มู", "มา มี มู มี"]);
  expect(order(["🚀"], ["🚀🚀 go", "go 🚀 go"])).toEqual(["🚀🚀 go", "go 🚀 go"]);
  const texts = ["React ＲＥＡＣＴ it", "the React is"].map((text, id) => ({ id, text }));
  expect(ranked([spellings("react")], texts)).toEqual([0, 1]);
});

test("what the index takes for a word and we do not is ranked last, never lost", () => {
  expect(order(["\u0301"], ["a", "b"])).toHaveLength(2);
  expect(ranked([["fish"]], [])).toEqual([]);
});
