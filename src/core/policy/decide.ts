/**
 * Decides who answers a request: the rules, the policy of the thread, that of the configuration, or a person. Pure; in
 * doubt a person.
 */

import type { Ruling } from "../../contract/words.ts";
import type { Lane, Request } from "../model/ports/rows.ts";
import { type IsInside, type Rule, type Rules, ruleReach } from "../model/ruling.ts";
import { beginsWith, mayBeginWith, parseCommand, runsAnother } from "./command.ts";

export interface PolicyDecision {
  ruling: Ruling;
  /** `policy rule 2`, `policy of the thread`, `policy`; null: a person answers. */
  by: string | null;
}

export type DecidableRequest = Pick<
  Request,
  "kind" | "command" | "cwd" | "asks" | "changes" | "inside_sandbox" | "missing_bytes"
>;
export type RequestingThread = Pick<Lane, "ref" | "thread_id" | "handle" | "named_by_agent"> & {
  requests: Ruling | null;
};

/** The actions of a command approval that are known. */
const actions: ReadonlySet<string | null> = new Set([null, "command", "humanCommand", "writeStdin"]);

/**
 * The first rule that matches decides; then the policy of the thread, then that of the configuration. A rule that does
 * not approve, and may match a command that cannot be read for certain, leaves a doubt: then nothing after it approves.
 */
export function decide(
  request: DecidableRequest,
  thread: RequestingThread,
  { requests, rules }: Rules,
  isInside: IsInside,
): PolicyDecision {
  let isDoubtful = false;
  for (const [at, rule] of rules.entries()) {
    const match = matches(rule, request, thread, isInside);
    if (match === "unsure" && rule.answer !== "approve") isDoubtful = true;
    if (match === "yes") return ruled(rule.answer, `policy rule ${at + 1}`, request, isDoubtful);
  }
  if (thread.requests !== null) return ruled(thread.requests, "policy of the thread", request, isDoubtful);
  return ruled(requests, "policy", request, isDoubtful);
}

const askPerson: PolicyDecision = { ruling: "ask", by: null };

function ruled(ruling: Ruling, by: string, request: DecidableRequest, isDoubtful: boolean): PolicyDecision {
  if (ruling === "ask") return askPerson;
  if (ruling === "approve" && (isDoubtful || !mayApprove(request))) return askPerson;
  return { ruling, by };
}

/**
 * False, so that a person decides: an unknown kind, a folder that is to stay writable, a file change without its files,
 * and a request that was too large to be kept whole.
 */
function mayApprove({ kind, asks, changes, missing_bytes }: DecidableRequest): boolean {
  if (ruleReach[kind] !== "approve" || asks === null || asks.grant_root !== null || missing_bytes > 0)
    return false;
  if (kind === "file_change_approval" && changes === null) return false;
  return kind !== "command_approval" || actions.has(asks.action);
}

type Match = "yes" | "no" | "unsure";

function matches(rule: Rule, request: DecidableRequest, thread: RequestingThread, isInside: IsInside): Match {
  if (rule.kind !== undefined && rule.kind !== request.kind) return "no";
  if (!matchesSandbox(rule, request)) return "no";
  const threadMatch = rule.thread === undefined ? "yes" : matchesThread(rule.thread, thread);
  const cwdMatch = rule.cwd === undefined ? "yes" : matchesFolder(rule.cwd, rule, request, isInside);
  const commandMatch = rule.command === undefined ? "yes" : matchesCommand(rule.command, rule, request);
  const all = [threadMatch, cwdMatch, commandMatch];
  return all.includes("no") ? "no" : all.includes("unsure") ? "unsure" : "yes";
}

/**
 * A rule approves outside the sandbox only with `outside_sandbox`. A rule for MCP tools needs no such word: they run
 * only there.
 */
function matchesSandbox(
  { kind, answer, outside_sandbox }: Rule,
  { inside_sandbox }: DecidableRequest,
): boolean {
  if (answer !== "approve") return outside_sandbox === undefined || outside_sandbox !== inside_sandbox;
  return inside_sandbox || outside_sandbox === true || kind === "mcp_tool_approval";
}

/** A handle that an agent gave may be meant for another thread: it never matches, and leaves a denial in doubt. */
function matchesThread(word: string, { ref, thread_id, handle, named_by_agent }: RequestingThread): Match {
  if (word === ref || word === thread_id) return "yes";
  if (handle === null || word !== `@${handle}`) return "no";
  return named_by_agent ? "unsure" : "yes";
}

/** An approval needs every file of the patch to be there; any other answer needs one file to be there. */
function matchesFolder(
  root: string,
  { answer }: Rule,
  { kind, cwd, changes }: DecidableRequest,
  isInside: IsInside,
): Match {
  if (kind !== "file_change_approval") return isWithin(cwd, root, isInside);
  if (changes === null || changes.length === 0) return "unsure";
  const found = changes.flatMap(({ path, to }) =>
    [path, to ?? path].map((file) => isWithin(file, root, isInside)),
  );
  const [decides, others] = answer === "approve" ? (["no", "yes"] as const) : (["yes", "no"] as const);
  if (found.includes(decides)) return decides;
  return found.includes("unsure") ? "unsure" : others;
}

function isWithin(cwd: string | null, root: string, isInside: IsInside): Match {
  if (cwd === null || !cwd.startsWith("/") || cwd.split("/").includes("..")) return "unsure";
  return isInside(cwd, root) ? "yes" : "no";
}

/** A rule that names a command is about commands, unless its kind is MCP tools. */
function matchesCommand(prefix: readonly string[], { kind, answer }: Rule, request: DecidableRequest): Match {
  const { asks, command } = request;
  if (kind === "mcp_tool_approval") {
    if (!asks?.tool) return "unsure";
    return beginsWith([asks.tool.server ?? "", asks.tool.name], prefix) ? "yes" : "no";
  }
  if (request.kind !== "command_approval") return "no";
  const words = command === null ? undefined : parseCommand(command);
  if (!words) return "unsure";
  const isRunner = runsAnother(words);
  // `sudo rm x` may match a rule about rm, and so may `/bin/rm x`.
  if (!beginsWith(words, prefix)) return isRunner || mayBeginWith(words, prefix) ? "unsure" : "no";
  // A denial of `sudo` holds for whatever it runs; an approval would be for words that the rule does not name.
  if (isRunner && answer === "approve") return "unsure";
  // Not plain: input for a running command, or rights or a network that the rule does not name.
  const isPlain =
    asks !== null && (asks.action ?? "command") === "command" && !asks.permissions && !asks.network;
  return isPlain ? "yes" : "unsure";
}
