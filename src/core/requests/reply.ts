/** The answers that each kind of request takes, and how they are sent to Codex. */

import { flagOf } from "../../base/decisions.ts";
import { fail } from "../../base/error.ts";
import { type Decision, decisions, type RequestKind } from "../../contract/words.ts";
import type { Answer } from "../model/answer.ts";
import type { RequestFacts } from "../model/ports/request.ts";
import type { Request } from "../model/ports/rows.ts";
import { answersTo, contentFor, fieldsOf, onlyAnswer, onlyContent } from "./form.ts";

export type Option = Decision | "answer" | "reply";

type Json = Record<string, unknown>;
export type Answerable = Pick<Request, "id" | "kind" | "method" | "asks">;

/** In the order in which they are offered. Empty: dispatch refuses the request at once. */
export function optionsOf({ kind, asks }: Pick<Request, "kind" | "asks">): readonly Option[] {
  switch (kind) {
    case "command_approval":
    case "file_change_approval":
      return decisions;
    case "permissions_approval":
      return asks?.permissions ? ["approve", "approve_for_session", "deny"] : ["deny"];
    case "mcp_tool_approval":
      // Without its arguments it is not known what the tool would do.
      if (asks === null) return ["deny", "cancel"];
      return asks.may_persist ? decisions : ["approve", "deny", "cancel"];
    case "user_input": {
      const count = asks?.questions?.length ?? 0;
      return count === 0 ? ["deny"] : count === 1 ? ["reply", "answer", "deny"] : ["answer", "deny"];
    }
    case "elicitation":
      return [...formOptions(asks), "deny", "cancel"];
    case "tool_call":
    case "current_time":
    case "other":
      return [];
  }
}

/**
 * A page to visit, or a form without fields, can be approved. A form that dispatch does not know can only be declined.
 */
function formOptions(asks: Request["asks"]): Option[] {
  const form = asks?.form;
  if (form?.mode === "url") return ["approve"];
  const fields = form?.schema ? fieldsOf(form.schema) : undefined;
  if (!fields) return [];
  if (fields.length === 0) return ["approve"];
  return fields.length === 1 ? ["reply", "answer"] : ["answer"];
}

/** The result for Codex. Throws `usage`: the kind does not take this option, or the answer does not fit. */
export function resultOf(request: Answerable, given: Answer): Json {
  const option: Option = "decision" in given ? given.decision : "answer" in given ? "answer" : "reply";
  const options = optionsOf(request);
  if (!options.includes(option)) {
    fail(
      "usage",
      `a ${request.kind} takes ${options.map(flagOf).join(", ") || "no answer"}, not ${flagOf(option)}`,
      { hint: `dispatch request get ${request.id}` },
    );
  }
  if ("decision" in given) return decided(request, given.decision);
  const { questions, form } = request.asks!;
  if (content[request.kind] === "questions") {
    const answers =
      "reply" in given ? onlyAnswer(questions!, given.reply) : answersTo(questions!, given.answer);
    return {
      answers: Object.fromEntries(Object.entries(answers).map(([id, words]) => [id, { answers: words }])),
    };
  }
  const schema = form!.schema!;
  const filled = "reply" in given ? onlyContent(schema, given.reply) : contentFor(schema, given.answer);
  return { action: "accept", content: filled, _meta: null };
}

/** What an answer with content fills in: of the other kinds `optionsOf` offers none. */
const content: Record<RequestKind, "questions" | "form" | null> = {
  command_approval: null,
  file_change_approval: null,
  permissions_approval: null,
  mcp_tool_approval: null,
  user_input: "questions",
  elicitation: "form",
  tool_call: null,
  current_time: null,
  other: null,
};

function decided({ kind, method, asks }: Answerable, decision: Decision): Json {
  switch (kind) {
    case "permissions_approval": {
      const isGranted = decision !== "deny";
      const granted = Object.entries(asks?.permissions ?? {}).filter(([, value]) => value !== null);
      return {
        permissions: isGranted ? Object.fromEntries(granted) : {},
        scope: decision === "approve_for_session" ? "session" : "turn",
      };
    }
    case "mcp_tool_approval":
    case "elicitation":
      return {
        action: actions[decision],
        content: actions[decision] === "accept" ? {} : null,
        // With this, Codex sends no more requests for this tool in this session (facts F45).
        _meta: decision === "approve_for_session" ? { persist: "session" } : null,
      };
    // An empty answer is the only denial; an error reads the same to the model (facts F46).
    case "user_input":
      return { answers: {} };
    case "command_approval":
    case "file_change_approval":
    case "tool_call":
    case "current_time":
    case "other":
      return { decision: (firstProtocol.has(method) ? reviewDecisions : decisionWords)[decision] };
  }
}

const actions: Record<Decision, "accept" | "decline" | "cancel"> = {
  approve: "accept",
  approve_for_session: "accept",
  deny: "decline",
  cancel: "cancel",
};

const decisionWords: Record<Decision, string> = {
  approve: "accept",
  approve_for_session: "acceptForSession",
  deny: "decline",
  cancel: "cancel",
};

const firstProtocol: ReadonlySet<string> = new Set(["execCommandApproval", "applyPatchApproval"]);

const reviewDecisions: Record<Decision, unknown> = {
  approve: "approved",
  approve_for_session: "approved_for_session",
  deny: { denied: { rejection: "declined" } },
  cancel: "abort",
};

/**
 * The reply to a request that dispatch cannot answer. An error makes the item fail, and the turn goes on (facts F47).
 */
export function refusalReply({
  kind,
  method,
}: Pick<RequestFacts, "kind" | "method">): { result: Json } | { error: { code: number; message: string } } {
  if (kind === "elicitation" || kind === "mcp_tool_approval")
    return { result: { action: "decline", content: null, _meta: null } };
  if (kind === "tool_call") {
    const contentItems = [{ type: "inputText", text: "dispatch offers no such tool" }];
    return { result: { success: false, contentItems } };
  }
  return { error: { code: -32601, message: `dispatch does not answer ${method}` } };
}
