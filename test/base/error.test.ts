import { expect, test } from "bun:test";
import { DispatchError, errorMessage } from "../../src/base/error.ts";
import { limits } from "../../src/base/limits.ts";

const bodyOf = (data: Record<string, unknown>) => new DispatchError("usage", "no", { data }).body.data;

test("message and hint are cut, however much they repeat", () => {
  const { body } = new DispatchError("usage", "m".repeat(4_000_000), { hint: "h".repeat(4_000_000) });
  expect(body.message).toEndWith(`[${4_000_000 - limits.error.charsMax} more characters]`);
  expect(JSON.stringify(body).length).toBeLessThan(2 * limits.error.charsMax + 300);
  expect(errorMessage(new Error("w".repeat(4_000_000))).length).toBeLessThan(limits.error.charsMax + 100);
});

test("a message cut through a character is still text", () => {
  const { message } = new DispatchError("usage", "🙂".repeat(limits.error.charsMax));
  expect(message.isWellFormed()).toBe(true);
  expect(new DispatchError("usage", "half \ud800").message.isWellFormed()).toBe(true);
});

test("data is whole while it is small, and the beginning of it when it is not", () => {
  const small = { refs: Array.from({ length: 500 }, (_, n) => `ref${n}`), deep: { a: [1] } };
  expect(bodyOf(small)).toBe(small);
  const many = bodyOf({ id: 7, matches: Array.from({ length: 100_000 }, (_, n) => ({ ref: `r${n}` })) });
  expect(many).toMatchObject({ id: 7 });
  expect(many?.["matches"]).toHaveLength(limits.error.dataItemsMax);
});

test("data of any form becomes an answer, and none is larger than its limit", () => {
  const circle: Record<string, unknown> = {};
  circle["self"] = circle;
  let deep: Record<string, unknown> = {};
  for (let n = 0; n < 100_000; n++) deep = { deep };
  const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`key${n}`, "x".repeat(50)]));
  for (const data of [circle, { n: 1n }, deep, wide, { long: "\u0000".repeat(4_000_000) }]) {
    const json = JSON.stringify(bodyOf(data));
    expect(json.length).toBeLessThanOrEqual(limits.error.dataCharsMax);
  }
});
