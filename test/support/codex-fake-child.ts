/** The process behind `fakeCodex`: as much of an app-server as a test of the supervisor needs. */
import type { FakeCodex } from "./codex-fake.ts";

interface Message {
  id?: number;
  method?: string;
  params?: { code?: number; lines?: string[]; error?: object };
}

const how = JSON.parse(process.env["FAKE"] ?? "{}") as FakeCodex;
const say = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`);
const held: number[] = [];
if (how.stderr !== undefined) process.stderr.write(how.stderr);
if (how.stdout !== undefined) process.stdout.write(how.stdout);
if (how.stubborn) process.on("SIGTERM", () => {});

for await (const line of console) {
  // The end of the input reads as one empty line more.
  if (line === "") continue;
  const { id, method, params } = JSON.parse(line) as Message;
  if (id === undefined || method === "test/silent") continue;
  if (method === "initialize") initialize(id);
  else if (method === how.held?.method) held.push(id);
  else if (method === "thread/backgroundTerminals/clean") {
    for (const one of held.splice(0)) say({ id: one, result: how.held?.result });
    say({ id, result: {} });
  } else if (method === "thread/loaded/list") {
    if (how.ping !== "silent") say({ id, result: { data: [] } });
  } else if (method === "test/exit") process.exit(params?.code ?? 0);
  else if (method === "test/lines") {
    // In one write, so that they arrive in one read.
    const answer = JSON.stringify({ id, result: {} });
    process.stdout.write((params?.lines ?? []).map((one) => `${one.replace("ANSWER", answer)}\n`).join(""));
  } else if (params?.error !== undefined) say({ error: params.error, id });
  else say({ id, result: { params, env: process.env, args: process.argv.slice(2) } });
}
if (how.stubborn) setInterval(() => {}, 1000);

/** Computes until it is told by SIGUSR2 to answer. */
async function work(id: number): Promise<void> {
  let isTold = false;
  process.on("SIGUSR2", () => {
    isTold = true;
  });
  while (!isTold) {
    for (const until = performance.now() + 10; performance.now() < until; );
    if (how.initialize === "babbles") process.stdout.write("%%%%\n");
    await new Promise((resolve) => setImmediate(resolve));
  }
  how.initialize = "ok";
  initialize(id);
}

function initialize(id: number): void {
  if (typeof how.initialize === "number") process.exit(how.initialize);
  if (how.initialize === "silent") return;
  if (how.initialize === "works" || how.initialize === "babbles") return void work(id);
  if (how.initialize === "refuse") return void say({ error: { code: -32600, message: "no" }, id });
  say({
    id,
    result: { userAgent: "dispatch/9.8.7 (Test)", codexHome: process.env["CODEX_HOME"] ?? "/fake" },
  });
  for (const line of how.lines ?? []) process.stdout.write(`${line}\n`);
}
