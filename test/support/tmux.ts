/** A real terminal emulator with a shell in it: what a person sees, types and resizes. Needs tmux. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Why the tests of a terminal are skipped; undefined: they run. */
export const noTmux: string | undefined = Bun.which("tmux") ? undefined : "tmux is not installed";

/** Longer than a program takes for a key. */
const againMs = 1_500;

export interface Tmux {
  /** Names of keys, as tmux has them: `Up`, `Enter`, `C-c`, or characters. */
  keys(...names: string[]): void;
  type(text: string): void;
  /** A command in the shell. */
  shell(command: string): void;
  /** The lines that are shown now, without colours. */
  lines(): string[];
  /** The same with colours. */
  colored(): string;
  isCursorShown(): boolean;
  resize(columns: number, rows: number): void;
  /** The first screen that fits. */
  until(what: string, fits: (screen: string) => boolean, deadlineMs?: number): Promise<string>;
  /**
   * A key, again and again until it had its effect: a program may take no key right after its screen has changed, and
   * takes Enter right after a text for a new line of what is pasted.
   */
  press(key: string, had: (screen: string) => boolean): Promise<string>;
  /** The modes of the terminal, as `stty -a` shows them. */
  modes(): string;
  dispose(): void;
}

export function tmux(options: {
  columns: number;
  rows: number;
  env: Record<string, string>;
  cwd: string;
}): Tmux {
  const folder = mkdtempSync(join(tmpdir(), "tmux-"));
  // Nothing of this machine's: neither its configuration nor its other sessions. A shell gets the PATH of the client.
  const path = options.env["PATH"] ?? process.env["PATH"] ?? "/usr/bin:/bin";
  const env = { PATH: path, TMUX_TMPDIR: folder, LC_ALL: "C.UTF-8" };
  const run = (...args: string[]): string => {
    const done = Bun.spawnSync(["tmux", "-L", "test", "-f", "/dev/null", ...args], { env });
    if (!done.success) throw new Error(`tmux ${args[0]}: ${done.stderr}`);
    return done.stdout.toString();
  };
  const passed = Object.entries({ ...options.env, PS1: "$ ", LC_ALL: "C.UTF-8" }).flatMap(([name, value]) => [
    "-e",
    `${name}=${value}`,
  ]);
  const size = ["-x", String(options.columns), "-y", String(options.rows)];
  run("new-session", "-d", ...size, "-c", options.cwd, ...passed, "bash", "--norc", "--noprofile");
  const tty = run("display-message", "-p", "#{pane_tty}").trim();
  const lines = () => run("capture-pane", "-p").replace(/\n$/, "").split("\n");
  const until: Tmux["until"] = async (what, fits, deadlineMs = 20_000) => {
    const end = performance.now() + deadlineMs;
    for (;;) {
      const screen = lines().join("\n");
      if (fits(screen)) return screen;
      if (performance.now() > end) throw new Error(`not seen in ${deadlineMs} ms: ${what}\n${screen}`);
      await Bun.sleep(20);
    }
  };
  return {
    keys: (...names) => void run("send-keys", ...names),
    type: (text) => void run("send-keys", "-l", text),
    shell(command) {
      run("send-keys", "-l", command);
      run("send-keys", "Enter");
    },
    lines,
    colored: () => run("capture-pane", "-e", "-p"),
    isCursorShown: () => run("display-message", "-p", "#{cursor_flag}").trim() === "1",
    resize: (columns, rows) => void run("resize-window", "-x", String(columns), "-y", String(rows)),
    until,
    press(key, had) {
      let pressed = Number.NEGATIVE_INFINITY;
      return until(`an effect of ${key}`, (screen) => {
        if (had(screen)) return true;
        if (performance.now() - pressed > againMs) {
          run("send-keys", key);
          pressed = performance.now();
        }
        return false;
      });
    },
    modes: () => Bun.spawnSync(["stty", "-a", "-F", tty]).stdout.toString(),
    dispose() {
      Bun.spawnSync(["tmux", "-L", "test", "kill-server"], { env });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
