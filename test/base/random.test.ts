import { expect, test } from "bun:test";
import { newId, newKey, newRef, systemRandom } from "../../src/base/random.ts";

test("a ref is six of the alphabet and begins with a letter, for any randomness", () => {
  for (const random of [() => 0, () => 0.9999999, systemRandom])
    expect(newRef(random)).toMatch(/^[bcdfghjkmnpqrstvwxyz][0-9bcdfghjkmnpqrstvwxyz]{5}$/);
});

test("the same randomness gives the same ref", () => {
  expect(newRef(() => 0.5)).toBe(newRef(() => 0.5));
});

test("an id is a UUIDv7 of its time, and later ids sort later", () => {
  const early = newId(Date.UTC(2026, 0, 1));
  expect(early).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(Number.parseInt(early.slice(0, 13).replace("-", ""), 16)).toBe(Date.UTC(2026, 0, 1));
  expect(newId(Date.UTC(2026, 0, 2)) > early).toBe(true);
  expect(newId(1)).not.toBe(newId(1));
});

test("keys are long and different", () => {
  expect(newKey()).toMatch(/^[0-9a-z]{24}$/);
  expect(newKey()).not.toBe(newKey());
});
