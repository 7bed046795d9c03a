import { describe, expect, test } from "bun:test";
import { noNats } from "../support/nats.ts";
import { relayKillRun } from "./relay/run.ts";

/** The same one each time, so that a failure comes back; `scripts/fault --relay --seed N` runs others, and cuts networks too. */
const seed = Number(process.env["DISPATCH_FAULT_SEED"] ?? 1);

describe.skipIf(noNats !== undefined)(`three machines on one relay${noNats ? `: ${noNats}` : ""}`, () => {
  test("no message is lost, doubled or out of order, whoever is killed whenever", async () => {
    const told = await relayKillRun({ messages: 70, kills: 14, seed, hasCuts: false });
    await Bun.write(Bun.stdout, `${JSON.stringify({ seed, ...told })}\n`);
    expect(told).toMatchObject({ messages: 70, done: 70, lost: 0, doubled: 0, disordered: 0 });
    // The harm was really done.
    const { daemons, codexes, servers, stalls } = told.harm;
    expect(daemons).toBeGreaterThan(2);
    expect(codexes + servers + stalls).toBeGreaterThan(2);
  }, 240_000);
});
