/** The usage limits of accounts: one a provider, kept in the registry. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { openStore } from "../../src/store/store.ts";
import { registryFolder } from "./files.ts";

let place: ReturnType<typeof registryFolder>;
beforeEach(() => {
  place = registryFolder();
});
afterEach(() => place.dispose());

const limit = {
  provider: "openai",
  limit_id: "codex",
  resets_at: 100,
  until: 105,
  began_at: 1,
  reason: "used up",
};

test("a provider has one, which a later one replaces, and it is there in the next daemon", () => {
  const store = openStore(place.path, 0);
  store.usageLimits.put(limit);
  store.usageLimits.put({ ...limit, provider: "azure", limit_id: null });
  store.usageLimits.put({ ...limit, resets_at: 200, until: 205 });
  store.close();
  const next = openStore(place.path, 0);
  expect(next.usageLimits.list()).toEqual([
    { ...limit, provider: "azure", limit_id: null },
    { ...limit, resets_at: 200, until: 205 },
  ]);
  next.usageLimits.remove("openai");
  expect(next.usageLimits.list().map(({ provider }) => provider)).toEqual(["azure"]);
  next.close();
});

test("with a failed transaction it is as it was", () => {
  const store = openStore(place.path, 0);
  store.usageLimits.put(limit);
  expect(() =>
    store.tx(() => {
      store.usageLimits.remove("openai");
      throw new Error("no");
    }),
  ).toThrow();
  expect(store.usageLimits.list()).toEqual([limit]);
  store.close();
});
