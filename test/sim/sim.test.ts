import { expect, test } from "bun:test";
import { seeded } from "../support/seeded.ts";
import { simulate } from "./sim.ts";

/** Enough to meet every action many times; scripts/sim runs as many as one likes. */
const seeds = 40;
const steps = 200;

test("no message is lost, doubled, out of order or lied about, whatever dies whenever", async () => {
  const sum = { accepted: 0, kills: 0, restarts: 0, elsewhere: 0 };
  for (let seed = 1; seed <= seeds; seed++) {
    const tally = await simulate(seed, steps);
    sum.accepted += tally.accepted;
    sum.kills += tally.kills;
    sum.restarts += tally.restarts;
    sum.elsewhere += tally.elsewhere;
  }
  // The harm was really done: a simulator that kills nobody proves nothing.
  expect(sum.accepted).toBeGreaterThan(seeds * 10);
  expect(sum.kills).toBeGreaterThan(seeds * 2);
  expect(sum.restarts).toBeGreaterThan(seeds);
  expect(sum.elsewhere).toBeGreaterThan(seeds);
}, 120_000);

/** Each once broke a promise, in the simulator as it was then; the number is the seed, the words are what it found. */
const found: [seed: number, what: string][] = [
  [1011, "a turn whose start and end were both lost is looked for"],
  [1296, "a steer that comes back after its turn ended is not left waiting"],
  [2119, "a steer that became a queued message is proven like one"],
];
for (const [seed, what] of found) {
  test(what, async () => {
    await simulate(seed, steps);
  });
}

test("the same seed makes the same choices", () => {
  const [one, other] = [seeded(7), seeded(7)];
  expect(Array.from({ length: 100 }, one)).toEqual(Array.from({ length: 100 }, other));
});
