/** How an op can fail: what follows from its reach, its input and where it runs, and what its author adds. */
import type * as v from "valibot";
import { type Code, codes } from "../base/error.ts";
import { markOf, type Named } from "./fields.ts";
import type { AnyOp } from "./op.ts";

/** What a field may name that has to be there. */
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

/** In the order of their exit statuses. */
export function failsOf(op: AnyOp): Code[] {
  const all = new Set<Code>([...derivedFails(op), ...(op.fails ?? [])]);
  return [...all].sort((a, b) => codes[a].exit - codes[b].exit);
}

export function derivedFails(op: AnyOp): Set<Code> {
  // Any input may be wrong, and any command may be given a deadline.
  const fails = new Set<Code>(["usage", "timeout"]);
  const add = (...more: Code[]) => {
    for (const code of more) fails.add(code);
  };
  const marks = Object.values(op.input.entries).map((schema) => markOf(schema as v.GenericSchema));
  if (marks.some((mark) => mark.text)) add("too_large");
  if (marks.some((mark) => found.includes(mark.names))) add("not_found");
  if (op.asksCodex) add("agent_down", "agent");
  if (op.at === "client") return fails;
  add("daemon_down", "denied");
  // A daemon that has to be started opens the registry first.
  if (op.start !== "never") add("storage");
  // A write that is ended while it runs may be done.
  if (op.intent !== "read") add("unsure");
  return fails;
}
