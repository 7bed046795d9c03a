import { expect, test } from "bun:test";
import { keyedMutex } from "../../src/base/mutex.ts";

test("calls for one key run one at a time, in the order they came", async () => {
  const mutex = keyedMutex();
  const seen: string[] = [];
  const gates = [1, 2, 3].map(() => Promise.withResolvers<void>());
  const all = gates.map((gate, n) =>
    mutex.run("lane", async () => {
      seen.push(`in ${n}`);
      await gate.promise;
      seen.push(`out ${n}`);
    }),
  );
  for (const gate of gates.toReversed()) gate.resolve();
  await Promise.all(all);
  expect(seen).toEqual(["in 0", "out 0", "in 1", "out 1", "in 2", "out 2"]);
});

test("another key does not wait", async () => {
  const mutex = keyedMutex();
  const gate = Promise.withResolvers<void>();
  const slow = mutex.run("a", () => gate.promise);
  expect(await mutex.run("b", () => "free")).toBe("free");
  gate.resolve();
  await slow;
});

test("a call that throws lets the next one in, and only its own caller sees the error", async () => {
  const mutex = keyedMutex();
  const first = mutex.run("a", () => {
    throw new Error("first failed");
  });
  const second = mutex.run("a", () => "second ran");
  await expect(first).rejects.toThrow("first failed");
  expect(await second).toBe("second ran");
});

test("a key is held from the first call to the end of the last, and lockFor shares its line", async () => {
  const mutex = keyedMutex();
  const gate = Promise.withResolvers<void>();
  const lock = mutex.lockFor("a");
  const first = mutex.run("a", () => gate.promise);
  const second = lock(() => "through lockFor");
  expect(mutex.isHeld("a")).toBe(true);
  gate.resolve();
  expect(await second).toBe("through lockFor");
  await first;
  expect(mutex.isHeld("a")).toBe(false);
});
