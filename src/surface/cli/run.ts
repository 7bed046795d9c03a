/** `dispatch <command>`: argv in, exit status out. */
import { readEnv } from "../../base/env.ts";
import { DispatchError, errorMessage, fail } from "../../base/error.ts";
import { type Paths, pathsOf } from "../../base/paths.ts";
import { areArgumentsText, isTerminal, stdoutFd, terminalWidth } from "../../base/stdio.ts";
import { version } from "../../base/version.ts";
import type { IndexRow } from "../../ops/op.ts";
import type { Parts } from "../parts.ts";
import { type Command, mcpCommand, routeOf } from "./commands.ts";
import { readFlags } from "./flags.ts";
import { type Globals, globalFlags } from "./globals.ts";
import { type Output, openOutput } from "./output.ts";

export async function runCli(argv: readonly string[], parts: Parts): Promise<number> {
  let out: Output | undefined;
  let command: string | undefined;
  let home: string | undefined;
  try {
    if (!(await areArgumentsText(argv)))
      fail("usage", "an argument is not well-formed UTF-8", {
        hint: "send it from a file: --text-file PATH",
      });
    const { flags, rest } = readFlags(argv, globalFlags, { isPartial: true });
    const globals = flags as Globals;
    out = openOutput(globals);
    // As an unset variable gives it: the home of everyday is not what was meant.
    if (globals.home === "") fail("usage", "--home needs a value");
    home = globals.home;
    if (globals.version) return await shown(out, `dispatch ${version}`);
    const wantsHelp = globals.help === true || rest[0] === "help";
    const words = rest[0] === "help" ? rest.slice(1) : rest;
    const more = { globals, parts, out, paths: pathsOf(readEnv(), globals.home) };
    const commands = commandsOf(more);
    const route = routeOf(words, commands);
    if ("command" in route) command = route.command.cli;
    if (wantsHelp || "root" in route) return await shown(out, await helpFor(route, commands, parts));
    if ("noun" in route) return noVerb(route.noun, route.under);
    const { dispatch } = await import("./dispatch.ts");
    return await dispatch(route, commands);
  } catch (thrown) {
    const error = await thereToo(asError(thrown, command), home, parts);
    out ??= openOutput(guessed(argv));
    await out.error(error);
    return error.exit;
  }
}

function commandsOf(more: { globals: Globals; parts: Parts; out: Output; paths: Paths }): Command[] {
  const ops = more.parts.index
    .filter((row) => !row.hidden)
    .map((row) => ({
      ...row,
      run: async (args: readonly string[]) => (await import("./execute.ts")).execute(row, args, more),
    }));
  const mcp: Command = {
    ...mcpCommand,
    run: async (args) => {
      const { flags, positionals } = readFlags(args, mcpCommand.forms, { suggest: globalFlags });
      if (positionals.length > 0) return fail("usage", `unexpected "${positionals[0]}"`);
      const { serveMcp } = await import("../mcp/serve.ts");
      return serveMcp({ ...more, isFlat: flags["flat"] === true });
    },
  };
  return [...ops, mcp];
}

async function helpFor(
  route: ReturnType<typeof routeOf>,
  commands: readonly Command[],
  parts: Parts,
): Promise<string> {
  const { commandHelp, nounHelp, rootHelp } = await import("./help.ts");
  const width = isTerminal(stdoutFd) ? terminalWidth() : 80;
  if ("noun" in route) return nounHelp(route.noun, route.under, width);
  const row = "command" in route ? rowOf(route.command, parts) : undefined;
  return row ? commandHelp((await row.load()).default, width) : rootHelp(commands, width);
}

function rowOf(command: Command, parts: Parts): IndexRow | undefined {
  return parts.index.find((row) => row.cli === command.cli);
}

function noVerb(noun: string, under: readonly Command[]): never {
  const verbs = under.map((command) => command.cli.slice(noun.length + 1));
  return fail("usage", `"${noun}" needs one of: ${verbs.join(", ")}`, { hint: `dispatch ${noun} --help` });
}

async function shown(out: Output, s: string): Promise<number> {
  await out.text(s);
  return 0;
}

/** Before the flags are read, an error in them has to be shown in some form. */
function guessed(argv: readonly string[]): Globals {
  if (argv.includes("--json")) return { json: true };
  return argv.includes("--no-json") ? { json: false } : {};
}

/** What a hint tells to type must mean the same home: `--home` stands in no environment. */
async function thereToo(
  error: DispatchError,
  home: string | undefined,
  parts: Parts,
): Promise<DispatchError> {
  const { hint } = error;
  if (home === undefined || hint === null || hint.includes("--home")) return error;
  const { quoted } = await import("./spell.ts");
  const nouns = new Set(parts.index.map((row) => row.cli.split(" ", 1)[0]));
  const told = hint.replace(/\bdispatch ([a-z]+)(?! --help)/g, (words, noun: string) =>
    nouns.has(noun) ? `dispatch --home ${quoted(home)} ${noun}` : words,
  );
  return new DispatchError(error.code, error.message, {
    hint: told,
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
