import { expect, test } from "bun:test";
import { seeded } from "../support/seeded.ts";
import { simulate } from "./sim.ts";
import { noTally, plus, type Tally } from "./state.ts";

/** Enough to meet every action many times; scripts/sim runs as many as one likes. */
const seeds = 40;
const steps = 200;

test("no message and no wake is lost, doubled, out of order or lied about, whatever dies whenever", async () => {
  let sum: Tally = noTally;
  for (let seed = 1; seed <= seeds; seed++) sum = plus(sum, await simulate(seed, steps));
  // The harm was really done: a simulator that kills nobody proves nothing.
  expect(sum.accepted).toBeGreaterThan(seeds * 10);
  expect(sum.kills).toBeGreaterThan(seeds * 2);
  expect(sum.restarts).toBeGreaterThan(seeds);
  expect(sum.elsewhere).toBeGreaterThan(seeds);
  expect(sum.firings).toBeGreaterThan(seeds * 5);
  expect(sum.refusals).toBeGreaterThan(seeds);
  expect(sum.notices).toBeGreaterThan(seeds);
  expect(sum.limits).toBeGreaterThan(0);
}, 120_000);

test("the same seed is the same run", async () => {
  expect(await simulate(18, steps)).toEqual(await simulate(18, steps));
});

/** Each once broke a promise, in the simulator as it was then; the number is the seed, the words are what it found. */
const found: [seed: number, what: string][] = [
  [1011, "a turn whose start and end were both lost is looked for"],
  [1296, "a steer that comes back after its turn ended is not left waiting"],
  [2119, "a steer that became a queued message is proven like one"],
  [6, "a thread that a trigger made before the daemon was killed is found again"],
  [18, "a repeated wake of all comes after each of them ran again"],
  [23, "of several conditions one that holds still is not forgotten"],
  [112, "a thread that never ran idles once"],
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
