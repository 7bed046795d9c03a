/** A connection to another machine that is cut in the middle, and a dispatch of another version there. */
import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../daemon/rig.ts";
import type { Json } from "../support/dispatch.ts";
import { type Machines, machines } from "../support/machines.ts";
import { stringify } from "../support/provider-script.ts";
import { noSshd } from "../support/sshd.ts";

setDefaultTimeout(120_000);

describe.skipIf(noSshd !== undefined)(`a connection over ssh${noSshd ? `: ${noSshd}` : ""}`, () => {
  let all: Machines;
  let thread: Json;
  beforeAll(async () => {
    all = await machines();
    thread = await all.there.thread("far", "hello");
  });
  afterAll(() => all?.dispose());
  beforeEach(() => all.there.run(["wait", "@far", "--timeout", "30"]));

  /** The pid of the one ssh that a client runs. */
  const client = async () => {
    await until(() => all.box.connected().length > 0, "the call is there");
    return all.box.clients()[0]!;
  };
  const cut = async () => {
    process.kill(await client(), "SIGKILL");
  };
  const held = (name: string) => stringify([{ wait: name } as never, { say: `through ${name}` }]);
  const isBusy = () =>
    until(async () => (await all.there.ask(["get", "@far"])).status === "busy" || false, "the turn runs");

  test("is made anew under a wait, which goes on", async () => {
    await all.there.ask(["send", "@far", held("one")]);
    const waiting = all.here.run(["--host", "box", "wait", "@far", "--timeout", "60"]);
    const first = await client();
    await cut();
    await until(() => all.box.clients().some((pid) => pid !== first), "ssh runs again");
    await client();
    all.there.provider.release("one");
    expect((await waiting).json).toMatchObject({ verdict: "ok", timed_out: false });
  });

  test("ends a stream that has shown rows, with the words of a lost connection", async () => {
    const stream = all.here.stream(["--host", "box", "watch", "@far", "--follow"]);
    await client();
    await all.there.ask(["send", "@far", "for the stream", "--wait"]);
    await stream.row("the turn", (row) => row.kind === "turn.completed");
    await cut();
    const { code, stderr } = await stream.ended();
    expect(code).toBe(20);
    expect(JSON.parse(stderr.trim().split("\n").at(-1)!).error).toMatchObject({
      code: "host_down",
      hint: "dispatch --host box daemon status",
    });
  });

  test("is made anew under a send, and the text is delivered once", async () => {
    const before = (await all.there.ask(["receipt", "list"])).receipts.length;
    const sending = all.here.run(["--host", "box", "send", "@far", held("two"), "--wait", "--timeout", "60"]);
    await isBusy();
    await cut();
    all.there.provider.release("two");
    expect((await sending).json).toMatchObject({ state: "done", outcome: "completed" });
    expect((await all.there.ask(["receipt", "list"])).receipts).toHaveLength(before + 1);
  });

  test("under a send that cannot be made anew leaves it unsure, with the key that makes a repetition safe", async () => {
    const before = (await all.there.ask(["receipt", "list"])).receipts.length;
    const sending = all.here.run([
      "--host",
      "box",
      "send",
      "@far",
      held("three"),
      "--wait",
      "--timeout",
      "60",
    ]);
    await isBusy();
    await all.box.stop();
    const { code, error } = await sending;
    expect(code).toBe(13);
    expect(error).toMatchObject({ code: "unsure" });
    const key = String(error.data?.["idempotency_key"]);
    expect(error.hint).toContain(`--idempotency-key ${key}`);
    await all.box.start();
    const again = [
      "--host",
      "box",
      "send",
      "@far",
      held("three"),
      "--wait",
      "--timeout",
      "60",
      "--idempotency-key",
      key,
    ];
    const repeated = all.here.run(again);
    await client();
    all.there.provider.release("three");
    expect((await repeated).json).toMatchObject({ state: "done", thread: thread["ref"] });
    expect((await all.there.ask(["receipt", "list"])).receipts).toHaveLength(before + 1);
  });

  test("to a machine that went down is host_down, and nothing was sent", async () => {
    const before = await all.there.ask(["receipt", "list"]);
    await all.box.stop();
    for (const args of [["list"], ["send", "@far", "x"], ["wait", "@far"]])
      expect(await all.here.refused(["--host", "box", ...args])).toMatchObject({ code: "host_down" });
    await all.box.start();
    expect(await all.there.ask(["receipt", "list"])).toEqual(before);
  });

  describe("to an older dispatch", () => {
    const asked = () => join(all.here.codex.cwd, "asked");
    beforeAll(() => {
      const program = join(import.meta.dir, "../support/olddispatch.ts");
      writeFileSync(asked(), "");
      all.configure(`[hosts.old]\nssh = "box"\ncommand = "${process.execPath} ${program} ${asked()}"\n`);
    });
    afterAll(() => all.configure());

    test("reads still work, and one warning names both versions", async () => {
      const { code, json, stderr } = await all.here.run(["--host", "old", "list"]);
      expect(code).toBe(0);
      expect(json.threads).toEqual([{ ref: "abc123", an_old_field: true }]);
      const warnings = stderr.trim().split("\n");
      expect(warnings).toHaveLength(1);
      expect(JSON.parse(warnings[0]!).warning.message).toContain(
        "dispatch 0.0.1 on old is older than this one",
      );
      const shown = await all.here.screen(["--host", "old", "list"]);
      expect(shown.text).toContain("warning: dispatch 0.0.1 on old is older");
      expect(shown.text).toContain("an_old_field");
    });

    test("a write whose meaning may differ is refused, and nothing is done", async () => {
      writeFileSync(asked(), "");
      const error = await all.here.refused(["--host", "old", "send", "abc123", "x"]);
      expect(error).toMatchObject({ code: "stale", data: { host: "old", host_version: "0.0.1" } });
      expect(error.hint).toContain("install dispatch");
      expect((await all.here.refused(["--host", "old", "get", "abc123"])).message).toContain("does not know");
      expect(readFileSync(asked(), "utf8")).toBe("");
    });
  });
});
