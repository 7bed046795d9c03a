/** Rewrites what a hint or a message says for a shell as the calls and arguments of MCP: `--queue` is `queue: true`. */
import { limits } from "../../base/limits.ts";
import { markOf, typeOf } from "../../ops/fields.ts";
import type { AnyOp, IndexRow } from "../../ops/op.ts";
import { kebab } from "../cli/args.ts";
import { isOffered, toolNameOf, wordOf } from "./tools.ts";

type Fields = AnyOp["input"]["entries"];

export interface Speller {
  index: readonly IndexRow[];
  isFlat: boolean;
}

/** `fields`: those that the text may name as flags without a command. */
export async function spellForMcp(text: string, speller: Speller, fields: Fields = {}): Promise<string> {
  if (text.length > limits.mcp.hintCharsMax) return text;
  const parts: string[] = [];
  let at = 0;
  for (const { index } of text.matchAll(/\bdispatch (?=[a-z-])/g)) {
    if (index < at) continue;
    const command = await commandAt(text.slice(index), speller);
    if (!command) continue;
    parts.push(withFlags(text.slice(at, index), fields), command.spelled);
    at = index + command.length;
  }
  return parts.join("") + withFlags(text.slice(at), fields);
}

/** The command at the start of the text, and how many characters of it are the command. */
async function commandAt(
  text: string,
  { index, isFlat }: Speller,
): Promise<{ spelled: string; length: number } | undefined> {
  const words = text.split(" ", 3).slice(1);
  const bare = words.map((word) => word.replace(/[^a-z-].*$/, ""));
  const row =
    index.find(({ cli }) => cli === `${bare[0]} ${bare[1]}`) ?? index.find(({ cli }) => cli === bare[0]);
  if (!row) return undefined;
  const name = `dispatch ${row.cli}`;
  if (!isOffered(row)) return { spelled: `${name} (in a shell)`, length: name.length };
  const op = (await row.load()).default;
  const given = argumentsIn(text.slice(name.length), op);
  const args = { ...(isFlat ? {} : { op: wordOf(row) }), ...given.args };
  const listed = Object.entries(args).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  const list = listed.length > 0 ? ` {${listed.join(", ")}}` : "";
  return { spelled: `${toolNameOf(row, isFlat)}${list}`, length: name.length + given.length };
}

const argumentWord = /^ ("[^"]*"|'[^']*'|[^\s,;(]*[^\s,;:.()])/;

/** Reads the arguments as far as they fit the op. The words after them are the rest of the sentence. */
function argumentsIn(text: string, op: AnyOp): { args: Record<string, unknown>; length: number } {
  const args: Record<string, unknown> = {};
  const fields = Object.entries(op.input.entries) as [string, Parameters<typeof typeOf>[0]][];
  const places = fields.filter(([, schema]) => markOf(schema).arg);
  let length = 0;
  for (;;) {
    const token = argumentWord.exec(text.slice(length));
    if (!token) return { args, length };
    const flag = /^--(no-)?([a-z-]+)(?:=(.*))?$/.exec(token[1]!);
    if (!flag) {
      // A plain word is more likely the next word of the sentence, unless only a word can be meant.
      const place = /^[a-z]+$/.test(token[1]!) && token[1] !== "self" ? undefined : places.shift();
      if (!place) return { args, length };
      const value = unquoted(token[1]!);
      args[place[0]] = typeOf(place[1]) === "list" ? [value] : numbered(value, typeOf(place[1]));
      length += token[0].length;
      continue;
    }
    if (flag[2] === "help") return { args, length: length + token[0].length };
    const field = fields.find(([name]) => kebab(name) === flag[2]);
    if (!field) return { args, length };
    length += token[0].length;
    const type = typeOf(field[1]);
    if (type === "boolean" || (type === "option" && flag[3] === undefined)) {
      args[field[0]] = flag[1] === undefined;
      continue;
    }
    const next = argumentWord.exec(text.slice(length));
    const value = flag[3] ?? next?.[1];
    if (flag[3] === undefined && next) length += next[0].length;
    args[field[0]] = type === "list" ? [unquoted(value ?? "")] : numbered(unquoted(value ?? ""), type);
  }
}

const unquoted = (word: string) => word.replace(/^(["'])(.*)\1$/, "$2");

const numbered = (word: string, type: string): unknown =>
  type === "number" && /^\d+$/.test(word) ? Number(word) : word;

/** Flags outside a command: of the op itself, or of whichever op the reader is at. */
function withFlags(text: string, fields: Fields): string {
  return text.replace(
    /--(no-)?([a-z][a-z-]*[a-z])(?:=([^\s,;]+)| (@?[A-Z]{2,}|@[\w-]+|\d+|"[^"]*"|'[^']*'))?/g,
    (_all, no: string | undefined, flag: string, inline?: string, next?: string) => {
      const name = flag.replaceAll("-", "_");
      const schema = fields[name] as Parameters<typeof typeOf>[0] | undefined;
      const value = inline ?? next;
      if (no) return `${name}: false`;
      const isSwitch = schema === undefined ? value === undefined : typeOf(schema) === "boolean";
      if (isSwitch) return `${name}: true${value === undefined ? "" : ` ${value}`}`;
      return value === undefined ? name : `${name}: ${value}`;
    },
  );
}
