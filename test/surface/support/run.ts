/** Runs the command line as a process, off a terminal or on a pty. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const main = join(import.meta.dir, "main.ts");

export interface Outcome {
  stdout: string;
  stderr: string;
  code: number | null;
}

export interface RunOptions {
  env?: Record<string, string>;
  stdin?: string | Uint8Array;
  cwd?: string;
}

export function newHome(): string {
  const home = mkdtempSync(join(tmpdir(), "dispatch-surface-"));
  process.on("exit", () => rmSync(home, { recursive: true, force: true }));
  return home;
}

export function socketIn(home: string): string {
  return join(home, "dispatch.sock");
}

function envFor(home: string, env: Record<string, string> = {}): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "", HOME: home, DISPATCH_HOME: home, DISPATCH_NO_START: "1", ...env };
}

export function start(home: string, args: readonly string[], options: RunOptions = {}) {
  return Bun.spawn([process.execPath, main, ...args], {
    env: envFor(home, options.env),
    cwd: options.cwd ?? home,
    stdin: options.stdin === undefined ? "ignore" : new Blob([options.stdin as string]),
    stdout: "pipe",
    stderr: "pipe",
  });
}

export async function run(home: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const child = start(home, args, options);
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { stdout, stderr, code };
}

export interface OnTerminal {
  shown(): string;
  type(keys: string): void;
  code: Promise<number>;
}

export function onTerminal(
  home: string,
  args: readonly string[],
  options: RunOptions & { cols?: number } = {},
): OnTerminal {
  const decoder = new TextDecoder();
  let shown = "";
  const child = Bun.spawn([process.execPath, main, ...args], {
    env: envFor(home, { TERM: "xterm", ...options.env }),
    cwd: home,
    terminal: {
      cols: options.cols ?? 80,
      rows: 24,
      data(_, chunk) {
        shown += decoder.decode(chunk, { stream: true });
      },
    },
  });
  return { shown: () => shown, type: (keys) => child.terminal?.write(keys), code: child.exited };
}

/** Waits for a condition, never for time to pass; says what it waited for when it gives up. */
export async function until(what: string, holds: () => boolean, deadlineMs = 10_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await Bun.sleep(2);
  }
}

/** The environments of the daemons that a test started, by pid. */
export function daemonsOf(home: string): Map<number, Record<string, string>> {
  const folder = join(home, "pids");
  const found = new Map<number, Record<string, string>>();
  for (const name of readdirSync(folder))
    found.set(Number(name), JSON.parse(readFileSync(join(folder, name), "utf8")));
  return found;
}
