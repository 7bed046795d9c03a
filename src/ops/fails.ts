/** The error codes of an op: those that follow from its definition, and those that its author adds. */
import type * as v from "valibot";
import { type Code, codes } from "../base/error.ts";
import { markOf, type Named } from "./fields.ts";
import type { AnyOp } from "./op.ts";

/** Kinds of things whose names can be wrong: a field that names one adds `not_found`. */
const found: readonly (Named | undefined)[] = [
  "thread",
  "archived",
  "stranger",
  "receipt",
  "queued",
  "unsure",
  "request",
  "trigger",
  "subscription",
  "inbox",
];

/** All codes of the op, by exit status. */
export function failsOf(op: AnyOp): Code[] {
  const all = new Set<Code>([...derivedFails(op), ...(op.fails ?? [])]);
  return [...all].sort((a, b) => codes[a].exit - codes[b].exit);
}

/** The codes that follow from the op's input, intent, `at`, `start` and `asksCodex`. */
export function derivedFails(op: AnyOp): Set<Code> {
  // Any input may be wrong, and any command may have a deadline.
  const fails = new Set<Code>(["usage", "timeout"]);
  const add = (...more: Code[]) => {
    for (const code of more) fails.add(code);
  };
  const marks = Object.values(op.input.entries).map((schema) => markOf(schema as v.GenericSchema));
  if (marks.some((mark) => mark.text)) add("too_large");
  if (marks.some((mark) => found.includes(mark.names))) add("not_found");
  if (op.asksCodex) add("agent_down", "agent");
  if (op.at === "client") return fails;
  // Any of these may be called on another machine.
  add("daemon_down", "denied", "host_down");
  // Starting the daemon opens the registry.
  if (op.start !== "never") add("storage");
  // A write that is cut off while it runs may have been done.
  if (op.intent !== "read") add("unsure");
  return fails;
}
