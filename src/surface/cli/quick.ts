/**
 * The shortest way through a command: a read of plain words, answered as JSON to a program. What scripts and agents type
 * most often then costs little more than starting a program. It answers whole or not at all: whatever is more (a flag, a
 * terminal, no daemon, an error) is left to `runCli`, which begins anew, since to ask a read twice changes nothing.
 *
 * scripts/build puts this file and all it imports into the entry as one piece: each further piece of the program takes
 * 0.1 to 0.3 ms to load (measured), and run.ts with what it needs is thirteen.
 */
import { systemClock } from "../../base/clock.ts";
import { readEnv } from "../../base/env.ts";
import { limits } from "../../base/limits.ts";
import { lineSplitter, textOf } from "../../base/lines.ts";
import { pathsOf } from "../../base/paths.ts";
import { isForProgram, writeOut } from "../../base/stdio.ts";
import { toJson } from "../../base/text.ts";
import { version } from "../../base/version.ts";
import type { QuickRead } from "../../ops/op.ts";
import { type ClientFrame, type DaemonFrame, protocolVersion } from "../../ops/protocol.ts";
import { quickReads } from "../../ops/quick.ts";
import { callerHere } from "../caller.ts";

/** The exit status; undefined where nothing was written and the command is still to be run. */
export async function quick(argv: readonly string[], reads = quickReads): Promise<number | undefined> {
  const words = argv.filter((word) => word !== "--json");
  const read = readOf(words, reads);
  if (read === undefined || words.length < argv.length - 1) return undefined;
  const answer = ask(read, words);
  // Asked while the daemon works.
  const isJson = words.length < argv.length || (await isForProgram());
  const result = isJson ? await answer : undefined;
  if (result === undefined) return undefined;
  // What cannot be written, `runCli` cannot write either, and it has the words for it.
  return writeOut(`${toJson(result)}\n`).then(
    () => 0,
    () => undefined,
  );
}

/** The read that these words are, and nothing but. A word that the runtime could not read is a matter for `runCli`. */
function readOf(words: readonly string[], reads: readonly QuickRead[]): QuickRead | undefined {
  if (words.some((word) => word.startsWith("-") || word.includes("\ufffd"))) return undefined;
  return reads.find(
    ({ cli, args }) =>
      words.length === cli.length + args.length && cli.every((word, at) => word === words[at]),
  );
}

/** What the daemon answers; undefined when that is anything but a result. */
function ask(read: QuickRead, words: readonly string[]): Promise<Record<string, unknown> | undefined> {
  const { promise, resolve } = Promise.withResolvers<Record<string, unknown> | undefined>();
  let cancelSilent = () => {};
  const none = () => {
    cancelSilent();
    resolve(undefined);
  };
  const lines = lineSplitter({
    lineBytesMax: limits.frameBytesMax,
    onOversize: none,
    onLine(line) {
      const frame = JSON.parse(textOf(line)) as DaemonFrame;
      cancelSilent();
      // Rows tell a person of the progress.
      if ("result" in frame) resolve(frame.result);
      else if ("error" in frame) none();
    },
  });
  const socket: Bun.SocketHandler<undefined> = {
    open(to) {
      const bytes = framesOf(read, words);
      if (to.write(bytes) < bytes.length) none();
      cancelSilent = systemClock.after(limits.quickHelloMs, none);
    },
    data: (_, chunk) => lines.push(chunk),
    close: none,
    // Also of what was thrown above: a line that is no JSON.
    error: none,
    connectError: none,
  };
  Bun.connect({ unix: pathsOf(readEnv()).socket, socket, data: undefined }).catch(none);
  return promise;
}

function framesOf(read: QuickRead, words: readonly string[]): Buffer {
  const input = Object.fromEntries(read.args.map((field, at) => [field, words[read.cli.length + at]!]));
  const frames: ClientFrame[] = [
    { hello: { version, protocol: protocolVersion } },
    { id: 1, op: read.name, schema: read.hash, input, caller: callerHere("cli") },
  ];
  return Buffer.from(frames.map((frame) => `${JSON.stringify(frame)}\n`).join(""));
}
