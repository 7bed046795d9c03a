/** The help of the program, of a noun and of a command, generated from the ops. */
import { codes } from "../../base/error.ts";
import { paint, widthOf, wrap } from "../../base/text.ts";
import { version } from "../../base/version.ts";
import { failsOf } from "../../ops/fails.ts";
import { choicesOf, descriptionOf } from "../../ops/fields.ts";
import type { AnyOp, Group } from "../../ops/op.ts";
import { mayBeLeftOut } from "../input.ts";
import { type Field, fieldsOf, kebab } from "./args.ts";
import { type GlobalFlag, globalFlags } from "./globals.ts";
import { spell } from "./spell.ts";
import type { Command } from "./tree.ts";

const headings: Record<Exclude<Group, "plan">, string> = {
  thread: "Threads",
  message: "Messages",
  request: "Requests",
  trigger: "Triggers and subscriptions",
  inbox: "Inboxes",
  daemon: "Daemon and health",
};

type Pair = readonly [left: string, right: string];

export function rootHelp(commands: readonly Command[], width: number): string {
  const left = leftWidth([...pairsOf(commands), ...globalPairs()], width);
  const groups = Object.entries(headings).map(([group, heading]) =>
    section(
      heading,
      pairsOf(ordered(commands.filter((command) => headingOf(command) === group))),
      width,
      left,
    ),
  );
  return joined([
    `${paint("bold", "dispatch")} ${version}: the local control plane for Codex agent threads`,
    "usage: dispatch <command> [arguments] [--flags]\n       dispatch <command> --help",
    ...groups,
    section("Flags of every command", globalPairs(), width, left),
  ]);
}

/** A plan is shown beside what it plans. */
const headingOf = ({ group }: Command) => (group === "plan" ? "thread" : group);

/** Commands of one word first, because they are used most. Then the verbs of each noun. */
function ordered(commands: readonly Command[]): Command[] {
  const rank = ({ meta: { name } }: Command) => `${name.includes(" ") ? 1 : 0}${name}`;
  return [...commands].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

function pairsOf(commands: readonly Command[]): Pair[] {
  return commands.map(({ meta }) => [meta.name, meta.description] as const);
}

export function nounHelp(noun: string, commands: readonly Command[], width: number): string {
  return joined([
    `usage: dispatch ${noun} <command> [arguments] [--flags]`,
    section("Commands", pairsOf(commands), width),
  ]);
}

export function commandHelp(op: AnyOp, width: number): string {
  const fields = fieldsOf(op);
  const positionals = fields.filter((field) => field.mark.arg);
  const about = op.about ? [wrap(op.about, width)] : [];
  return joined([
    `usage: ${usageOf(op.cli, fields)}`,
    wrap(op.summary, width),
    ...about,
    section(
      "Arguments",
      positionals.map((field) => [field.spelled, describe(field)] as const),
      width,
    ),
    section("Flags", fields.flatMap(flagPairs), width),
    section("Exit codes", exitPairs(op), width),
    examples(op, width),
    "Flags of every command: dispatch --help",
  ]);
}

/** The help of a command that is not an op. */
export function ownHelp({ meta, own }: Command, width: number): string {
  const flags = Object.entries(own?.forms ?? {}).map(
    ([name, { description }]) => [`--${name}`, description] as const,
  );
  return joined([
    `usage: dispatch ${meta.name}${flags.length > 0 ? " [--flags]" : ""}`,
    wrap(meta.description, width),
    ...(own?.about ? [wrap(own.about, width)] : []),
    section("Flags", flags, width),
    "Flags of every command: dispatch --help",
  ]);
}

/** `dispatch send <thread> [<text>] [--flags]`. */
function usageOf(cli: string, fields: readonly Field[]): string {
  const words = fields
    .filter((field) => field.mark.arg)
    .map((field) => {
      const word = field.type === "list" ? `${field.spelled}...` : field.spelled;
      return mayBeLeftOut(field.schema) ? `[${word}]` : word;
    });
  const required = fields
    .filter((field) => !field.mark.arg && !mayBeLeftOut(field.schema))
    .map((field) => `${field.spelled} ${valueWord(field)}`);
  const hasOptional = fields.some((field) => !field.mark.arg && mayBeLeftOut(field.schema));
  return ["dispatch", cli, ...words, ...required, ...(hasOptional ? ["[--flags]"] : [])].join(" ");
}

function flagPairs(field: Field): Pair[] {
  const flag = `--${kebab(field.name)}`;
  const file: Pair[] = field.mark.text
    ? [[`${flag}-file PATH`, `the same, read from a file; - is standard input`]]
    : [];
  if (field.mark.arg) return file;
  const value = field.type === "option" ? `[${valueWord(field)}]` : valueWord(field);
  const left = field.type === "boolean" ? flag : `${flag} ${value}`;
  return [[left, describe(field)], ...file];
}

function valueWord(field: Field): string {
  return (
    field.mark.value ??
    (choicesOf(field.schema) ? "WORD" : field.type === "number" ? "N" : kebab(field.name).toUpperCase())
  );
}

function describe(field: Field): string {
  const choices = choicesOf(field.schema);
  const notes = [
    descriptionOf(field.schema),
    ...(choices ? [`one of: ${choices.join(", ")}`] : []),
    ...(field.type === "list" && !field.mark.arg ? ["may be repeated"] : []),
    ...defaultOf(field),
    ...(field.mark.text ? ["- reads standard input"] : []),
  ];
  return notes.filter((note) => note !== "").join("; ");
}

function defaultOf(field: Field): string[] {
  const value = (field.schema as { default?: unknown }).default;
  return value === undefined || typeof value === "function" ? [] : [`default ${String(value)}`];
}

function globalPairs(): Pair[] {
  return Object.entries(globalFlags as Record<string, GlobalFlag>).map(([name, flag]) => {
    const spelled = `--${flag.isNegative ? "no-" : ""}${name}`;
    return [flag.value ? `${spelled} ${flag.value}` : spelled, flag.description] as const;
  });
}

function exitPairs(op: AnyOp): Pair[] {
  return [["0", "done"] as const, ...failsOf(op).map((code) => [String(codes[code].exit), code] as const)];
}

function examples(op: AnyOp, width: number): string {
  const lines = op.examples
    .filter((example) => example.error === undefined)
    .map((example) => `  ${folded(spell(op, example.input), width - 2)}`);
  return lines.length === 0 ? "" : `${paint("bold", "Examples")}\n${[...new Set(lines)].join("\n")}`;
}

/** A command as a shell takes it back, broken before a flag that would not fit. */
function folded(command: string, width: number): string {
  // What is quoted is one word; a flag and its value stay together.
  const parts = command.match(/--[\w-]+(?: (?!--)(?:'[^']*'|[^\s'])+)?|(?:'[^']*'|[^\s'])+/g) ?? [];
  const lines = [""];
  for (const [at, part] of parts.entries()) {
    const line = lines.at(-1)!;
    const end = at === parts.length - 1 ? "" : " \\";
    if (line !== "" && widthOf(`${line} ${part}${end}`) > width) lines.push(`    ${part}`);
    else lines[lines.length - 1] = line === "" ? part : `${line} ${part}`;
  }
  return lines.join(" \\\n  ");
}

/** The width of the left column. A word wider than a third of the width is on a line of its own. */
function leftWidth(rows: readonly Pair[], width: number): number {
  return Math.max(0, ...rows.map(([word]) => widthOf(word)).filter((columns) => columns <= width / 3));
}

function section(
  heading: string,
  rows: readonly Pair[],
  width: number,
  left = leftWidth(rows, width),
): string {
  if (rows.length === 0) return "";
  const indent = " ".repeat(left + 4);
  const lines = rows.map(([word, text]) => {
    const body = wrap(text, Math.max(20, width - indent.length)).replaceAll("\n", `\n${indent}`);
    return widthOf(word) > left ? `  ${word}\n${indent}${body}` : `  ${word.padEnd(left)}  ${body}`;
  });
  return `${paint("bold", heading)}\n${lines.join("\n")}`;
}

function joined(parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("\n\n");
}
