import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { agreeable, type Behaviour, type FakeDaemon, fakeDaemon } from "../support/daemon.ts";
import { main, newHome, onTerminal, run, socketIn, start, until } from "../support/run.ts";

const home = newHome();
let behave: Behaviour = agreeable;
let daemon: FakeDaemon;
beforeAll(() => {
  daemon = fakeDaemon(socketIn(home), (call, reply) => behave(call, reply));
});
afterAll(() => daemon.stop());

async function during<T>(other: Behaviour, work: () => Promise<T>): Promise<T> {
  behave = other;
  try {
    return await work();
  } finally {
    behave = agreeable;
  }
}

const errorIn = (stderr: string) => (JSON.parse(stderr) as { error: Record<string, unknown> }).error;
const lastCall = () => daemon.calls.at(-1)!;

describe("off a terminal", () => {
  test("a result is indented JSON with a row on each line, and what a terminal would obey or hide escaped", async () => {
    const { stdout, stderr, code } = await run(home, ["list"]);
    expect([stderr, code]).toEqual(["", 0]);
    expect(stdout).toStartWith('{\n  "threads": [\n    {"ref":"abc123",');
    expect(stdout).toContain("\\u001b[2J\\u202e");
    expect(JSON.parse(stdout)).toMatchObject({
      threads: [{ ref: "abc123" }, { title: "evil \u001b[2J\u202e" }],
    });
  });

  test("--no-json gives the human view, without colour and without what agents hide", async () => {
    const { stdout } = await run(home, ["list", "--no-json"]);
    expect(stdout).toBe("abc123  docs\nbcd234  evil \\u001b[2J\\u202e\n");
  });

  test("--color paints it all the same", async () => {
    expect((await run(home, ["--color", "list", "--no-json"])).stdout).toStartWith(
      "\u001b[36mabc123\u001b[0m",
    );
  });

  test("an error is one JSON line on stderr, and stdout stays empty", async () => {
    const { stdout, stderr, code } = await run(home, ["lst"]);
    expect([stdout, code]).toEqual(["", 2]);
    expect(stderr.trimEnd()).not.toContain("\n");
    expect(errorIn(stderr)).toEqual({
      code: "usage",
      message: 'unknown command "lst"; did you mean "list"?',
      hint: "dispatch list --help",
      retry: "no",
      data: null,
    });
  });

  test("the daemon's error comes through whole, with its own exit status", async () => {
    const { stderr, code } = await during(
      (_, reply) => reply.error({ code: "thread_busy", message: "busy", hint: "--queue", retry: "later" }),
      () => run(home, ["send", "@a", "x"]),
    );
    expect(code).toBe(5);
    expect(errorIn(stderr)).toMatchObject({ code: "thread_busy", hint: "--queue", retry: "later" });
  });

  test("a hint names the home that --home named, since the next command would miss it", async () => {
    const hinted = async (hint: string, ...flags: string[]) => {
      const { stderr } = await during(
        (_, reply) => reply.error({ code: "not_found", message: "no", hint, retry: "no" }),
        () => run(home, ["get", "x", ...flags]),
      );
      return errorIn(stderr)["hint"];
    };
    expect(await hinted("dispatch list")).toBe("dispatch list");
    expect(await hinted("dispatch list", "--home", home)).toBe(`dispatch --home ${home} list`);
    expect(await hinted("dispatch list, or codex login", "--home", home)).toBe(
      `dispatch --home ${home} list, or codex login`,
    );
    const { stderr } = await run(home, ["list", "--home", `${home}/else where`]);
    expect(errorIn(stderr)["hint"]).toBe(`dispatch --home '${home}/else where' up`);
    const { stderr: usage } = await run(home, ["list", "--home", home, "--limit", "0"]);
    expect(errorIn(usage)["hint"]).toBe("dispatch list --help");
  });

  test("an empty --home, as of an unset variable, is not the home of everyday", async () => {
    const before = daemon.calls.length;
    const { stderr, code } = await run(home, ["list", "--home", ""]);
    expect([code, errorIn(stderr)["message"]]).toEqual([2, "--home needs a value"]);
    expect(daemon.calls.length).toBe(before);
  });

  test("no arguments, --help and help print help and succeed", async () => {
    const outcomes = await Promise.all([[], ["--help"], ["help"], ["-h"]].map((args) => run(home, args)));
    for (const { stdout, code } of outcomes) {
      expect(code).toBe(0);
      expect(stdout).toContain("usage: dispatch <command>");
    }
  });

  test("--help of a command asks nobody, whatever else is wrong with it", async () => {
    const before = daemon.calls.length;
    expect((await run(home, ["send", "--help"])).stdout).toStartWith("usage: dispatch send <thread> <text>");
    expect((await run(home, ["help", "goal", "set"])).stdout).toStartWith("usage: dispatch goal set");
    expect(daemon.calls.length).toBe(before);
  });

  test("--version says so, wherever it stands", async () => {
    expect((await run(home, ["--version"])).stdout).toMatch(/^dispatch \d+\.\d+\.\d+\n$/);
    expect((await run(home, ["list", "--version"])).stdout).toMatch(/^dispatch \d/);
  });

  test("a noun without its verb is a usage error that names the verbs", async () => {
    const { stderr, code } = await run(home, ["goal"]);
    expect(code).toBe(2);
    expect(errorIn(stderr)["message"]).toBe('"goal" needs one of: set, status');
  });

  test("bad input never reaches the daemon", async () => {
    const before = daemon.calls.length;
    for (const args of [
      ["list", "--limit", "0"],
      ["list", "--status", "x"],
      ["get"],
      ["get", "a", "b"],
      ["list", "--jsn"],
    ])
      expect((await run(home, args)).code).toBe(2);
    expect(daemon.calls.length).toBe(before);
  });

  test("the daemon is told what was typed, who calls, and the schema this client knows", async () => {
    await run(home, ["send", "@a", "x", "--no-queue"], { env: { CODEX_THREAD_ID: "t-1" } });
    const { op, schema, input, caller } = lastCall();
    expect(op).toBe("message.send");
    expect(schema).toMatch(/^[0-9a-f]{12}$/);
    expect(input).toMatchObject({ thread: "@a", text: "x", queue: false });
    expect(caller).toEqual({ kind: "cli", thread_id: "t-1", cwd: home });
  });

  test("a result that says something failed prints it and sets the exit status", async () => {
    const { stdout, code } = await run(home, ["wait", "@a"]);
    expect([JSON.parse(stdout), code]).toEqual([{ failed: true }, 8]);
  });

  test("a destroying command without --yes is refused before anything is contacted", async () => {
    const before = daemon.calls.length;
    const { stderr, code } = await run(home, ["forget", "@a"]);
    expect(code).toBe(2);
    expect(errorIn(stderr)["hint"]).toBe("dispatch forget @a --yes");
    expect(daemon.calls.length).toBe(before);
    expect((await run(home, ["forget", "@a", "--yes"])).code).toBe(0);
  });

  test("an op in the client may ask; nobody to ask means no", async () => {
    const other = newHome();
    expect(JSON.parse((await run(other, ["hold"])).stdout)).toMatchObject({ confirmed: false });
    expect(JSON.parse((await run(other, ["hold", "--yes"])).stdout)).toMatchObject({ confirmed: true });
  });
});

describe("text", () => {
  test("- reads standard input, byte for byte", async () => {
    await run(home, ["send", "@a", "-"], { stdin: "line one\r\n\u{1f680}\n" });
    expect(lastCall().input["text"]).toBe("line one\r\n\u{1f680}\n");
  });

  test("a text as large as allowed arrives whole, one byte more is too large", async () => {
    const most = "x".repeat(1024 * 1024);
    expect((await run(home, ["send", "@a", "-"], { stdin: most })).code).toBe(0);
    expect(String(lastCall().input["text"]).length).toBe(most.length);
    const { stderr, code } = await run(home, ["send", "@a", "-"], { stdin: `${most}x` });
    expect([code, errorIn(stderr)["code"]]).toEqual([15, "too_large"]);
  });

  test("ill-formed UTF-8 on standard input is refused, not replaced", async () => {
    const { stderr, code } = await run(home, ["send", "@a", "-"], {
      stdin: new Uint8Array([0x61, 0xc3, 0x28]),
    });
    expect([code, errorIn(stderr)["message"]]).toEqual([2, "standard input is not well-formed UTF-8"]);
  });

  test("an argument that is not UTF-8 is refused, and one that holds the replacement character is not", async () => {
    await run(home, ["send", "@a", "\ufffd"]);
    expect(lastCall().input["text"]).toBe("\ufffd");
    const shell = Bun.spawn(
      ["sh", "-c", `exec "$0" "$1" send @a "$(printf 'a\\377b')"`, process.execPath, main],
      {
        env: { PATH: process.env["PATH"] ?? "", DISPATCH_HOME: home, DISPATCH_NO_START: "1" },
        stderr: "pipe",
      },
    );
    expect(errorIn(await new Response(shell.stderr).text())["message"]).toBe(
      "an argument is not well-formed UTF-8",
    );
    expect(await shell.exited).toBe(2);
  });

  test("a home whose name is not UTF-8 is refused, and so is a directory that would be another one", async () => {
    const odd = mkdtempSync(join(tmpdir(), "odd-"));
    const inShell = async (script: string, env: Record<string, string>) => {
      const shell = Bun.spawn(["sh", "-c", script, process.execPath, main], {
        cwd: odd,
        env: { PATH: process.env["PATH"] ?? "", DISPATCH_NO_START: "1", ...env },
        stderr: "pipe",
      });
      const error = errorIn(await new Response(shell.stderr).text());
      return [await shell.exited, error["code"], error["message"]];
    };
    for (const name of ["DISPATCH_HOME", "HOME", "CODEX_HOME"])
      expect(await inShell(`export ${name}="$PWD/$(printf 'h\\351')"; exec "$0" "$1" list`, {})).toEqual([
        2,
        "usage",
        `${name} is not well-formed UTF-8`,
      ]);
    const replaced = "h\ufffd";
    expect((await inShell('exec "$0" "$1" list', { DISPATCH_HOME: join(odd, replaced) }))[0]).toBe(10);
    // The runtime gives both directories the same name.
    mkdirSync(join(odd, replaced));
    const inOdd = `d="$(printf 'h\\351')"; mkdir -p "$d"; cd "$d"; exec "$0" "$1" list`;
    expect(await inShell(inOdd, { DISPATCH_HOME: home })).toEqual([
      2,
      "usage",
      "the name of the current directory is not well-formed UTF-8",
    ]);
    expect(
      (await inShell(`cd ${replaced}; exec "$0" "$1" list`, { DISPATCH_HOME: join(odd, "none") }))[0],
    ).toBe(10);
  });

  test("words that look like numbers, flags after -- and shell characters are plain text", async () => {
    for (const text of ["-5", "/goal x", "$(rm) `x` \\n", ""]) {
      await run(home, ["send", "@a", text]);
      expect(lastCall().input["text"]).toBe(text);
    }
    await run(home, ["send", "@a", "--", "--json"]);
    expect(lastCall().input["text"]).toBe("--json");
  });
});

describe("streams", () => {
  test("a stream is one JSON object a line, and its result is not printed", async () => {
    const { stdout, code } = await run(home, ["watch", "--follow"]);
    expect([stdout, code]).toEqual(['{"n":1}\n{"n":2}\n{"n":3}\n', 0]);
  });

  test("the same op without the stream's flag prints its result alone", async () => {
    expect(JSON.parse((await run(home, ["watch"])).stdout)).toEqual({ events: 3 });
  });

  test("a row is out before the next one comes", async () => {
    await during(
      (_, reply) => reply.row({ n: 1 }),
      async () => {
        const child = start(home, ["watch", "--follow"]);
        const { value } = await child.stdout.getReader().read();
        expect(new TextDecoder().decode(value)).toBe('{"n":1}\n');
        child.kill("SIGKILL");
        await child.exited;
      },
    );
  });

  test("Ctrl-C ends a stream cleanly, and the daemon is told", async () => {
    await during(
      (_, reply) => reply.row({ n: 1 }),
      async () => {
        const cancelled = daemon.cancelled.length;
        const child = start(home, ["watch", "--follow"]);
        await child.stdout.getReader().read();
        child.kill("SIGINT");
        expect(await child.exited).toBe(0);
        expect(await new Response(child.stderr).text()).toBe("");
        expect(daemon.cancelled.length).toBe(cancelled + 1);
      },
    );
  });

  test("a reader that leaves ends it without a word", async () => {
    let timer: Timer | undefined;
    await during(
      (_, reply) => {
        timer = setInterval(() => reply.row({ text: "x".repeat(100_000) }), 1);
      },
      async () => {
        const child = start(home, ["watch", "--follow"]);
        const reader = child.stdout.getReader();
        await reader.read();
        await reader.cancel();
        expect(await child.exited).toBe(0);
        expect(await new Response(child.stderr).text()).toBe("");
      },
    );
    clearInterval(timer);
  });
});

describe("the deadline", () => {
  test("ends the command with 14 and says what goes on, and how to ask again", async () => {
    const { stdout, stderr, code } = await during(
      () => {},
      () => run(home, ["send", "@a", "x", "--deadline", "0.2"]),
    );
    const key = lastCall().input["idempotency_key"];
    expect([stdout, code]).toEqual(["", 14]);
    expect(errorIn(stderr)).toMatchObject({
      code: "timeout",
      message: 'no answer within 0.2 s; if the daemon accepted "send", it continues',
      hint: `repeat the command with --idempotency-key ${String(key)}: it is never done twice`,
    });
  });

  test("of a read says that nothing was changed", async () => {
    const { stderr } = await during(
      () => {},
      () => run(home, ["list", "--deadline", "0.2"]),
    );
    expect(errorIn(stderr)["message"]).toBe("no answer within 0.2 s; nothing was changed");
  });

  test("must be more than nothing", async () => {
    const before = daemon.calls.length;
    expect((await run(home, ["send", "@a", "x", "--deadline", "0"])).code).toBe(2);
    expect(daemon.calls.length).toBe(before);
  });
});

describe("on a terminal", () => {
  test("a person gets the view, in colour, cut to the width", async () => {
    const terminal = onTerminal(home, ["list"]);
    expect(await terminal.code).toBe(0);
    expect(terminal.shown()).toBe(
      "\u001b[36mabc123\u001b[0m  docs\r\n\u001b[36mbcd234\u001b[0m  evil \\u001b[2J\\u202e\r\n",
    );
  });

  test("NO_COLOR and --no-color and a dumb terminal take the colour, --json takes the view", async () => {
    for (const [args, env] of [
      [["list"], { NO_COLOR: "1" }],
      [["list", "--no-color"], {}],
      [["list"], { TERM: "dumb" }],
    ] as const) {
      const terminal = onTerminal(home, args, { env });
      await terminal.code;
      expect(terminal.shown()).toStartWith("abc123  docs");
    }
    const json = onTerminal(home, ["list", "--json"]);
    await json.code;
    expect(JSON.parse(json.shown())).toMatchObject({ threads: [{ ref: "abc123" }, {}] });
  });

  test("an error is two lines, its foreign text cleaned", async () => {
    await during(
      (_, reply) =>
        reply.error({ code: "not_found", message: "no thread \u001b[2Jx\nforged", hint: "dispatch list" }),
      async () => {
        const terminal = onTerminal(home, ["get", "x"], { env: { NO_COLOR: "1" } });
        expect(await terminal.code).toBe(4);
        expect(terminal.shown()).toBe("error: no thread \\u001b[2Jx forged\r\nhint:  dispatch list\r\n");
      },
    );
  });

  test("rows of a stream are shown by their view", async () => {
    const terminal = onTerminal(home, ["watch", "--follow"]);
    await terminal.code;
    expect(terminal.shown()).toBe("event 1\r\nevent 2\r\nevent 3\r\n");
  });

  test("a destroying command asks: yes does it, no does not", async () => {
    for (const [key, status] of [
      ["y", 0],
      ["n", 2],
    ] as const) {
      const before = daemon.calls.length;
      const terminal = onTerminal(home, ["forget", "@a"]);
      await until("the question", () => terminal.shown().includes("Drop a thread"));
      terminal.type(`${key}`);
      terminal.type("\r");
      expect([key, await terminal.code]).toEqual([key, status]);
      expect(daemon.calls.length).toBe(before + (status === 0 ? 1 : 0));
    }
  });

  test("Ctrl-C at the question is a no", async () => {
    const before = daemon.calls.length;
    const terminal = onTerminal(home, ["forget", "@a"]);
    await until("the question", () => terminal.shown().includes("Drop a thread"));
    terminal.type("\u0003");
    expect(await terminal.code).toBe(2);
    expect(daemon.calls.length).toBe(before);
  });

  test("--no-interactive never asks", async () => {
    const terminal = onTerminal(home, ["forget", "@a", "--no-interactive"]);
    expect(await terminal.code).toBe(2);
    expect(terminal.shown()).toContain("--yes");
  });
});
