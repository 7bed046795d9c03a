import { expect, test } from "bun:test";
import { killRun } from "./kill/run.ts";

/** The same one each time, so that a failure comes back; `scripts/fault --seed N` runs others. */
const seed = Number(process.env["DISPATCH_FAULT_SEED"] ?? 1);

test("no message is lost, doubled, out of order or lied about, whoever is killed whenever", async () => {
  const told = await killRun({ messages: 110, seed });
  await Bun.write(Bun.stdout, `${JSON.stringify({ seed, ...told })}\n`);
  expect(told).toMatchObject({ lost: 0, doubled: 0, unsure: 0 });
  expect(told.messages).toBeGreaterThanOrEqual(100);
  // The harm was really done: a run that kills nobody proves nothing.
  expect(told.kills.codex).toBeGreaterThan(10);
  expect(told.kills.daemon).toBeGreaterThan(5);
  expect(told.kills.at_steps).toBeGreaterThan(5);
}, 240_000);
