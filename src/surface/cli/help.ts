/** The help of the program, of a noun and of a command, generated from the ops. */
import { codes } from "../../base/error.ts";
import { paint, widthOf, wrap } from "../../base/text.ts";
import { version } from "../../base/version.ts";
import { failsOf } from "../../ops/fails.ts";
import { choicesOf, descriptionOf } from "../../ops/fields.ts";
import { type AnyOp, type Task, tasks } from "../../ops/op.ts";
import { mayBeLeftOut } from "../input.ts";
import { type Field, fieldsOf, kebab } from "./args.ts";
import { type GlobalFlag, globalFlags } from "./globals.ts";
import { glossary } from "./glossary.ts";
import { spell } from "./spell.ts";
import type { Command } from "./tree.ts";

type Pair = readonly [left: string, right: string];

/** The whole program on one screen of 80 columns and 24 lines: the commands by what a person wants to do. */
export function rootHelp(commands: readonly Command[], width: number): string {
  const rows = (Object.keys(tasks) as Task[]).map(
    (task) => [task, namesOf(ordered(commands.filter((command) => command.task === task)))] as const,
  );
  return joined([
    `${paint("bold", "dispatch")} ${version}: the local control plane for Codex agent threads`,
    section("usage: dispatch <command> [arguments] [--flags]", rows, width).replaceAll(noBreak, " "),
    wrap(
      "dispatch help WORD explains a command, a section such as start, or a word such as receipt. dispatch help commands lists every command, dispatch help flags the flags that each of them takes.",
      width,
    ),
  ]);
}

/** A noun and its verbs stay on one line. */
const noBreak = "\u00a0";

/** `queue list|move`: the verbs of a noun behind it. */
function namesOf(commands: readonly Command[]): string {
  const nouns = Map.groupBy(commands, ({ meta }) => meta.name.split(" ", 1)[0]!);
  return [...nouns]
    .map(([noun, of]) => {
      const verbs = of.map(({ meta }) => meta.name.slice(noun.length + 1)).filter((verb) => verb !== "");
      const isNoun = of.every(({ meta }) => meta.name !== noun);
      return isNoun ? `${noun}${noBreak}${verbs.join("|")}` : noun;
    })
    .join(", ");
}

/** What `dispatch help WORD` says about a word that is no command. Undefined: nothing is known about it. */
export function wordHelp(word: string, commands: readonly Command[], width: number): string | undefined {
  const left = leftWidth(pairsOf(commands), width);
  if (Object.hasOwn(tasks, word)) return taskHelp(word as Task, commands, width, left);
  if (word === "commands")
    return joined((Object.keys(tasks) as Task[]).map((task) => taskHelp(task, commands, width, left)));
  if (word === "flags") return section("Flags of every command", globalPairs(), width);
  const known = [word, word.replace(/s$/, "")].find((one) => Object.hasOwn(glossary, one));
  return known === undefined
    ? undefined
    : `${paint("bold", known)}\n${wrap(glossary[known as keyof typeof glossary], width)}`;
}

/** Every word that `dispatch help` knows besides the commands. */
export const helpWords = [...Object.keys(tasks), "commands", "flags", ...Object.keys(glossary)];

function taskHelp(task: Task, commands: readonly Command[], width: number, left: number): string {
  const own = ordered(commands.filter((command) => command.task === task));
  return section(`${task}: ${tasks[task]}`, pairsOf(own), width, left);
}

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
  const { usage, about, positionals, flags, exits } = partsOf(op);
  return joined([
    `usage: ${usage}`,
    wrap(op.summary, width),
    ...about.map((text) => wrap(text, width)),
    section("Arguments", positionals, width),
    section("Flags", flags, width),
    section("Exit codes", exits, width),
    examples(op, width),
    "Flags of every command: dispatch help flags",
  ]);
}

/** What the help and the manual say of a command. */
export function partsOf(op: AnyOp) {
  const fields = fieldsOf(op);
  return {
    usage: usageOf(op.cli, fields),
    about: op.about ? [op.about] : [],
    positionals: fields
      .filter((field) => field.mark.arg)
      .map((field): Pair => [field.spelled, describe(field)]),
    flags: fields.flatMap(flagPairs),
    exits: exitPairs(op),
    examples: examplesOf(op),
  };
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
    "Flags of every command: dispatch help flags",
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

export function globalPairs(): Pair[] {
  return Object.entries(globalFlags as Record<string, GlobalFlag>).map(([name, flag]) => {
    const spelled = `--${flag.isNegative ? "no-" : ""}${name}`;
    return [flag.value ? `${spelled} ${flag.value}` : spelled, flag.description] as const;
  });
}

function exitPairs(op: AnyOp): Pair[] {
  return [["0", "done"] as const, ...failsOf(op).map((code) => [String(codes[code].exit), code] as const)];
}

function examples(op: AnyOp, width: number): string {
  const lines = examplesOf(op).map((command) => `  ${folded(command, width - 2)}`);
  return lines.length === 0 ? "" : `${paint("bold", "Examples")}\n${lines.join("\n")}`;
}

function examplesOf(op: AnyOp): string[] {
  const shown = op.examples.filter((example) => example.error === undefined);
  return [...new Set(shown.map((example) => spell(op, example.input)))];
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
