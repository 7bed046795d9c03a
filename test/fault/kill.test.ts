import { expect, test } from "bun:test";
import { killRun } from "./kill/run.ts";

/** Another one each time; a failure names it, and scripts/fault runs it again. */
const seed = Number(process.env["DISPATCH_FAULT_SEED"] ?? Math.floor(Math.random() * 1_000_000));

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
