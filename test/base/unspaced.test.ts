/** Each character of a script without spaces is a word of its own, and the text comes back as it was. */
import { expect, test } from "bun:test";
import { joined, split } from "../../src/base/unspaced.ts";

const words = (text: string) => split(text).split("\x1f").map(joined);

test("each character is a word, what is written with spaces stays whole", () => {
  expect(words("部署dispatch服务")).toEqual(["部", "署", "dispatch", "服", "务"]);
  expect(words("カタログを見る")).toEqual(["カ", "タ", "ロ", "グ", "を", "見", "る"]);
  expect(words("서버에서 deploy했다")).toEqual(["서", "버", "에", "서 deploy", "했", "다"]);
  expect(words("👍🏽done")).toEqual(["👍", "🏽", "done"]);
  expect(words("résumé naïve")).toEqual(["résumé naïve"]);
});

test("what is plain is not touched", () => {
  for (const text of [
    "",
    "plain words\n\ttabs",
    "Größe, Ελληνικά, Русский, עברית",
    "\ue0b0\uf115\u{f0e31}",
  ]) {
    expect(split(text)).toBe(text);
    expect(joined(text)).toBe(text);
  }
});

test("every character comes back, in composed form, also where it is split twice", () => {
  const wrong: string[] = [];
  for (let code = 0; code < 0x110000; code++) {
    const isOwn = code === 0x1f || (code >= 0xf4000 && code <= 0xfffff);
    if (isOwn || (code >= 0xd800 && code <= 0xdfff)) continue;
    const text = String.fromCodePoint(code);
    const back = joined(split(text));
    if (back !== text && back !== text.normalize("NFC")) wrong.push(code.toString(16));
  }
  expect(wrong).toEqual([]);
  const text = "部署 ที่นี่ 👩🏽‍💻 か\u3099 ｶﾞ";
  expect(joined(split(text))).toBe(text.normalize("NFC"));
  expect(split(joined(split(text)))).toBe(split(text));
});

test("characters that only this gives a meaning are lost, and never read as another", () => {
  expect(joined(split("a\x1fb \u{ff44d} 部\x1f署"))).toBe("ab  部署");
});
