/** Runs a host to its end. */
export interface Done {
  code: number;
  stdout: string;
  stderr: string;
}

const hostMs = 120_000;

export async function execute(
  argv: string[],
  { cwd, env }: { cwd: string; env: Record<string, string | undefined> },
): Promise<Done> {
  const child = Bun.spawn(argv, {
    cwd,
    env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: hostMs,
    killSignal: "SIGKILL",
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (child.signalCode === "SIGKILL") throw new Error(`${argv[0]} hung: ${stdout}${stderr}`);
  return { code, stdout, stderr };
}
