/** The board in a real terminal, over the real Codex: what a person sees and types, and how it ends. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { widthOf } from "../../src/base/text.ts";
import { binary, dispatchRig, type Rig } from "../support/dispatch.ts";
import { stringify } from "../support/provider-script.ts";
import { noTmux, type Tmux, tmux } from "../support/tmux.ts";

setDefaultTimeout(90_000);

const hostile = "evil \x1b[31mred\x1b]0;owned\x07 \u202egnp.exe\u202c\rover \u200bx 日本語のタイトル \x1b[2J";
const workers = 10;

let rig: Rig;
let asks: string;
const opened: Tmux[] = [];

beforeAll(async () => {
  if (noTmux) return;
  rig = dispatchRig();
  await rig.thread(hostile, [{ say: hostile }]);
  await rig.thread("calm", "hello");
  const asking = [{ say: "I run it. " }, { shell: "echo approved" }, { say: "it ran" }];
  ({ ref: asks } = await rig.ask([
    "new",
    "--name",
    "asker",
    "--approval-policy",
    "untrusted",
    "--text",
    stringify(asking),
  ]));
  // Longer than all tests here take: each is stopped with the daemon at the latest.
  const steps = Array.from({ length: 300 }, (_, at) => [{ shell: `sleep 1; echo step ${at}` }]).flat();
  for (let n = 0; n < workers; n++)
    await rig.ask(["new", "--name", `worker-${n}`, "--text", stringify([{ say: "I begin. " }, ...steps])]);
  await rig.ask(["wait", asks, "--for", "waiting", "--timeout", "30"]);
});

afterAll(async () => {
  for (const terminal of opened) terminal.dispose();
  await rig?.dispose();
});

function terminal(size = { columns: 80, rows: 24 }): Tmux {
  const made = tmux({ ...size, env: { ...rig.env, TERM: "xterm-256color" }, cwd: rig.codex.cwd });
  opened.push(made);
  return made;
}

const isBoard = (screen: string) => /^dispatch {2}/.test(screen) && screen.includes("enter open");

/** How a command of the shell ended, and the modes that it left. Not from outside: the shell's own line editor sets others. */
const ending = "echo ended $? $(stty -a | grep -ow -- '-\\?\\(isig\\|icanon\\|echo\\|opost\\|icrnl\\)')";
const restored = /ended 0 icrnl opost isig icanon echo/;

async function board(on: Tmux, flags = ""): Promise<string> {
  await on.until("the prompt", (screen) => /^\$/m.test(screen));
  on.shell(`clear; ${binary} top ${flags}; ${ending}`);
  return on.until("the board", isBoard);
}

/** The process that draws on this terminal. */
function pidOf(home: string): number {
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0");
      const isOurs = readFileSync(`/proc/${name}/environ`, "utf8").includes(`DISPATCH_HOME=${home}`);
      if (words[0] === binary && words[1] === "top" && isOurs) return Number(name);
    } catch {
      // Gone between the list and the look.
    }
  }
  throw new Error("no board runs");
}

const isRaw = (on: Tmux) => /(?:^| )-isig -icanon\b/m.test(on.modes());

const leave = async (on: Tmux, ...names: string[]) => {
  on.keys(...names);
  return on.until("the end", (screen) => restored.test(screen));
};

describe.skipIf(noTmux !== undefined)(`in a terminal${noTmux ? `: ${noTmux}` : ""}`, () => {
  test("ten threads work and one asks: the one that asks is first, nothing foreign rules the screen", async () => {
    const on = terminal();
    const screen = await board(on);
    await on.until("all threads", (shown) => shown.includes(`${workers} busy`));
    expect(screen.split("\n")[2]).toMatch(/^> waiting .* asker .*asks \w{6}/);
    expect(on.lines().filter((line) => line.includes("busy"))).toHaveLength(workers + 1);
    expect(screen).toContain("\\u001b[31m");
    for (const line of on.lines()) expect(widthOf(line)).toBeLessThanOrEqual(80);
    expect(on.colored()).toContain("\x1b[");
    expect(await leave(on, "q")).not.toContain("waiting");
  });

  test("resized while it runs it fills the new size, and a tiny one is asked to grow", async () => {
    const on = terminal({ columns: 200, rows: 60 });
    const wide = await board(on);
    expect(wide.split("\n")[1]).toMatch(/status +time +ref +thread +folder +queue +tokens +last/);
    on.resize(80, 24);
    await on.until("the keys in line 24", () => on.lines()[23]?.startsWith("enter open") === true);
    on.resize(40, 8);
    await on.until("the keys in line 8", () => on.lines()[7]?.startsWith("enter open") === true);
    on.resize(30, 6);
    await on.until("the note", (screen) => screen.startsWith("make the terminal larger"));
    on.resize(120, 40);
    await on.until("the keys in line 40", () => on.lines()[39]?.startsWith("enter open") === true);
    await leave(on, "C-c");
  });

  test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("%s gives the terminal back", async (signal) => {
    const on = terminal();
    await board(on);
    expect(isRaw(on)).toBe(true);
    process.kill(pidOf(rig.home), signal);
    const screen = await on.until("the end", (shown) => restored.test(shown));
    // The screen of before, and nothing of the board.
    expect(screen).toStartWith("ended 0");
    expect(screen).not.toContain("enter open");
    // The cursor is shown and lines are wrapped again.
    expect(on.isCursorShown()).toBe(true);
    on.shell(`clear; printf '%0100d\\n' 7`);
    await on.until("a wrapped line", (shown) => /^0{80}\n0{19}7$/m.test(shown));
  });

  test("an exception gives the terminal back, and is shown", async () => {
    const on = terminal();
    await on.until("the prompt", (screen) => /^\$/m.test(screen));
    on.shell(`clear; ${process.execPath} ${import.meta.dir}/../support/top-crash.ts; ${ending}`);
    await on.until("the board", isBoard);
    on.keys("k");
    const screen = await on.until("the end", (shown) => /ended 1 icrnl opost isig icanon echo/.test(shown));
    expect(screen).toContain("an exception of this test");
    expect(screen).not.toContain("enter open");
    expect(on.isCursorShown()).toBe(true);
  });

  test("suspended it gives the terminal back, and continued it draws again", async () => {
    const on = terminal();
    await board(on);
    for (const suspend of [() => on.keys("C-z"), () => process.kill(pidOf(rig.home), "SIGTSTP")]) {
      suspend();
      await on.until("the shell", (screen) => screen.includes("Stopped") && !isBoard(screen));
      expect(on.isCursorShown()).toBe(true);
      on.shell(`clear; true; ${ending}`);
      await on.until("the modes of before", (screen) => restored.test(screen));
      on.resize(90, 30);
      on.shell(`fg; ${ending}`);
      await on.until("the keys in line 30", () => on.lines()[29]?.startsWith("enter open") === true);
      expect(isRaw(on)).toBe(true);
      on.keys("?");
      await on.until("the help", (screen) => screen.startsWith("Keys"));
      on.keys("Escape");
      await on.until("the board", isBoard);
    }
    await leave(on, "q");
  });

  test("a text is sent, a turn is stopped, a question is answered, all from the board", async () => {
    const on = terminal();
    await board(on);
    on.keys("/");
    on.type("calm");
    on.keys("Enter");
    await on.until("the filter", (screen) => screen.includes("1 of 13"));
    on.keys("s");
    on.type("sent from the board");
    on.keys("Enter");
    await on.until("its answer", (screen) => screen.includes("ok: sent from the board"));
    on.keys("Escape", "/");
    on.type("worker-3");
    on.keys("Enter");
    await on.until("the worker", (screen) => screen.includes("1 of 13"));
    // A busy thread asks how; it is put in its queue.
    on.keys("s");
    on.type("and later this");
    on.keys("Enter");
    await on.until("the choice", (screen) => screen.includes("queue it"));
    on.keys("q");
    await on.until("the queued text", (screen) => screen.includes("accepted: queued"));
    on.keys("x");
    await on.until("the question", (screen) => screen.includes("stop the turn of worker-3?"));
    on.keys("y");
    await on.until("the end of the turn", (screen) => /idle .* worker-3 +1 held/.test(screen));
    expect((await rig.ask(["get", "@worker-3"])).latest_turn.status).toBe("interrupted");
    on.keys("Escape", "/");
    on.type("asker");
    on.keys("Enter", "a");
    const page = await on.until("the request", (screen) => screen.includes("y approve"));
    expect(page).toContain("echo approved");
    on.keys("y");
    await on.until("the end of its turn", (screen) => /idle .* asker .*it ran/.test(screen));
    on.keys("Enter");
    const timeline = await on.until("its timeline", (screen) => screen.includes("exit 0"));
    expect(timeline).toMatch(/ran +\/bin\/bash -lc 'echo approved' +exit 0\n +approved/);
    await leave(on, "Escape", "Escape", "q");
    const events = await rig.ask(["events", "--kinds", "request.answered", "--limit", "5"]);
    expect(events.events.at(-1).data).toMatchObject({ decision: "approve", by: "cli" });
  });

  test("an open thread is live", async () => {
    const on = terminal();
    await board(on);
    on.keys("/");
    on.type("worker-0");
    on.keys("Enter", "Enter");
    const page = await on.until("its page", (screen) => /exit 0\n +step \d+/.test(screen));
    const last = Number(/.*step (\d+)/s.exec(page)![1]);
    await on.until("the next step", (screen) => screen.includes(`step ${last + 2}\n`));
    await rig.ask(["stop", "@worker-0"]);
    await on.until("the end of its turn", (screen) => /worker-0 {2}\w{6} {2}idle/.test(screen));
    await leave(on, "q");
  });

  test("an error is one line with its hint, and the typed text stays", async () => {
    const on = terminal({ columns: 120, rows: 24 });
    await board(on);
    on.keys("/");
    on.type("worker-1");
    on.keys("Enter");
    await on.until("the worker", (screen) => screen.includes("1 of 13"));
    on.keys("s");
    on.type("steer into nothing");
    on.keys("Enter");
    await on.until("the choice", (screen) => screen.includes("steer the turn"));
    await rig.ask(["stop", "@worker-1"]);
    on.keys("t");
    await on.until("the error", (screen) => /error: .* {2}send it without --steer/.test(screen));
    expect(on.lines().join("\n")).toContain("> steer into nothing");
    await leave(on, "Escape", "C-c");
  });

  test("a terminal that reads slowly delays nothing but itself", async () => {
    const sizes = "stty rows 24 columns 80";
    const child = Bun.spawn(["script", "-qfec", `${sizes}; exec ${binary} top`, "/dev/null"], {
      cwd: rig.codex.cwd,
      env: { ...rig.env, TERM: "xterm-256color" },
      stdin: "pipe",
      stdout: "pipe",
      stderr: "ignore",
    });
    const reader = child.stdout.getReader();
    // Nothing is read while keys and a resize come: the pipe and the terminal fill.
    for (let n = 0; n < 400; n++) child.stdin.write(n % 2 === 0 ? "?" : "x");
    await child.stdin.flush();
    let bytes = 0;
    let all = "";
    const read = (async () => {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        bytes += value.length;
        all += Buffer.from(value).toString("latin1");
        await Bun.sleep(5);
      }
    })();
    await until("a picture", () => all.includes("enter") || all.includes("Keys"));
    child.stdin.write("q\x1bq");
    await child.stdin.flush();
    await child.exited;
    await read;
    // 400 keys are not 400 pictures of some KB each.
    expect(bytes).toBeLessThan(400 * 1024);
    expect(all).toContain("\x1b[?1049l");
  });

  test("it says that the daemon is down, starts none, and goes on when one is back", async () => {
    const on = terminal();
    await board(on);
    await rig.ask(["down", "--force"]);
    await on.until("the note", (screen) => screen.includes("daemon down") && screen.includes("dispatch up"));
    on.keys("/");
    on.type("calm");
    on.keys("Enter", "s");
    on.type("kept text");
    on.keys("Enter");
    const failed = await on.until("the error", (screen) => screen.includes("error:"));
    expect(failed).toContain("> kept text");
    expect((await rig.run(["daemon", "status"])).code).toBe(10);
    on.keys("Escape", "Escape");
    await rig.ask(["up"]);
    await on.until("the daemon", (screen) => isBoard(screen) && !screen.includes("daemon down"));
    await leave(on, "q");
  });

  test("without colour it sends none, and says the same", async () => {
    const on = terminal();
    await board(on, "--no-color");
    expect(on.colored()).not.toMatch(/\x1b\[[0-9;]*[1-9][0-9;]*m/);
    await leave(on, "q");
  });
});

describe("without a terminal", () => {
  let own: Rig;
  beforeAll(async () => {
    own = dispatchRig();
    await own.thread(hostile, "hello");
  });
  afterAll(() => own.dispose());

  test("it says how to get lines", async () => {
    const error = await own.refused(["top"]);
    expect(error).toMatchObject({ code: "usage", hint: "dispatch top --plain" });
    expect((await own.refused(["top", "--json"])).hint).toBe("dispatch top --plain --json");
  });

  test("--plain is a line for each change, and moves no cursor", async () => {
    const child = Bun.spawn([binary, "top", "--plain"], { env: own.env, cwd: own.codex.cwd, stdout: "pipe" });
    let text = "";
    const read = (async () => {
      for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) text += chunk;
    })();
    await until("the first lines", () => text.includes("idle"));
    const work = stringify([{ say: "half of it is done" }, { shell: "true" }, { wait: "plain" }]);
    const { ref } = await own.ask(["new", "--name", "second", "--text", work]);
    const said = new RegExp(`${ref} {2}busy {2}second {2}half of it is done`, "g");
    await until("what it says", () => said.test(text));
    own.provider.release("plain");
    await until("its end", () => new RegExp(`${ref} {2}idle {2}second`).test(text));
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    await read;
    expect(text.match(said)).toHaveLength(1);
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e]/);
    expect(text).toMatch(/^\d\d:\d\d:\d\d {2}codex {2}running/);
  });

  test("--plain --json is NDJSON", async () => {
    const stream = own.stream(["top", "--plain", "--json"]);
    const row = await stream.row("the thread", ({ title }) => title === hostile);
    expect(row).toMatchObject({ status: "idle", asks: [], queue: { pending: 0, held: false } });
    stream.signal("SIGTERM");
    expect((await stream.ended()).code).toBe(0);
  });
});

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + 20_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not seen in 20 s: ${what}`);
    await Bun.sleep(10);
  }
}
