/** A schema's issue in plain words: the one translation for the command line, MCP, the socket and configuration files. */
import type * as v from "valibot";
import { limits } from "./limits.ts";
import { nearest } from "./nearest.ts";

type Issue = v.BaseIssue<unknown> & { requirement?: unknown };

/** Where the value is: `["policy", "rules", "0", "answer"]`; empty for the whole. */
export function keysOf(issue: Issue): string[] {
  return (issue.path ?? []).map((step) => String(step.key));
}

/** `name` is how the caller writes the place: `--limit`, `limit`, `policy.rules.0.answer`. */
export function issueText(issue: Issue, name: string): string {
  if (issue.path === undefined) return issue.message;
  if (isUnknownField(issue)) return unknownField(name);
  if (issue.received === "undefined") return `missing ${name}`;
  return `${name}: ${rule(issue)}`;
}

export function isUnknownField(issue: Issue): boolean {
  return issue.type === "strict_object" && issue.expected === "never";
}

/** `known`: the fields that there are; the nearest of them is offered. */
export function unknownField(name: string, known: Iterable<string> = []): string {
  const shown = cut(name);
  const near = nearest(shown.split(".").at(-1)!, known);
  return `unknown field ${JSON.stringify(shown)}${near === undefined ? "" : `; did you mean "${near}"?`}`;
}

/** A check that has words of ours keeps them; the words of the schema library name its own types. */
function rule(issue: Issue): string {
  if (!issue.message.startsWith("Invalid ")) return issue.message;
  const received = named(issue.received);
  const wanted = String(issue.requirement);
  switch (issue.type) {
    case "picklist":
      return choice(wordsOf(issue.expected), received);
    case "integer":
      return `must be a whole number, not ${received}`;
    case "min_value":
      return `must be at least ${wanted}, not ${received}`;
    case "max_value":
      return `must be at most ${wanted}, not ${received}`;
    case "min_length":
    case "non_empty":
      return `must not be ${issue.received === "0" ? "empty" : `shorter than ${wanted}`}`;
    case "max_length":
      return `must be at most ${wanted} long, not ${received}`;
    case "max_bytes":
      return `must be at most ${wanted} bytes, not ${received}`;
    default:
      return `must be ${wordsOf(issue.expected).map(named).join(" or ")}, not ${received}`;
  }
}

/** Of many words the nearest says more than all of them. */
function choice(words: readonly string[], received: string): string {
  if (words.length <= limits.error.choicesShownMax)
    return `must be one of ${words.join(", ")}, not ${received}`;
  const near = nearest(received.replaceAll('"', ""), words);
  return `${received} is none of its ${words.length} words${near === undefined ? "; --help lists them" : `; did you mean "${near}"?`}`;
}

/** `("a" | "b")` as its parts, without quotes. */
function wordsOf(expected: string | null): string[] {
  return String(expected).replace(/[()"]/g, "").split(" | ");
}

const articles: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  boolean: "a boolean",
  Array: "a list",
  Object: "an object",
};

function named(type: string): string {
  return Object.hasOwn(articles, type) ? articles[type]! : cut(type);
}

/** What was given may be anything, and of any length. */
function cut(text: string): string {
  return text.length > limits.error.valueCharsMax ? `${text.slice(0, limits.error.valueCharsMax)}…` : text;
}
