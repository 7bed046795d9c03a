/** Codex is replaced on disk under a busy daemon: the turn ends on the old one, and the queue goes on with the new. */
import { expect, test } from "bun:test";
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codexExecutable } from "../support/codex.ts";
import { dispatchRig } from "../support/dispatch.ts";
import { stringify } from "../support/provider-script.ts";

test("a replaced Codex is started when its turn has ended, and nothing is lost or doubled", async () => {
  const bin = mkdtempSync(join(tmpdir(), "dispatch-codex-"));
  const codex = join(bin, "codex");
  mkdirSync(bin, { recursive: true });
  copyFileSync(codexExecutable(), codex);
  const rig = dispatchRig({ env: { DISPATCH_CODEX: codex } });
  try {
    const script = stringify([{ wait: "replaced" }, { say: "the old one says so" }]);
    const { ref } = await rig.ask(["new", "--name", "busy", "--text", script]);
    await rig.provider.reached("replaced");
    const before = await rig.pids();
    // As npm does it: another file takes the name.
    copyFileSync(codexExecutable(), `${codex}.new`);
    renameSync(`${codex}.new`, codex);
    for (const text of ["first", "second"]) await rig.ask(["send", ref, text, "--queue"]);
    expect((await rig.pids()).child).toBe(before.child);
    rig.provider.release("replaced");
    await rig.ask(["wait", ref, "--timeout", "40"]);
    let after = await rig.pids();
    for (let tries = 0; after.child === before.child || after.child === null; tries++) {
      if (tries === 200) throw new Error("the new Codex was not started");
      await Bun.sleep(100);
      after = await rig.pids();
    }
    expect(after.daemon).toBe(before.daemon);
    const sent = await rig.ask(["send", ref, "third", "--wait", "--timeout", "40"]);
    expect(sent).toMatchObject({ state: "done", outcome: "completed" });
    const { items } = await rig.ask(["tail", ref]);
    const said = items
      .filter(({ type }: { type: string }) => type === "user_message")
      .map(({ text }: { text: string }) => text);
    expect(said).toEqual([script, "first", "second", "third"]);
    expect(items.map(({ text }: { text: string }) => text)).toContain("the old one says so");
  } finally {
    await rig.dispose();
    rmSync(bin, { recursive: true, force: true });
  }
}, 90_000);
