/**
 * The fast path for the commands that scripts and agents run most: a read without flags, except `--host`, whose result is
 * printed as JSON. It takes little longer than starting a program. It prints the whole answer or nothing. In every other case
 * `runCli` continues: with the daemon's answer if there is one (an error, or a result for a terminal), because a read
 * may have taken seconds; from the beginning if there is a flag, or no answer from the daemon.
 *
 * scripts/build puts this file and its imports into the entry chunk: each further chunk takes 0.1 to 0.3 ms to load
 * (measured), and run.ts with its imports has thirteen.
 */
import { readEnv } from "../../base/env.ts";
import type { ErrorBody } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { textOf } from "../../base/lines.ts";
import { pathsOf } from "../../base/paths.ts";
import { isTerminal, stdoutFd, writeOut } from "../../base/stdio.ts";
import { connectUnix, type UnixSocket } from "../../base/unixsocket.ts";
import { quickReads } from "../../ops/index.ts";
import { callerHere } from "../caller.ts";
import type { FarDeps } from "../deps.ts";
import { bytesOf, frameReader, helloFrame } from "../frames.ts";
import { directoryTrust, peerTrust } from "../trust.ts";
import type { Answer } from "../wire.ts";

export interface QuickCall {
  name: string;
  hash: string;
  input: Record<string, string>;
}

/** The result as printed text, or an answer for `runCli`. */
export type TextAnswer = { text: Uint8Array } | Answer;

/** The exit status; or, when `runCli` has to continue, the daemon's `answer` if the call was sent already. */
export async function quick(
  argv: readonly string[],
  far: FarDeps,
  reads = quickReads,
): Promise<number | { answer?: Promise<Answer> }> {
  // Loops, here and below: the first use of a method such as `filter` takes 0.1 ms of the start (measured).
  const words: string[] = [];
  for (const word of argv) if (word !== "--json") words.push(word);
  const { host, rest } = withoutHost(words);
  const read = readOf(rest, reads);
  if (read === undefined || words.length < argv.length - 1) return {};
  const answered = host === undefined ? Promise.resolve(callDaemon(read)) : callHost(read, host, far);
  const answer = () => answered.then(withoutText);
  const isJson = words.length < argv.length || !isTerminal(stdoutFd);
  const shown = isJson ? await answered : undefined;
  if (shown === undefined || !("text" in shown)) return { answer: answer() };
  // When the write fails, `runCli` tries it again and reports the error.
  return writeOut(shown.text).then(
    () => 0,
    () => ({ answer: answer() }),
  );
}

function withoutText(answer: TextAnswer): Answer {
  return "text" in answer ? { result: JSON.parse(textOf(answer.text)) as Record<string, unknown> } : answer;
}

function withoutHost(words: readonly string[]): { host: string | undefined; rest: readonly string[] } {
  const at = words.indexOf("--host");
  const host = at < 0 ? undefined : words[at + 1];
  return host
    ? { host, rest: words.toSpliced(at, 2) }
    : { host: readEnv().DISPATCH_HOST || undefined, rest: words };
}

/** Loaded only when a host is named. */
async function callHost(read: QuickCall, host: string, far: FarDeps): Promise<TextAnswer> {
  const { quickCall } = await import("../remote/quickcall.ts");
  return quickCall(read, host, far);
}

/** The read that exactly these words name. Words that are not well-formed UTF-8 are left to `runCli`. */
function readOf(words: readonly string[], reads: typeof quickReads): QuickCall | undefined {
  for (const word of words) if (word.startsWith("-") || word.includes("\ufffd")) return undefined;
  for (const { cli, name, hash, args } of reads) {
    const length = words.length - args.length;
    if (words.slice(0, Math.max(0, length)).join(" ") !== cli || length !== cli.split(" ").length) continue;
    const input: Record<string, string> = {};
    for (let at = 0; at < args.length; at++) input[args[at]!] = words[length + at]!;
    return { name, hash, input };
  }
  return undefined;
}

/** The daemon's answer. `lost` if `runCli` has to call again: it also reports whose daemon it is. */
function callDaemon({ name, hash, input }: QuickCall): TextAnswer {
  let socket: UnixSocket | undefined;
  try {
    const path = pathsOf(readEnv()).socket;
    socket = connectUnix(path, limits.client.quickHelloMs);
    if (socket === undefined) return { lost: true };
    const call = { id: 1, op: name, schema: hash, input, caller: callerHere("cli"), as: "text" } as const;
    if (!socket.send(bytesOf([helloFrame, call]))) return { lost: true };
    // Checked while the daemon works: the call contains no secret, and the answer is printed only afterwards.
    if (peerTrust(socket) ?? directoryTrust(path)) return { lost: true };
    return answerFrom(socket);
  } catch {
    // `runCli` meets it again and reports it: the current directory no longer exists, for example.
    return { lost: true };
  } finally {
    // This also cancels the call in the daemon.
    socket?.close();
  }
}

/** Not for an outdated daemon or client, and not for a connection that the daemon closed unread. */
function isAboutCall({ id, error }: { id: number | null; error: ErrorBody }): boolean {
  return error.code !== "stale" && !(id === null && error.code === "overloaded");
}

/** A read may take long. Any daemon that does not hang answers another hello meanwhile. */
function received(socket: UnixSocket): Uint8Array | undefined {
  const bytes = socket.receive(limits.client.quickAnswerMs);
  return (
    bytes ?? (socket.send(bytesOf([helloFrame])) ? socket.receive(limits.client.quickAnswerMs) : undefined)
  );
}

function answerFrom(socket: UnixSocket): TextAnswer {
  /** The first one counts. */
  let answer: TextAnswer | undefined;
  let hasSpoken = false;
  const frames = frameReader({
    onFrame(frame) {
      hasSpoken = true;
      // Rows are progress, which only a terminal shows.
      if ("result" in frame) answer ??= { result: frame.result };
      // `runCli` calls again and replaces the outdated daemon over its own connection.
      else if ("error" in frame) answer ??= isAboutCall(frame) ? { error: frame.error } : { lost: true };
    },
    onText(text) {
      answer ??= { text };
    },
    onBroken() {
      answer ??= { lost: true };
    },
  });
  while (answer === undefined) {
    const bytes = hasSpoken ? received(socket) : socket.receive(limits.client.quickHelloMs);
    if (bytes === undefined) return { lost: true };
    frames.push(bytes);
  }
  return answer;
}
