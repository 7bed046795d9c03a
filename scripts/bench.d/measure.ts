/** Medians of many runs, the floor's and ours taken in turns: what the machine does meanwhile hits both. */

export interface Pairs {
  floor: number[];
  ours: number[];
}

type Side = () => number | Promise<number>;

/** Both once before anything counts; then in pairs, whose order alternates. */
export async function inTurns(runs: number, floor: Side, ours: Side): Promise<Pairs> {
  await floor();
  await ours();
  const taken: Pairs = { floor: [], ours: [] };
  for (let run = 0; run < runs; run++) {
    if (run % 2 === 0) taken.floor.push(await floor());
    taken.ours.push(await ours());
    if (run % 2 === 1) taken.floor.push(await floor());
  }
  return taken;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

export function ratio({ floor, ours }: Pairs): number {
  return median(ours) / median(floor);
}

export function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 1)} ms`;
}

/** `floor 5.10 ms, ours 6.20 ms, 60 runs each`. */
export function sides({ floor, ours }: Pairs, names: [string, string] = ["floor", "ours"]): string {
  return `${names[0]} ${ms(median(floor))}, ${names[1]} ${ms(median(ours))}, medians of ${ours.length} each`;
}

export async function timed(fn: () => unknown): Promise<number> {
  const from = performance.now();
  await fn();
  return performance.now() - from;
}

/** From the spawn to the reaping of a process whose output is read, as a script that runs it sees it. */
export function coldMs(command: string[], env: Record<string, string>): number {
  const from = performance.now();
  const done = Bun.spawnSync(command, { env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const took = performance.now() - from;
  if (!done.success) throw new Error(`${command.join(" ")} ended with ${done.exitCode}: ${done.stderr}`);
  return took;
}

/** Waits until it holds; the deadline says what did not come. */
export async function until<T>(what: string, ask: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const end = performance.now() + 20_000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(`not seen within 20 s: ${what}`);
    await Bun.sleep(1);
  }
}
