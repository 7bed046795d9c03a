/** A word is sought in full and in half width, whichever was typed. */
import { expect, test } from "bun:test";
import { queryOf } from "../../../src/core/search/query.ts";
import { spellings } from "../../../src/core/search/spelling.ts";

test("letters, digits and kana have both widths, each once, and first as typed", () => {
  expect(spellings("a1")).toEqual(["a1", "ａ１"]);
  expect(spellings("ａ１")).toEqual(["ａ１", "a1"]);
  expect(spellings("ガード")).toEqual(["ガード", "ｶﾞｰﾄﾞ"]);
  expect(spellings("ｶﾞｰﾄﾞ")).toEqual(["ｶﾞｰﾄﾞ", "ガード"]);
  expect(spellings("か\u3099")).toEqual(["が"]);
  expect(spellings("部署")).toEqual(["部署"]);
});

test("no spelling ends the quotes that it is put in", () => {
  const syntax = queryOf("＂a＂ b").match.replace(/"[^"]*"/g, "x");
  expect(syntax).toBe("(x OR x OR x) AND (x OR x)");
  expect(spellings("＂x\u02ddy").join("")).not.toContain('"');
});
