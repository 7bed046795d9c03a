/**
 * The shortest way through a command: a read of plain words, answered as JSON to a program. What scripts and agents type
 * most often then costs little more than starting a program. It answers whole or not at all: whatever is more is left to
 * `runCli`, which goes on from what the daemon said (an error, or a result for a terminal), since a read may have cost
 * seconds, and begins anew where there is a flag, or no daemon that answers.
 *
 * scripts/build puts this file and all it imports into the entry as one piece: each further piece of the program takes
 * 0.1 to 0.3 ms to load (measured), and run.ts with what it needs is thirteen.
 */
import { systemClock } from "../../base/clock.ts";
import { readEnv } from "../../base/env.ts";
import { limits } from "../../base/limits.ts";
import { textOf } from "../../base/lines.ts";
import { pathsOf } from "../../base/paths.ts";
import { isForProgram, writeOut } from "../../base/stdio.ts";
import { version } from "../../base/version.ts";
import { quickReads } from "../../ops/index.ts";
import { type ClientFrame, type DaemonFrame, protocolVersion, type TextHead } from "../../ops/protocol.ts";
import { callerHere } from "../caller.ts";
import type { Answer } from "../client.ts";

const newline = 10;

interface Read {
  name: string;
  hash: string;
  input: Record<string, string>;
}

/** The result as it is shown; or what `runCli` makes something of. */
type Said = { shown: Uint8Array } | Answer;

/** The exit status; else the command is still to be run, with the `answer` to it where it was asked for. */
export async function quick(
  argv: readonly string[],
  reads = quickReads,
): Promise<number | { answer?: Promise<Answer> }> {
  const words = argv.filter((word) => word !== "--json");
  const read = readOf(words, reads);
  if (read === undefined || words.length < argv.length - 1) return {};
  const told = ask(read);
  const answer = () => told.then(answerOf);
  // Asked while the daemon works.
  const isJson = words.length < argv.length || (await isForProgram());
  const said = isJson ? await told : undefined;
  if (said === undefined || !("shown" in said)) return { answer: answer() };
  // What cannot be written, `runCli` cannot write either, and it has the words for it.
  return writeOut(said.shown).then(
    () => 0,
    () => ({ answer: answer() }),
  );
}

function answerOf(said: Said): Answer {
  return "shown" in said ? { result: JSON.parse(textOf(said.shown)) as Record<string, unknown> } : said;
}

/** The read that these words are, and nothing but. A word that the runtime could not read is a matter for `runCli`. */
function readOf(words: readonly string[], reads: typeof quickReads): Read | undefined {
  if (words.some((word) => word.startsWith("-") || word.includes("\ufffd"))) return undefined;
  for (const { cli, name, hash, args } of reads) {
    const command = cli.split(" ");
    const given = words.slice(command.length);
    if (given.length === args.length && command.every((word, at) => word === words[at]))
      return { name, hash, input: Object.fromEntries(args.map((field, at) => [field, given[at]!])) };
  }
  return undefined;
}

/** What the daemon answers; `lost` where it has to be asked anew. */
function ask(read: Read): Promise<Said> {
  const { promise, resolve } = Promise.withResolvers<Said>();
  let opened: Bun.Socket | undefined;
  const path = pathsOf(readEnv()).socket;
  let trusted: Promise<boolean> | undefined;
  let cancelSilent = () => {};
  const none = () => {
    cancelSilent();
    resolve({ lost: true });
    // Ends the call there as well.
    opened?.end();
  };
  /** Of the line that is not whole yet; then of the text, which is passed on as it came. */
  let parts: Uint8Array[] = [];
  let heldBytes = 0;
  let textBytes: number | undefined;

  const take = (chunk: Uint8Array) => {
    parts.push(chunk);
    heldBytes += chunk.length;
    if (heldBytes > limits.frameBytesMax) return none();
    if (textBytes === undefined && chunk.includes(newline)) {
      let rest = joined(parts);
      for (
        let end = rest.indexOf(newline);
        textBytes === undefined && end >= 0;
        end = rest.indexOf(newline)
      ) {
        hear(JSON.parse(textOf(rest.subarray(0, end))) as DaemonFrame | TextHead);
        rest = rest.subarray(end + 1);
      }
      parts = [rest];
      heldBytes = rest.length;
    }
    if (textBytes !== undefined && heldBytes >= textBytes)
      resolve({ shown: joined(parts).subarray(0, textBytes) });
  };

  const hear = (frame: DaemonFrame | TextHead) => {
    cancelSilent();
    // Rows tell a person of the progress.
    if ("bytes" in frame) textBytes = frame.bytes;
    else if ("result" in frame) resolve({ result: frame.result });
    else if ("error" in frame) {
      // A daemon that is to make way is asked to on the connection that it was said on.
      if (frame.error.code === "stale") none();
      else resolve({ error: frame.error });
    }
  };

  const socket: Bun.SocketHandler<undefined> = {
    open(to) {
      opened = to;
      cancelSilent = systemClock.after(limits.quickHelloMs, none);
      const bytes = framesOf(read);
      if (to.write(bytes) < bytes.length) none();
      // Loaded and checked while the daemon works: these words are no secret, and the answer is not shown before.
      trusted = isTrusted(path, to);
    },
    data: (_, chunk) => take(chunk),
    close: none,
    // Also of what was thrown above: a line that is no JSON.
    error: none,
    connectError: none,
  };
  Bun.connect({ unix: path, socket, data: undefined }).catch(none);
  // `runCli` connects again, and says whose it is.
  return promise.then(async (said) => ((await trusted) === false ? { lost: true } : said));
}

async function isTrusted(path: string, socket: Bun.Socket): Promise<boolean> {
  try {
    const { directoryTrust, peerTrust } = await import("../trust.ts");
    return peerTrust(socket) === undefined && (await directoryTrust(path)) === undefined;
  } catch {
    // The connection is closed already, so there is nobody to ask about.
    return false;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

function framesOf({ name, hash, input }: Read): Buffer {
  const frames: ClientFrame[] = [
    { hello: { version, protocol: protocolVersion } },
    { id: 1, op: name, schema: hash, input, caller: callerHere("cli"), as: "text" },
  ];
  return Buffer.from(frames.map((frame) => `${JSON.stringify(frame)}\n`).join(""));
}
