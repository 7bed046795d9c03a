/**
 * The shortest way through a command: a read of plain words, answered as JSON to a program. What scripts and agents type
 * most often then costs little more than starting a program. It answers whole or not at all: whatever is more is left to
 * `runCli`, which goes on from what the daemon said (an error, or a result for a terminal), since a read may have cost
 * seconds, and starts from the beginning where there is a flag, or no daemon that answers.
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
import { quickReads } from "../../ops/index.ts";
import { callerHere } from "../caller.ts";
import type { Answer } from "../client.ts";
import { bytesOf, frameReader, helloFrame } from "../frames.ts";

interface Read {
  name: string;
  hash: string;
  input: Record<string, string>;
}

/** The result as it is shown; or what `runCli` makes something of. */
type TextAnswer = { text: Uint8Array } | Answer;

/** The exit status; else the command is still to be run, with the `answer` to it where it was asked for. */
export async function quick(
  argv: readonly string[],
  reads = quickReads,
): Promise<number | { answer?: Promise<Answer> }> {
  const words = argv.filter((word) => word !== "--json");
  const read = readOf(words, reads);
  if (read === undefined || words.length < argv.length - 1) return {};
  const answered = ask(read);
  const answer = () => answered.then(withoutText);
  // Asked while the daemon works.
  const isJson = words.length < argv.length || (await isForProgram());
  const shown = isJson ? await answered : undefined;
  if (shown === undefined || !("text" in shown)) return { answer: answer() };
  // What cannot be written, `runCli` cannot write either, and it has the words for it.
  return writeOut(shown.text).then(
    () => 0,
    () => ({ answer: answer() }),
  );
}

function withoutText(answer: TextAnswer): Answer {
  return "text" in answer ? { result: JSON.parse(textOf(answer.text)) as Record<string, unknown> } : answer;
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

/** What the daemon answers; `lost` where `runCli` has to ask again. */
function ask({ name, hash, input }: Read): Promise<TextAnswer> {
  const { promise, resolve } = Promise.withResolvers<TextAnswer>();
  let opened: Bun.Socket | undefined;
  const path = pathsOf(readEnv()).socket;
  let trusted: Promise<boolean> | undefined;
  let cancelSilent = () => {};
  const lose = () => {
    cancelSilent();
    resolve({ lost: true });
    // Ends the call there as well.
    opened?.end();
  };
  const frames = frameReader({
    onFrame(frame) {
      cancelSilent();
      // A row says how far the call is: that is for a person.
      if ("result" in frame) resolve({ result: frame.result });
      else if ("error" in frame) {
        // A daemon that is to make way is asked to on the connection where it said so.
        if (frame.error.code === "stale") lose();
        else resolve({ error: frame.error });
      }
    },
    onText: (text) => resolve({ text }),
    onBroken: lose,
  });

  const socket: Bun.SocketHandler<undefined> = {
    open(to) {
      opened = to;
      cancelSilent = systemClock.after(limits.client.quickHelloMs, lose);
      const call = { id: 1, op: name, schema: hash, input, caller: callerHere("cli"), as: "text" } as const;
      const bytes = bytesOf([helloFrame, call]);
      if (to.write(bytes) < bytes.length) lose();
      // Loaded and checked while the daemon works: these words are no secret, and the answer is not shown before.
      trusted = isTrusted(path, to);
    },
    data: (_, chunk) => frames.push(chunk),
    close: lose,
    // Also of what is thrown here: the current directory is gone.
    error: lose,
    connectError: lose,
  };
  Bun.connect({ unix: path, socket, data: undefined }).catch(lose);
  // `runCli` connects again, and says whose it is.
  return promise.then(async (answer) => ((await trusted) === false ? { lost: true } : answer));
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
