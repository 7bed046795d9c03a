/** Commands that are looked at while they run: a stream of rows, a terminal. */

interface Place {
  cwd: string;
  env: Record<string, string | undefined>;
}

// biome-ignore lint/suspicious/noExplicitAny: a test reads any field of any row, and what is not there fails it
type Row = any;

export interface Following {
  rows: Row[];
  /** The first row that fits, now or when it comes. */
  row(what: string, fits: (row: Row) => boolean, deadlineMs?: number): Promise<Row>;
  signal(name: NodeJS.Signals): void;
  ended(): Promise<{ code: number; stderr: string }>;
}

export function follow(argv: string[], place: Place): Following {
  const child = Bun.spawn(argv, { ...place, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const rows: Row[] = [];
  const stderr = new Response(child.stderr).text();
  let grown = Promise.withResolvers<void>();
  const read = (async () => {
    let rest = "";
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      rows.push(...lines.map((line) => JSON.parse(line) as Row));
      grown.resolve();
      grown = Promise.withResolvers();
    }
  })();
  return {
    rows,
    async row(what, fits, deadlineMs = 20_000) {
      const late = Bun.sleep(deadlineMs).then(() => "late" as const);
      for (;;) {
        const found = rows.find(fits);
        if (found !== undefined) return found;
        if ((await Promise.race([grown.promise, late])) === "late")
          throw new Error(`no ${what} in ${deadlineMs} ms; came: ${rows.map((row) => row.kind).join(" ")}`);
      }
    },
    signal: (name) => child.kill(name),
    async ended() {
      const code = await child.exited;
      await read;
      return { code, stderr: await stderr };
    },
  };
}

export interface Screen {
  code: number;
  /** All that was written, escapes and all. */
  raw: string;
  /** Without the colours that are ours: SGR sequences. */
  text: string;
  lines: string[];
}

/**
 * A command on a real terminal. `typed`: what somebody types, each as soon as its text is on the screen; without it nobody
 * types.
 */
export async function screen(
  argv: string[],
  place: Place & { columns: number; typed?: readonly (readonly [shown: string, keys: string])[] },
): Promise<Screen> {
  const parts: Uint8Array[] = [];
  const left = [...(place.typed ?? [])];
  const child = Bun.spawn(argv, {
    cwd: place.cwd,
    env: place.env,
    terminal: {
      cols: place.columns,
      rows: 24,
      data(terminal, bytes) {
        parts.push(bytes.slice());
        const [shown, keys] = left[0] ?? [];
        if (shown === undefined || !Buffer.concat(parts).toString("utf8").includes(shown)) return;
        left.shift();
        terminal.write(keys!);
      },
    },
    timeout: 60_000,
    killSignal: "SIGKILL",
  });
  const code = await child.exited;
  child.terminal?.close();
  const raw = Buffer.concat(parts).toString("utf8").replaceAll("\r\n", "\n");
  const text = raw.replace(/\x1b\[[0-9;]*m/g, "");
  return { code, raw, text, lines: text.trimEnd().split("\n") };
}
