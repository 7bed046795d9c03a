/** `[policy] requests` and `[[policy.rules]]` as they are written, and what core makes of them. */

import * as v from "valibot";
import { type RequestKind, rulings } from "../contract/words.ts";
import type { Rules } from "../core/model/ruling.ts";
import { parseCommand, runsAnother } from "../core/policy/command.ts";

/** What may be asked with a row of its own. What is not here is never named by a rule, so never approved by one. */
const kinds = [
  "command_approval",
  "file_change_approval",
  "permissions_approval",
  "mcp_tool_approval",
  "user_input",
  "elicitation",
] as const satisfies readonly RequestKind[];

const rule = v.pipe(
  v.strictObject({
    kind: v.optional(v.picklist(kinds)),
    command: v.optional(
      v.pipe(
        v.string(),
        v.check(
          (line) => (parseCommand(line)?.length ?? 0) > 0,
          "must be plain words, nothing that a shell would act on",
        ),
      ),
    ),
    cwd: v.optional(
      v.pipe(
        v.string(),
        v.regex(/^\//, "must be an absolute path"),
        v.check((path) => !path.split("/").includes(".."), "must not hold .."),
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
    "a command is only of a command_approval or an mcp_tool_approval",
  ),
  v.check(
    ({ command, kind, answer }) =>
      command === undefined ||
      kind === "mcp_tool_approval" ||
      answer !== "approve" ||
      !runsAnother(parseCommand(command) ?? []),
    "what runs another command cannot be approved by its words; it can be asked or denied",
  ),
  v.check(
    ({ kind, answer }) => answer !== "approve" || (kind !== "user_input" && kind !== "elicitation"),
    "what a person is to fill in cannot be approved; it can be asked or denied",
  ),
);

export const ruleFields = {
  requests: v.optional(v.picklist(rulings), "ask"),
  rules: v.optional(v.array(rule), []),
};

const written = v.object(ruleFields);

export function rulesOf({ requests, rules }: v.InferOutput<typeof written>): Rules {
  const words = (line: string | undefined) => (line === undefined ? undefined : parseCommand(line));
  return { requests, rules: rules.map((one) => ({ ...one, command: words(one.command) })) };
}
