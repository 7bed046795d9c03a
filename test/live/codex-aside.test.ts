/** A question of the executable leaves the user's Codex home alone, where an app-server may just start. */
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { offerOf } from "../../src/codex/offer.ts";
import { runWithTemporaryHome } from "../../src/codex/temporaryhome.ts";
import { codexExecutable, codexHome } from "../support/codex.ts";

test("its version and its schema are told without a file in the home", async () => {
  const { home, env, cleanup } = codexHome("http://127.0.0.1:9/v1");
  try {
    const before = readdirSync(home, { recursive: true });
    expect((await offerOf(codexExecutable(), env))?.calls.has("thread/start")).toBe(true);
    const asked = { args: () => ["--version"], env, timeoutMs: 10_000 };
    const said = await runWithTemporaryHome(codexExecutable(), asked, ({ stdout }) => stdout);
    expect(said).toMatch(/\d+\.\d+\.\d+/);
    expect(readdirSync(home, { recursive: true })).toEqual(before);
  } finally {
    cleanup();
  }
}, 20_000);
