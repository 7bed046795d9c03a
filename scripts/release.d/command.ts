/** Runs a program of this machine for a release, and reports how far the release is. */
import { relative, resolve } from "node:path";

const root = resolve(import.meta.dir, "../..");

/** Its output. Throws with what it wrote when it fails. */
export async function output(
  command: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; stdin?: string; timeoutMs?: number } = {},
): Promise<string> {
  const child = Bun.spawn([...command], {
    cwd: options.cwd ?? root,
    ...(options.env ? { env: options.env } : {}),
    stdin: options.stdin === undefined ? "ignore" : new Blob([options.stdin]),
    stdout: "pipe",
    stderr: "pipe",
    timeout: options.timeoutMs ?? 10 * 60 * 1000,
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0)
    throw new Error(`${command.join(" ")} ended with ${code ?? child.signalCode}: ${stderr || stdout}`);
  return stdout;
}

/** On a terminal one line that is written over; else one line for each step. */
export function progress(total: number): (step: string) => void {
  let done = 0;
  const isTerminal = process.stderr.isTTY === true;
  return (step) => {
    done += 1;
    const line = `[${Math.min(done, total)}/${total}] ${step}`;
    process.stderr.write(isTerminal ? `\r\x1b[K${line}${done >= total ? "\n" : ""}` : `${line}\n`);
  };
}

export const fromRoot = (path: string) => relative(root, path) || ".";
