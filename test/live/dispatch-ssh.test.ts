/** Another machine over a real ssh: every command and every stream, and what a person is told when it does not work. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { index } from "../../src/ops/index.ts";
import { binary, type Json } from "../support/dispatch.ts";
import { type Machines, machines } from "../support/machines.ts";
import { noSshd } from "../support/sshd.ts";

setDefaultTimeout(120_000);

describe.skipIf(noSshd !== undefined)(`over ssh${noSshd ? `: ${noSshd}` : ""}`, () => {
  let all: Machines;
  beforeAll(async () => {
    all = await machines();
    await all.there.thread("far one", "hello");
  });
  afterAll(() => all?.dispose());

  const onBox = (...args: string[]) => all.here.ask(["--host", "box", ...args]);

  test("a command answers as it does there, and nothing of it is here", async () => {
    const made = await onBox("new", "--name", "second", "--cwd", all.there.codex.cwd, "--text", "hello");
    expect(await onBox("wait", made.ref, "--timeout", "30")).toMatchObject({ verdict: "ok" });
    expect((await onBox("list")).threads).toEqual((await all.there.ask(["list"])).threads);
    expect((await onBox("tail", "@far-one")).items).toEqual(
      (await all.there.ask(["tail", "@far-one"])).items,
    );
    const sent = await onBox("send", made.ref, "again", "--wait");
    expect(sent).toMatchObject({ state: "done", outcome: "completed" });
    expect(await all.there.ask(["receipt", "get", sent.receipt])).toMatchObject({ state: "done" });
    expect((await all.here.ask(["list"])).threads).toEqual([]);
  });

  test("DISPATCH_HOST is the host of every command that names none", async () => {
    const env = { DISPATCH_HOST: "box" };
    expect((await all.here.ask(["list"], { env })).threads).toHaveLength(2);
    expect((await all.here.ask(["list", "--limit", "5"], { env })).threads).toHaveLength(2);
    expect((await all.here.refused(["list", "--host", "other"], { env })).code).toBe("not_found");
  });

  test("a new thread without a folder starts in the home there, and a relative path is refused", async () => {
    const made = await onBox("new", "--name", "homely");
    expect(made.cwd).toBe(all.there.env["HOME"]);
    const error = await all.here.refused(["--host", "box", "new", "--name", "x", "--cwd", "."]);
    expect(error).toMatchObject({ code: "usage" });
    expect(error.message).toContain("must be absolute");
    await onBox("archive", made.ref, "--yes");
  });

  test("a text is read here, from a file or a pipe", async () => {
    const file = join(all.here.codex.cwd, "text");
    writeFileSync(file, "from a file of this machine");
    const sent = await onBox("send", "@far-one", "--text-file", file, "--wait");
    expect(sent.last_message ?? "").toContain("from a file of this machine");
  });

  test("every operation reaches the daemon there, over one shared connection", async () => {
    all.share();
    const daemons = index.filter((row) => row.at !== "client" && !row.hidden);
    const different: Json[] = [];
    for (const { cli } of daemons) {
      // The first word names nothing, so that no command does anything; reads without words answer.
      for (const words of [[], ["zzzzzz"]]) {
        const args = [...cli.split(" "), ...words, "--yes", "--deadline", "20"];
        const [far, near] = [await all.here.run(["--host", "box", ...args]), await all.there.run(args)];
        const codes = (code: number, stderr: string) =>
          code === 0
            ? 0
            : [code, (JSON.parse(stderr.trim().split("\n").at(-1)!) as { error: Json }).error["message"]];
        const [one, other] = [codes(far.code, far.stderr), codes(near.code, near.stderr)];
        if (JSON.stringify(one) !== JSON.stringify(other)) different.push({ args, far: one, near: other });
      }
    }
    expect(different).toEqual([]);
    expect(daemons.length).toBeGreaterThan(50);
  });

  test("what is about files and processes runs there, with its output and its exit status", async () => {
    const checked = await onBox("registry", "check");
    expect(checked.registry).toStartWith(all.there.home);
    expect((await onBox("doctor", "--no-app-server")).checks).toBeArray();
    await onBox("down");
    expect((await all.here.refused(["--host", "box", "daemon", "status"])).code).toBe("daemon_down");
    const stopped = await all.here.refused(["--host", "box", "list"]);
    expect(stopped).toMatchObject({ code: "daemon_down", hint: "dispatch --host box up" });
    await onBox("up");
    // A command starts the daemon there, as it does here.
    expect((await all.there.run(["daemon", "stop"])).code).not.toBe(0);
    expect((await onBox("list")).threads).toBeArray();
  });

  test("a report of the box is written here", async () => {
    const file = join(all.here.codex.cwd, "report.html");
    expect((await onBox("report", "--html", file)).turns).toBeGreaterThan(0);
    expect(existsSync(file)).toBe(true);
  });

  test("a stream shows what happens there, and ends at Ctrl-C", async () => {
    const stream = all.here.stream(["--host", "box", "events", "--follow", "--kinds", "message.*"]);
    await onBox("send", "@far-one", "for the stream");
    await stream.row("the delivery", (row) => row.kind === "message.done");
    stream.signal("SIGINT");
    expect((await stream.ended()).code).toBe(0);
    const watch = all.here.stream(["--host", "box", "watch", "@far-one", "--follow"]);
    await onBox("send", "@far-one", "for the watch");
    await watch.row("the turn", (row) => row.kind === "turn.completed");
    watch.signal("SIGTERM");
    expect((await watch.ended()).code).toBe(0);
  });

  test("hostile text of another machine is cleaned, as text of this one is", async () => {
    const hostile = "evil \u001b]0;x\u0007\u001b[2J \u202e title";
    const made = await onBox("new", "--name", hostile);
    const shown = await all.here.screen(["list", "--host", "box"], { columns: 100 });
    expect(shown.code).toBe(0);
    expect(shown.text).toContain("evil");
    expect(shown.text).not.toContain("\u001b]0");
    expect(shown.text).not.toContain("\u001b[2J");
    expect(shown.raw).not.toContain("\u202e");
    await onBox("archive", made.ref, "--yes");
  });

  test("a log-in script that prints something is no part of the connection", async () => {
    all.configure(`[hosts.noisy]\nssh = "box"\ncommand = "echo '{\\"id\\":1}'; echo Welcome; ${binary}"\n`);
    expect((await all.here.ask(["--host", "noisy", "list"])).threads).toBeArray();
    all.configure();
  });

  test("the board's plain form shows the box", async () => {
    const child = Bun.spawn([binary, "--host", "box", "top", "--plain", "--json"], {
      env: all.here.env,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
    });
    const reader = child.stdout.getReader();
    let text = "";
    while (!text.includes("far one")) {
      const { done, value } = await reader.read();
      if (done) break;
      text += new TextDecoder().decode(value);
    }
    child.kill("SIGINT");
    await child.exited;
    expect(text).toContain("far one");
  });

  test("through a jump host", async () => {
    all.box.configure(`Host inner\n  HostName 127.0.0.1\n  Port ${all.box.port}\n  ProxyJump box\n`);
    all.configure(`[hosts.inner]\nssh = "inner"\ncommand = "${binary}"\n`);
    expect((await all.here.ask(["--host", "inner", "list"])).threads.length).toBeGreaterThan(0);
    all.box.configure("");
    all.configure();
  });

  test("an address needs no configuration", async () => {
    const address = `ssh://127.0.0.1:${all.box.port}`;
    expect((await all.here.ask(["--host", address, "list"])).threads.length).toBeGreaterThan(0);
  });

  const script = (name: string, text: string) => {
    const path = join(all.here.codex.cwd, name);
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o700);
    return path;
  };

  test.each([
    { what: "a wrong key", name: "stranger", config: "", words: "Permission denied", hint: "ssh-add" },
    {
      what: "an unknown host key",
      name: "strange",
      config: "  UserKnownHostsFile WHERE/known_none\n",
      words: "Host key verification failed",
      hint: "by hand",
    },
    {
      what: "nobody at the port",
      name: "strange",
      config: "  Port 1\n",
      words: "Connection refused",
      hint: "ssh strange true",
    },
  ])(
    "$what is host_down with the words of ssh, and stores nothing",
    async ({ name, config, words, hint }) => {
      const where = join(all.here.codex.cwd, "../ssh");
      all.box.configure(
        `Host ${name}\n${config.replace("WHERE", where)}  HostName 127.0.0.1\n  Port ${all.box.port}\n  HostKeyAlias [127.0.0.1]:${all.box.port}\n`,
      );
      all.configure(`[hosts.strange]\nssh = "${name}"\n`);
      const { code, message, ...error } = await all.here.refused(["--host", "strange", "list"]);
      expect(code).toBe("host_down");
      expect(message).toContain(words);
      expect(error.hint).toContain(hint);
      const before = await all.there.ask(["receipt", "list"]);
      expect((await all.here.refused(["--host", "strange", "send", "@far-one", "x"])).code).toBe("host_down");
      expect(await all.there.ask(["receipt", "list"])).toEqual(before);
      all.box.configure("");
      all.configure();
    },
  );

  test("a host without dispatch, and one whose dispatch knows no other machines", async () => {
    const old = script(
      "old",
      `echo '{"error":{"code":"usage","message":"unknown command \\"dial-stdio\\"","hint":null,"retry":"no","data":null}}' >&2; exit 2`,
    );
    all.configure(
      `[hosts.bare]\nssh = "box"\ncommand = "no-such-dispatch"\n[hosts.old]\nssh = "box"\ncommand = "${old}"\n`,
    );
    const bare = await all.here.refused(["--host", "bare", "list"]);
    expect(bare.message).toContain("bare has no dispatch");
    expect(bare.hint).toContain("install dispatch there");
    expect((await all.here.refused(["--host", "bare", "up"])).code).toBe("host_down");
    expect((await all.here.refused(["--host", "old", "list"])).message).toContain("too old");
    all.configure();
  });

  test("an unknown host and a malformed address", async () => {
    const unknown = await all.here.refused(["--host", "bxo", "list"]);
    expect(unknown).toMatchObject({ code: "not_found", hint: "did you mean box? The hosts: box" });
    expect((await all.here.refused(["--host", "ssh://", "list"])).code).toBe("usage");
    expect((await all.here.refused(["--host", "-oProxyCommand=x", "list"])).code).toBe("usage");
    expect((await all.here.refused(["--host", "", "list"])).code).toBe("usage");
  });

  test("a name of another machine is not found here, and the hint says how to reach it", async () => {
    const error = await all.here.refused(["send", "box/@far-one", "hello there"]);
    expect(error).toMatchObject({
      code: "not_found",
      hint: "dispatch send --host box @far-one 'hello there'",
    });
    expect((await all.here.refused(["get", "nobox/abc"])).hint).toContain("no host is called nobox");
  });

  test("completion offers the hosts, and the threads of the host that is typed", async () => {
    all.share();
    const complete = (...words: string[]) => all.here.run(["__complete", "zsh", ...words]);
    expect((await complete("list", "--host", "")).stdout).toContain("box\tbox");
    await onBox("list");
    expect((await complete("get", "--host", "box", "@far")).stdout).toContain("@far-one");
  });
});
