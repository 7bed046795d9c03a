/** `dispatch <command>`: argv in, exit status out. */
import { readEnv } from "../../base/env.ts";
import { DispatchError, errorMessage, fail } from "../../base/error.ts";
import { nearest } from "../../base/nearest.ts";
import { pathsOf } from "../../base/paths.ts";
import { isTerminal, stdoutFd, terminalWidth } from "../../base/stdio.ts";
import { refuseUndecodedArguments } from "../../base/undecoded.ts";
import { version } from "../../base/version.ts";
import type { SurfaceDeps } from "../deps.ts";
import type { Place } from "../place.ts";
import { readFlags } from "./flags.ts";
import { type Globals, globalFlags } from "./globals.ts";
import { type Output, openOutput } from "./output.ts";
import { ownWords, type Route, routeOf } from "./route.ts";
import { type Branch, commandsIn, nodeAt, runIn, treeOf } from "./tree.ts";

export async function runCli(argv: readonly string[], deps: SurfaceDeps): Promise<number> {
  let out: Output | undefined;
  let command: string | undefined;
  let place: Place = {};
  try {
    refuseUndecodedArguments(argv);
    const { flags, rest } = readFlags(argv, globalFlags, { isPartial: true });
    const globals = flags as Globals;
    out = openOutput(globals, deps.index);
    // An unset shell variable gives an empty value. Using the default home instead would be wrong.
    if (globals.home === "") fail("usage", "--home needs a value");
    if (globals.host === "") fail("usage", "--host needs a value");
    place = { home: globals.home, host: globals.host };
    if (globals.version) return await shown(out, `dispatch ${version}`);
    const wantsHelp = globals.help === true || rest[0] === "help";
    const words = ownWords(rest[0] === "help" ? rest.slice(1) : rest, deps.index);
    const more = { globals, deps, out, paths: pathsOf(readEnv(), globals.home) };
    const tree = treeOf(deps.index);
    const about = wantsHelp && words.length === 1 ? await aboutWord(words[0]!, tree) : undefined;
    if (about !== undefined) return await shown(out, about);
    const route = routeOf(words, tree);
    if ("command" in route) command = route.command.meta.name;
    if (wantsHelp || "root" in route) return await shown(out, await helpFor(route, tree));
    if ("noun" in route) return noVerb(route.noun, route.under);
    return await runIn(more, route.command, route.args);
  } catch (thrown) {
    const error = await withPlace(asError(thrown, command), place, deps);
    out ??= openOutput(guessed(argv), deps.index);
    await out.error(error);
    return error.exit;
  }
}

/** Undefined for a command, and for a word that nothing is known about. */
async function aboutWord(word: string, tree: Branch): Promise<string | undefined> {
  if (nodeAt(tree, [word])) return undefined;
  const { helpWords, wordHelp } = await import("./help.ts");
  const text = wordHelp(word, commandsIn(tree), helpWidth());
  if (text !== undefined) return text;
  const right = nearest(word, [...helpWords, ...Object.keys(tree.subCommands)]);
  return fail("usage", `nothing is known about "${word}"`, { hint: `dispatch help ${right ?? "commands"}` });
}

const helpWidth = () => (isTerminal(stdoutFd) ? terminalWidth() : 80);

async function helpFor(route: Route, tree: Branch): Promise<string> {
  const { commandHelp, nounHelp, ownHelp, rootHelp } = await import("./help.ts");
  const width = helpWidth();
  if ("noun" in route) return nounHelp(route.noun, commandsIn(route.under), width);
  if ("root" in route) return rootHelp(commandsIn(tree), width);
  const { row } = route.command;
  return row ? commandHelp((await row.load()).default, width) : ownHelp(route.command, width);
}

function noVerb(noun: string, under: Branch): never {
  const verbs = Object.keys(under.subCommands);
  return fail("usage", `"${noun}" needs one of: ${verbs.join(", ")}`, { hint: `dispatch ${noun} --help` });
}

async function shown(out: Output, s: string): Promise<number> {
  await out.text(s);
  return 0;
}

/** The form for an error that occurs before the flags are read. */
function guessed(argv: readonly string[]): Globals {
  if (argv.includes("--json")) return { json: true };
  return argv.includes("--no-json") ? { json: false } : {};
}

async function withPlace(error: DispatchError, place: Place, deps: SurfaceDeps): Promise<DispatchError> {
  if (error.hint === null) return error;
  const { nounsOf, placed } = await import("../place.ts");
  return new DispatchError(error.code, error.message, {
    hint: placed(error.hint, place, nounsOf(deps.index)),
    retry: error.retry,
    ...(error.data ? { data: error.data } : {}),
    cause: error.cause,
  });
}

function asError(thrown: unknown, command: string | undefined): DispatchError {
  if (!(thrown instanceof DispatchError)) {
    const stack = thrown instanceof Error ? (thrown.stack ?? null) : null;
    return new DispatchError("internal", `this is a bug in dispatch: ${errorMessage(thrown)}`, {
      data: { stack },
      cause: thrown,
    });
  }
  if (thrown.code !== "usage" || thrown.hint !== null) return thrown;
  const hint = command === undefined ? "dispatch --help" : `dispatch ${command} --help`;
  return new DispatchError("usage", thrown.message, { hint, ...(thrown.data ? { data: thrown.data } : {}) });
}
