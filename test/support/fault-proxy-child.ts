/** The process behind `proxyCodex`: the daemon on one side, the real app-server on the other, in one process group. */
import { readFileSync } from "node:fs";
import { codexExecutable } from "./codex.ts";
import type { Faults } from "./fault-proxy.ts";

interface Line {
  id?: number;
  method?: string;
}

const path = process.env["FAULTS"]!;
let orders: Faults & { nth: number } = { nth: 0 };
/** What was done of these orders. */
let done = { instead: 0, noise: false };

function faults(): Faults {
  const now = JSON.parse(readFileSync(path, "utf8")) as typeof orders;
  if (now.nth !== orders.nth) {
    orders = now;
    done = { instead: 0, noise: false };
  }
  return orders;
}

const { crash } = faults();
if (crash !== undefined) {
  process.stderr.write(`${crash}\n`);
  process.exit(1);
}

const codex = Bun.spawn([codexExecutable(), ...process.argv.slice(2)], {
  stdin: "pipe",
  stdout: "pipe",
  stderr: "inherit",
});
const asked = new Map<number, string>();
const withheld: string[] = [];
/** Writes go out one after another, whatever each takes. */
let out: Promise<unknown> = Promise.resolve();
const write = (text: string) => {
  out = out.then(() => Bun.write(Bun.stdout, text));
};

async function say(line: string): Promise<void> {
  if (!faults().chop) return write(`${line}\n`);
  const [from, to] = [Math.ceil(line.length / 3), Math.ceil((2 * line.length) / 3)];
  for (const part of [line.slice(0, from), line.slice(from, to), `${line.slice(to)}\n`]) {
    write(part);
    // A pause, so that the pieces are read one by one.
    await Bun.sleep(2);
  }
}

async function fromCodex(line: string): Promise<void> {
  const { id, method } = JSON.parse(line) as Line;
  const { swallow, mute, late, backwards, noise } = faults();
  if (method !== undefined) {
    if (method === "turn/started" && noise !== undefined && !done.noise) makeNoise(noise, line);
    if (!swallow?.includes(method)) await say(line);
    return;
  }
  const of = asked.get(id!);
  asked.delete(id!);
  if (of !== undefined && mute?.includes(of)) return;
  if (of !== undefined && late?.methods.includes(of))
    return void setTimeout(() => write(`${line}\n`), late.ms);
  withheld.push(line);
  // Never all of them for ever: what nobody follows is told after a moment.
  if (withheld.length < (backwards ?? 1)) return void setTimeout(tellWithheld, 30);
  tellWithheld();
}

function tellWithheld(): void {
  for (const line of withheld.splice(0).reverse()) write(`${line}\n`);
}

function makeNoise(noise: NonNullable<Faults["noise"]>, line: string): void {
  done.noise = true;
  if (noise === "garbage")
    write(
      '\u0000\u001b[31m\n{"half": \n\n[1,2\n"text"\n42\nnull\n{}\n{"id":"x"}\n{"method":7}\n{"id":null,"result":{}}\n',
    );
  else if (noise === "huge")
    write(`{"method":"item/completed","params":{"blob":"${"x".repeat(40 * 1024 * 1024)}"}}\n`);
  else {
    const { params } = JSON.parse(line) as { params: { threadId: string } };
    const changed = {
      method: "thread/status/changed",
      params: { threadId: params.threadId, status: { type: "active", activeFlags: [] } },
    };
    const usage = {
      method: "thread/name/updated",
      params: { threadId: params.threadId, threadName: "flood" },
    };
    for (let at = 0; at < 10_000; at++)
      write(`${JSON.stringify(changed)}\n${JSON.stringify({ ...usage, at })}\n`);
  }
}

function toCodex(line: string): void {
  const { id, method } = JSON.parse(line) as Line;
  const { instead, drop } = faults();
  if (method !== undefined && drop?.includes(method)) return;
  if (
    id !== undefined &&
    instead !== undefined &&
    instead.method === method &&
    done.instead < instead.times
  ) {
    done.instead++;
    const { result, error } = instead;
    write(`${JSON.stringify(error === undefined ? { id, result } : { id, error })}\n`);
    return;
  }
  if (id !== undefined && method !== undefined) asked.set(id, method);
  codex.stdin.write(`${line}\n`);
  codex.stdin.flush();
}

void (async () => {
  for await (const line of console) if (line !== "") toCodex(line);
  codex.stdin.end();
})();

async function lines(
  stream: ReadableStream<Uint8Array>,
  each: (line: string) => Promise<void>,
): Promise<void> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop()!;
    for (const line of parts) await each(line);
  }
}

await lines(codex.stdout, fromCodex);
await out;
process.exit(await codex.exited);
