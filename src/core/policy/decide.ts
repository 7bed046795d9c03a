/** Who answers a question: the rules, the thread's own policy, the configuration's, or a person. Pure; when in doubt it asks. */

import type { RequestKind, Ruling } from "../../contract/words.ts";
import type { Lane, Request } from "../model/ports/rows.ts";
import type { IsInside, Rule, Rules } from "../model/ruling.ts";
import { beginsWith, mayBeginWith, parseCommand, runsAnother } from "./command.ts";

export interface Ruled {
  ruling: Ruling;
  /** `policy rule 2`, `policy of the thread`, `policy`; null where a person is asked without any of them. */
  by: string | null;
}

export type Judged = Pick<
  Request,
  "kind" | "command" | "cwd" | "asks" | "changes" | "inside_sandbox" | "missing_bytes"
>;
export type Asker = Pick<Lane, "ref" | "thread_id" | "handle" | "named_by_agent"> & {
  requests: Ruling | null;
};

/** What a yes is enough of an answer for. Of what is not listed, nothing is ever approved by a rule. */
const approvable: ReadonlySet<RequestKind> = new Set([
  "command_approval",
  "file_change_approval",
  "permissions_approval",
  "mcp_tool_approval",
]);

/** What Codex is known to ask for as a command. */
const actions: ReadonlySet<string | null> = new Set([null, "command", "humanCommand", "writeStdin"]);

/**
 * The first rule that matches decides; then the thread's own policy, then the configuration's. A rule that would have
 * said no, of a command that cannot be read surely, leaves a doubt: then nothing after it approves.
 */
export function decide(asked: Judged, asker: Asker, { requests, rules }: Rules, isInside: IsInside): Ruled {
  let isDoubtful = false;
  for (const [at, rule] of rules.entries()) {
    const match = matches(rule, asked, asker, isInside);
    if (match === "unsure" && rule.answer !== "approve") isDoubtful = true;
    if (match === "yes") return ruled(rule.answer, `policy rule ${at + 1}`, asked, isDoubtful);
  }
  if (asker.requests !== null) return ruled(asker.requests, "policy of the thread", asked, isDoubtful);
  return ruled(requests, "policy", asked, isDoubtful);
}

const asks: Ruled = { ruling: "ask", by: null };

function ruled(ruling: Ruling, by: string, asked: Judged, isDoubtful: boolean): Ruled {
  if (ruling === "ask") return asks;
  if (ruling === "approve" && (isDoubtful || !mayApprove(asked))) return asks;
  return { ruling, by };
}

/**
 * What is left is a person's: an unknown kind, a folder that is to stay writable, a file change without its files, what
 * was too large to be kept whole.
 */
function mayApprove({ kind, asks, changes, missing_bytes }: Judged): boolean {
  if (!approvable.has(kind) || asks === null || asks.grant_root !== null || missing_bytes > 0) return false;
  if (kind === "file_change_approval" && changes === null) return false;
  return kind !== "command_approval" || actions.has(asks.action);
}

type Match = "yes" | "no" | "unsure";

function matches(rule: Rule, asked: Judged, asker: Asker, isInside: IsInside): Match {
  if (rule.kind !== undefined && rule.kind !== asked.kind) return "no";
  if (!isOfSandbox(rule, asked)) return "no";
  const thread = rule.thread === undefined ? "yes" : isThread(rule.thread, asker);
  const cwd = rule.cwd === undefined ? "yes" : isPlace(rule.cwd, rule, asked, isInside);
  const command = rule.command === undefined ? "yes" : isCommand(rule.command, rule, asked);
  const all = [thread, cwd, command];
  return all.includes("no") ? "no" : all.includes("unsure") ? "unsure" : "yes";
}

/** A rule approves outside the sandbox only where it says so. One for MCP tools does: they run nowhere else. */
function isOfSandbox({ kind, answer, outside_sandbox }: Rule, { inside_sandbox }: Judged): boolean {
  if (answer !== "approve") return outside_sandbox === undefined || outside_sandbox !== inside_sandbox;
  return inside_sandbox || outside_sandbox === true || kind === "mcp_tool_approval";
}

/** A handle that an agent gave may be another's by right: it is never a match, and leaves a no in doubt. */
function isThread(word: string, { ref, thread_id, handle, named_by_agent }: Asker): Match {
  if (word === ref || word === thread_id) return "yes";
  if (handle === null || word !== `@${handle}`) return "no";
  return named_by_agent ? "unsure" : "yes";
}

/** A yes is for a patch whose every file is there; any other answer, for one that has a file there. */
function isPlace(root: string, { answer }: Rule, { kind, cwd, changes }: Judged, isInside: IsInside): Match {
  if (kind !== "file_change_approval") return isWithin(cwd, root, isInside);
  if (changes === null || changes.length === 0) return "unsure";
  const found = changes.flatMap(({ path, to }) =>
    [path, to ?? path].map((one) => isWithin(one, root, isInside)),
  );
  const [decides, others] = answer === "approve" ? (["no", "yes"] as const) : (["yes", "no"] as const);
  if (found.includes(decides)) return decides;
  return found.includes("unsure") ? "unsure" : others;
}

function isWithin(cwd: string | null, root: string, isInside: IsInside): Match {
  if (cwd === null || !cwd.startsWith("/") || cwd.split("/").includes("..")) return "unsure";
  return isInside(cwd, root) ? "yes" : "no";
}

/** A rule that names a command is about commands, unless it says that it is about MCP tools. */
function isCommand(prefix: readonly string[], { kind, answer }: Rule, asked: Judged): Match {
  const { asks, command } = asked;
  if (kind === "mcp_tool_approval") {
    if (!asks?.tool) return "unsure";
    return beginsWith([asks.tool.server ?? "", asks.tool.name], prefix) ? "yes" : "no";
  }
  if (asked.kind !== "command_approval") return "no";
  const words = command === null ? undefined : parseCommand(command);
  if (!words) return "unsure";
  const isRunner = runsAnother(words);
  // `sudo rm x` is no sure miss for a rule about rm, nor is `/bin/rm x`.
  if (!beginsWith(words, prefix)) return isRunner || mayBeginWith(words, prefix) ? "unsure" : "no";
  // Whatever it runs, a no for `sudo` is one; a yes would be for words that the rule does not name.
  if (isRunner && answer === "approve") return "unsure";
  // The same words with more than them: input for what runs already, rights or a network that the rule does not name.
  const isPlain =
    asks !== null && (asks.action ?? "command") === "command" && !asks.permissions && !asks.network;
  return isPlain ? "yes" : "unsure";
}
