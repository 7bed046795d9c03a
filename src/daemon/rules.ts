/** The schema of `[policy] requests` and `[[policy.rules]]`, and their form for core. */

import * as v from "valibot";
import { requestKinds, rulings } from "../contract/words.ts";
import { type Rules, ruleReach } from "../core/model/ruling.ts";
import { parseCommand, runsAnother } from "../core/policy/command.ts";

const kinds = requestKinds.filter((kind) => ruleReach[kind] !== null);

const rule = v.pipe(
  v.strictObject({
    kind: v.optional(v.picklist(kinds)),
    command: v.optional(
      v.pipe(
        v.string(),
        v.check(
          (line) => (parseCommand(line)?.length ?? 0) > 0,
          "must be plain words, without characters that a shell interprets",
        ),
      ),
    ),
    cwd: v.optional(
      v.pipe(
        v.string(),
        v.regex(/^\//, "must be an absolute path"),
        v.check((path) => !path.split("/").includes(".."), "must not contain .."),
      ),
    ),
    thread: v.optional(v.pipe(v.string(), v.nonEmpty())),
    outside_sandbox: v.optional(v.boolean()),
    answer: v.picklist(rulings),
  }),
  v.check(
    ({ command, kind }) =>
      command === undefined ||
      kind === undefined ||
      kind === "command_approval" ||
      kind === "mcp_tool_approval",
    "command is only allowed with the kinds command_approval and mcp_tool_approval",
  ),
  v.check(
    ({ command, kind, answer }) =>
      command === undefined ||
      kind === "mcp_tool_approval" ||
      answer !== "approve" ||
      !runsAnother(parseCommand(command) ?? []),
    "a command that runs another command cannot be approved by a rule; use ask or deny",
  ),
  v.check(
    ({ kind, answer }) => answer !== "approve" || kind === undefined || ruleReach[kind] === "approve",
    "a question to the person cannot be approved by a rule; use ask or deny",
  ),
);

export const ruleFields = {
  requests: v.optional(v.picklist(rulings), "ask"),
  rules: v.optional(v.array(rule), []),
};

const written = v.object(ruleFields);

export function rulesOf({ requests, rules }: v.InferOutput<typeof written>): Rules {
  const words = (line: string | undefined) => (line === undefined ? undefined : parseCommand(line));
  return { requests, rules: rules.map((entry) => ({ ...entry, command: words(entry.command) })) };
}
