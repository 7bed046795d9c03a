/** The manual: `dispatch.1`, `dispatchd.1`, and a page for each first word of the commands, from the ops. */
import { codes } from "../../src/base/error.ts";
import { version } from "../../src/base/version.ts";
import { usage as daemonUsage } from "../../src/daemon/argv.ts";
import { index } from "../../src/ops/index.ts";
import type { AnyOp } from "../../src/ops/op.ts";
import { globalPairs, partsOf } from "../../src/surface/cli/help.ts";
import { type Block, type Page, roff } from "./roff.ts";

type Section = Page["sections"][number];

/** What of the environment a user sets. */
const variables: readonly (readonly [string, string])[] = [
  ["DISPATCH_HOME", "the folder of dispatch's files; default ~/.dispatch"],
  ["DISPATCH_CODEX", "the codex executable; default: [app_server] command, else codex on PATH"],
  ["DISPATCH_CONFIG", "the configuration file; default config.toml in the home"],
  ["DISPATCH_DB", "the registry; default registry.db in the home"],
  ["DISPATCH_SOCKET", "the control socket; default dispatch.sock in the home"],
  ["DISPATCH_NO_START", "when set, no command starts a daemon"],
  ["DISPATCH_HOST", "the host of every command that names none with --host"],
  ["DISPATCH_SSH", "the program to run instead of ssh"],
  ["CODEX_HOME", "the home of Codex; default ~/.codex"],
  ["NO_COLOR", "when set, no colours"],
];

const files: readonly (readonly [string, string])[] = [
  ["~/.dispatch/config.toml", "the configuration"],
  [".dispatch/config.toml", "defaults and presets of a repository"],
  ["~/.dispatch/registry.db", "the registry"],
  ["~/.dispatch/daemon.log", "the log of the daemon"],
];

/** By file name. `date`: YYYY-MM-DD. */
export async function manualPages(date: string): Promise<Map<string, string>> {
  const shown = index.filter((row) => !row.hidden);
  const ops = await Promise.all(shown.map(async (row) => (await row.load()).default));
  const nouns = Map.groupBy(ops, ({ cli }) => cli.split(" ")[0]!);
  const pages = [
    mainPage(ops),
    daemonPage(),
    mcpPage(),
    ...[...nouns].map(([noun, all]) => nounPage(noun, all)),
  ];
  const all = pages.sort((a, b) => (a.name < b.name ? -1 : 1));
  return new Map(
    all.map((page) => [`${page.name}.1`, roff({ ...page, date, source: `dispatch ${version}` })]),
  );
}

type Draft = Omit<Page, "date" | "source">;

function mainPage(ops: readonly AnyOp[]): Draft {
  const commands = [...ops].sort((a, b) => (a.cli < b.cli ? -1 : 1));
  return {
    name: "dispatch",
    summary: "the local control plane for Codex agent threads",
    sections: [
      section("Synopsis", lines(["dispatch <command> [arguments] [--flags]", "dispatch <command> --help"])),
      section(
        "Description",
        text(
          "One daemon drives one Codex app-server and keeps a durable registry of threads and messages. The commands start the daemon when it is needed. On a terminal they print for people, through a pipe JSON.",
        ),
      ),
      section(
        "Commands",
        terms([
          ...commands.map(({ cli, summary }) => [cli, summary] as const),
          ["mcp", "Serve MCP on standard input and output"],
        ]),
        text(
          "dispatch-send(1) is the page of dispatch send, dispatch-queue(1) of dispatch queue, and so on.",
        ),
      ),
      section("Flags of every command", terms(globalPairs())),
      section(
        "Exit status",
        terms([
          ["0", "done"],
          ...Object.entries(codes).map(([code, { exit }]) => [String(exit), code] as const),
        ]),
      ),
      section("Environment", terms(variables)),
      section("Files", terms(files)),
      section("See also", text("dispatchd(1), codex(1)")),
    ],
  };
}

function daemonPage(): Draft {
  const [synopsis, ...rest] = daemonUsage.trim().split("\n");
  return {
    name: "dispatchd",
    summary: "the daemon of dispatch",
    sections: [
      section("Synopsis", lines([synopsis!])),
      section("Description", text(rest.join("\n").trim())),
      section("See also", text("dispatch(1), dispatch-up(1), dispatch-service(1)")),
    ],
  };
}

function mcpPage(): Draft {
  return {
    name: "dispatch-mcp",
    summary: "serve MCP on standard input and output",
    sections: [
      section("Synopsis", lines(["dispatch mcp [--flat] [--codex-compat]"])),
      section(
        "Description",
        text(
          "An MCP client starts it. It offers the commands of dispatch as tools, and starts the daemon when none runs.",
        ),
      ),
      section(
        "Flags",
        terms([
          ["--flat", "one tool for each command; default: by the name of the client"],
          ["--codex-compat", "also the tools codex and codex-reply"],
        ]),
      ),
      section("See also", text("dispatch(1), dispatch-plugin(1)")),
    ],
  };
}

function nounPage(noun: string, ops: readonly AnyOp[]): Draft {
  const all = [...ops].sort((a, b) => (a.cli < b.cli ? -1 : 1));
  const [only] = all as [AnyOp];
  const summary = all.length === 1 ? lower(only.summary) : `${all.map(({ cli }) => cli).join(", ")}`;
  return {
    name: `dispatch-${noun}`,
    summary,
    sections: [
      section("Synopsis", lines(all.map((op) => partsOf(op).usage))),
      ...(all.length === 1 ? detailsOf(only) : all.map(commandSection)),
      section(
        "See also",
        text("dispatch(1) has the flags of every command, the environment and all exit codes."),
      ),
    ],
  };
}

function detailsOf(op: AnyOp): Section[] {
  const { about, positionals, flags, exits, examples } = partsOf(op);
  return [
    section("Description", text(`${op.summary}.`), ...about.map(text)),
    section("Arguments", terms(positionals)),
    section("Flags", terms(flags)),
    section("Exit status", terms(exits)),
    section("Examples", lines(examples)),
  ].filter(({ blocks }) => blocks.length > 0);
}

/** One of several commands of a page: all of it under the command's own heading. */
function commandSection(op: AnyOp): Section {
  const { about, positionals, flags, exits, examples } = partsOf(op);
  const ends = exits.map(([status, code]) => `${status} ${code}`).join(", ");
  return section(
    `dispatch ${op.cli}`,
    text(`${op.summary}.`),
    ...about.map(text),
    terms([...positionals, ...flags]),
    text(`Exit status: ${ends}.`),
    lines(examples),
  );
}

function section(heading: string, ...blocks: readonly Block[]): Section {
  const isEmpty = (block: Block) =>
    (block.kind === "terms" && block.rows.length === 0) ||
    (block.kind === "lines" && block.lines.length === 0);
  return { heading, blocks: blocks.filter((block) => !isEmpty(block)) };
}

function text(words: string): Block {
  return { kind: "text", text: words };
}

function lines(all: readonly string[]): Block {
  return { kind: "lines", lines: all };
}

function terms(rows: readonly (readonly [string, string])[]): Block {
  return { kind: "terms", rows };
}

function lower(summary: string): string {
  return summary.charAt(0).toLowerCase() + summary.slice(1);
}
