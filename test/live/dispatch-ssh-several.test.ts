/** Several machines at once, and the commands of README's section. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../daemon/rig.ts";
import { binary, type Json } from "../support/dispatch.ts";
import { type Machines, machines } from "../support/machines.ts";
import { stringify } from "../support/provider-script.ts";
import { noSshd } from "../support/sshd.ts";

setDefaultTimeout(120_000);

describe.skipIf(noSshd !== undefined)(`several machines at once${noSshd ? `: ${noSshd}` : ""}`, () => {
  let all: Machines;
  const onBox = (...args: string[]) => all.here.ask(["--host", "box", ...args]);
  beforeAll(async () => {
    all = await machines();
    await all.there.thread("far one", "hello");
    all.share();
    all.configure(`[hosts.dark]\nssh = "ssh://127.0.0.1:1"\n[policy]\n`);
    await all.here.thread("near one", "hello");
  });
  afterAll(() => all?.dispose());

  test("list --hosts names the host of each row, and the machine that does not answer", async () => {
    const { code, json } = await all.here.run(["list", "--hosts"]);
    expect(code).toBe(20);
    const far = (await onBox("get", "@far-one")).ref;
    const near = (await all.here.ask(["get", "@near-one"])).ref;
    const refs = json.threads.map((one: Json) => one["ref"]);
    expect(refs).toContain(`box/${far}`);
    expect(refs).toContain(near);
    expect(json.unreachable).toMatchObject([{ host: "dark", error: { code: "host_down" } }]);
    const shown = await all.here.screen(["list", "--hosts"], { columns: 120 });
    expect(shown.text).toContain(`box/${far}`);
    expect(shown.text).toContain("dark: dark cannot be reached");
    expect(shown.code).toBe(20);
  });

  test("the next command that an answer of another machine shows goes to that machine", async () => {
    await onBox("queue", "hold", "@far-one");
    // Both ways to an answer: the fast one of a read without flags, and that of every other command.
    for (const more of [[], ["--quiet"]]) {
      const { ref, queue } = await onBox("get", "@far-one", ...more);
      expect(queue.release).toBe(`dispatch --host box queue release ${ref}`);
      const shown = await all.here.screen(["--host", "box", "get", "@far-one", ...more], { columns: 160 });
      expect(shown.text).toContain(`dispatch --host box queue release ${ref}`);
    }
    const { ref, queue } = await onBox("get", "@far-one");
    await all.here.ask(queue.release.split(" ").slice(1));
    expect((await onBox("get", ref)).queue.held).toBe(false);
  });

  test("wait takes threads of several machines", async () => {
    await onBox("send", "@far-one", stringify([{ say: "far done" }]));
    await all.here.ask(["send", "@near-one", "hello"]);
    const waited = await all.here.ask(["wait", "box/@far-one", "@near-one", "--timeout", "60"]);
    expect(waited).toMatchObject({ verdict: "ok", timed_out: false, unreachable: [] });
    expect(waited.threads.map((one: Json) => String(one["ref"]).startsWith("box/"))).toEqual([true, false]);
    const dark = await all.here.run(["wait", "dark/abc123", "@near-one", "--timeout", "60"]);
    expect(dark.code).toBe(20);
    expect(dark.json.threads).toHaveLength(1);
    expect(dark.json.unreachable).toMatchObject([{ host: "dark" }]);
    const none = await all.here.refused(["wait", "box/@nobody", "@near-one"]);
    expect(none).toMatchObject({ code: "not_found", data: { host: "box" } });
  });

  test("wait --any ends with the first of them", async () => {
    await onBox("send", "@far-one", stringify([{ wait: "gate" } as never, { say: "late" }]));
    const waited = await all.here.ask(["wait", "box/@far-one", "@near-one", "--any", "--timeout", "60"]);
    expect(waited.threads).toHaveLength(1);
    expect(waited.verdict).toBe("ok");
    await onBox("stop", "@far-one");
  });

  test("the board of all machines shows each, and names the one that does not answer", async () => {
    const child = Bun.spawn([binary, "top", "--hosts", "--plain", "--json"], {
      env: all.here.env,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
    });
    const reader = child.stdout.getReader();
    let text = "";
    const read = async (what: RegExp) => {
      while (!what.test(text)) {
        const { done, value } = await reader.read();
        if (done) throw new Error(`the board ended: ${text}`);
        text += new TextDecoder().decode(value);
      }
    };
    await read(/"thread":"box\/[a-z0-9]{6}","title":"far one"/);
    await read(/"title":"near one"/);
    await read(/dark cannot be reached/);
    text = "";
    await onBox("send", "@far-one", "for the board");
    await read(/"thread":"box\/[a-z0-9]{6}","title":"far one"/);
    child.kill("SIGINT");
    expect(await child.exited).toBe(0);
  });

  test("a machine that never answers holds the others up for seconds only, and leaves no ssh behind", async () => {
    all.box.configure("Host hang\n  ProxyCommand sleep 600\n");
    all.configure('[hosts.hang]\nssh = "hang"\n');
    const { code, json } = await all.here.run(["list", "--hosts"]);
    expect(code).toBe(20);
    expect(json.threads.map((one: Json) => one["title"])).toEqual(
      expect.arrayContaining(["far one", "near one"]),
    );
    expect(json.unreachable).toMatchObject([{ host: "hang", error: { code: "host_down" } }]);
    expect(json.unreachable[0].error.message).toBe("hang was not reached within 8 s");
    await until(() => all.box.clients().length === 0, "no ssh is left");
    all.share();
    all.configure();
  });

  test("--hosts and --host exclude each other", async () => {
    for (const command of [["list"], ["top", "--plain"]])
      expect((await all.here.refused([...command, "--hosts", "--host", "box"])).code).toBe("usage");
  });
});

describe.skipIf(noSshd !== undefined)(`README${noSshd ? `: ${noSshd}` : ""}`, () => {
  test("its commands of another machine run as they are written", async () => {
    const all = await machines();
    try {
      const readme = await Bun.file(join(import.meta.dir, "../../README.md")).text();
      const section = readme.slice(readme.indexOf("### Over ssh"));
      const config = /```toml\n([^`]+)```/.exec(section)![1]!;
      const commands = /```console\n([^`]+)```/.exec(section)![1]!;
      writeFileSync(join(all.here.home, "config.toml"), config);
      const lines = commands.replace(/^\$ /gm, "");
      expect(lines.split("\n").length).toBeGreaterThan(8);
      const child = Bun.spawn(["sh", "-ec", lines], {
        env: all.here.env,
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
      });
      const [stdout, stderr, code] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
        child.exited,
      ]);
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(stdout).toContain("box/");
    } finally {
      await all.dispose();
    }
  });
});
