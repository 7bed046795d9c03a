/** `watch --follow` at a terminal: events scroll by, and the turns that run stay below them. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { binary, dispatchRig, type Rig } from "../support/dispatch.ts";
import { stringify } from "../support/provider-script.ts";
import { noTmux, type Tmux, tmux } from "../support/tmux.ts";

setDefaultTimeout(60_000);

let rig: Rig;
let terminal: Tmux;

beforeAll(() => {
  if (noTmux) return;
  rig = dispatchRig();
});

afterAll(async () => {
  terminal?.dispose();
  await rig?.dispose();
});

const footer = (screen: string) => screen.split("\n").filter((line) => line.startsWith("runs "));

describe.skipIf(noTmux !== undefined)("turns that run", () => {
  test("stay below the events, with what each did last, and go with their end", async () => {
    const held = (word: string) =>
      stringify([{ say: `I begin ${word}. ` }, { shell: `echo ${word}` }, { wait: word }, { say: "over" }]);
    const early = await rig.ask(["new", "--name", "early", "--text", held("early")]);
    terminal = tmux({
      columns: 80,
      rows: 24,
      env: { ...rig.env, TERM: "xterm-256color" },
      cwd: rig.codex.cwd,
    });
    await terminal.until("the prompt", (screen) => /^\$/m.test(screen));
    terminal.shell(`clear; ${binary} watch --all --follow; echo ended $?`);
    await terminal.until("the turn that ran already", (screen) =>
      footer(screen).some((line) => line.includes(early.ref)),
    );

    const late = await rig.ask(["new", "--name", "late", "--text", held("late")]);
    const both = await terminal.until(
      "both",
      (screen) => footer(screen).length === 2 && screen.includes("echo late"),
    );
    const lines = both.trimEnd().split("\n");
    // The last lines of the screen, below every event.
    expect(lines.slice(-2).every((line) => line.startsWith("runs "))).toBe(true);
    expect(lines.at(-1)).toContain(late.ref);
    await terminal.until("an age that grows", (screen) =>
      footer(screen).some((line) => / [2-9]s /.test(line)),
    );

    rig.provider.release("late");
    await terminal.until(
      "the end of one",
      (screen) => /turn\.completed/.test(screen) && footer(screen).length === 1,
    );
    rig.provider.release("early");
    const none = await terminal.until("the end of both", (screen) => footer(screen).length === 0);
    expect(none.match(/turn\.completed/g)).toHaveLength(2);
    terminal.keys("C-c");
    await terminal.until("a clean end", (screen) => /ended 0$/m.test(screen));
  });

  test("nothing of it goes through a pipe", async () => {
    terminal.shell(`clear; ${binary} watch --all --follow --timeout 1 | cat; echo piped $?`);
    const shown = await terminal.until("the end", (screen) => /^piped 0$/m.test(screen));
    expect(footer(shown)).toEqual([]);
  });
});
