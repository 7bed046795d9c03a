/** Every kind of question against every kind of answer: what goes to Codex, and what is refused before. */

import { describe, expect, test } from "bun:test";
import { DispatchError } from "../../../src/base/error.ts";
import { decisions, type RequestKind } from "../../../src/contract/words.ts";
import type { Answer } from "../../../src/core/model/answer.ts";
import type { Question, RequestDetails } from "../../../src/core/model/ports/request.ts";
import { type Answerable, optionsOf, resultOf } from "../../../src/core/requests/reply.ts";
import { nothingAsked } from "../../world/model.ts";

const request = (kind: RequestKind, asks: Partial<RequestDetails> = {}, method = "m"): Answerable => ({
  id: "r",
  kind,
  method,
  asks: { ...nothingAsked, ...asks },
});

const question = (over: Partial<Question> = {}): Question => ({
  id: "q1",
  header: "",
  question: "Which?",
  options: [
    { label: "A", description: "" },
    { label: "B", description: "" },
  ],
  is_other: false,
  is_secret: false,
  ...over,
});

const form = (properties: Record<string, unknown>, required: string[] = []) =>
  request("elicitation", {
    form: {
      mode: "form",
      server: "s",
      message: "m",
      url: null,
      schema: { type: "object", properties, required },
    },
  });

const page = request("elicitation", {
  form: { mode: "url", server: "s", message: "m", url: "https://x", schema: null },
});
const unknownForm = request("elicitation", {
  form: { mode: "x", server: "s", message: "m", url: null, schema: null },
});
const person = {
  type: "object",
  properties: { name: { type: "string", minLength: 2 }, age: { type: "integer" } },
};
const tool = { server: "echo", name: "echo", description: null, arguments: {} };
const permissions = { network: { enabled: true }, fileSystem: null };

function refused(one: Answerable, given: Answer): string {
  try {
    resultOf(one, given);
  } catch (thrown) {
    if (thrown instanceof DispatchError && thrown.code === "usage") return thrown.message;
    throw thrown;
  }
  throw new Error("it was taken");
}

const said: [what: string, one: Answerable, given: Answer, result: unknown][] = [
  [
    "a command",
    request("command_approval"),
    { decision: "approve_for_session" },
    { decision: "acceptForSession" },
  ],
  ["a file change", request("file_change_approval"), { decision: "cancel" }, { decision: "cancel" }],
  [
    "the first protocol",
    request("command_approval", {}, "execCommandApproval"),
    { decision: "approve" },
    { decision: "approved" },
  ],
  [
    "permissions, as they were asked",
    request("permissions_approval", { permissions }),
    { decision: "approve" },
    { permissions: { network: { enabled: true } }, scope: "turn" },
  ],
  [
    "permissions for the session",
    request("permissions_approval", { permissions }),
    { decision: "approve_for_session" },
    { permissions: { network: { enabled: true } }, scope: "session" },
  ],
  [
    "no permissions",
    request("permissions_approval", { permissions }),
    { decision: "deny" },
    { permissions: {}, scope: "turn" },
  ],
  [
    "a tool",
    request("mcp_tool_approval", { tool }),
    { decision: "approve" },
    { action: "accept", content: {}, _meta: null },
  ],
  [
    "a tool for the session",
    request("mcp_tool_approval", { tool, may_persist: true }),
    { decision: "approve_for_session" },
    { action: "accept", content: {}, _meta: { persist: "session" } },
  ],
  [
    "no tool",
    request("mcp_tool_approval", { tool }),
    { decision: "deny" },
    { action: "decline", content: null, _meta: null },
  ],
  ["a page", page, { decision: "approve" }, { action: "accept", content: {}, _meta: null }],
  ["no form", form({ name: {} }), { decision: "cancel" }, { action: "cancel", content: null, _meta: null }],
  [
    "a form",
    form(person.properties, ["name"]),
    { answer: { name: "Al", age: 3 } },
    { action: "accept", content: { name: "Al", age: 3 }, _meta: null },
  ],
  [
    "a form of one field",
    form({ age: { type: "integer" } }),
    { reply: "41" },
    { action: "accept", content: { age: 41 }, _meta: null },
  ],
  [
    "one question",
    request("user_input", { questions: [question()] }),
    { reply: "A" },
    { answers: { q1: { answers: ["A"] } } },
  ],
  ["no answer", request("user_input", { questions: [question()] }), { decision: "deny" }, { answers: {} }],
  [
    "several answers",
    request("user_input", { questions: [question(), question({ id: "q2", options: null })] }),
    { answer: { q1: ["A", "B"], q2: "free" } },
    { answers: { q1: { answers: ["A", "B"] }, q2: { answers: ["free"] } } },
  ],
  [
    "Codex's own shape",
    request("user_input", { questions: [question({ is_other: true })] }),
    { answer: { answers: { q1: { answers: ["else"] } } } },
    { answers: { q1: { answers: ["else"] } } },
  ],
];

describe("what is sent to Codex", () => {
  for (const [what, one, given, result] of said) {
    test(`${what}: ${JSON.stringify(given)}`, () =>
      expect(resultOf(one, given)).toEqual(result as Record<string, unknown>));
  }
});

const unfit: [what: string, one: Answerable, given: Answer, words: string][] = [
  [
    "a question is not approved",
    request("user_input", { questions: [question()] }),
    { decision: "approve" },
    "--reply, --answer, --deny",
  ],
  [
    "a tool that Codex asks of every time",
    request("mcp_tool_approval", { tool }),
    { decision: "approve_for_session" },
    "--approve, --deny, --cancel",
  ],
  [
    "a form is not approved",
    form({ name: {} }),
    { decision: "approve" },
    "--reply, --answer, --deny, --cancel",
  ],
  ["a form dispatch does not know", unknownForm, { answer: {} }, "--deny, --cancel"],
  [
    "two questions take no one text",
    request("user_input", { questions: [question(), question({ id: "q2" })] }),
    { reply: "A" },
    "--answer, --deny",
  ],
  ["no such option", request("user_input", { questions: [question()] }), { reply: "C" }, "one of A, B"],
  [
    "no such question",
    request("user_input", { questions: [question()] }),
    { answer: { q1: "A", q9: "B" } },
    '"q9"',
  ],
  [
    "a question left out",
    request("user_input", { questions: [question(), question({ id: "q2" })] }),
    { answer: { q1: "A" } },
    "no answer to q2",
  ],
  [
    "not a text",
    request("user_input", { questions: [question()] }),
    { answer: { q1: 1 } },
    "a text or a list",
  ],
  ["no object", request("user_input", { questions: [question()] }), { answer: ["A"] }, "JSON object"],
  [
    "a word of every object",
    request("user_input", { questions: [question({ id: "constructor" })] }),
    { answer: {} },
    "no answer to constructor",
  ],
  [
    "a required field left out",
    form(person.properties, ["name"]),
    { answer: { age: 3 } },
    "no answer to name",
  ],
  ["a field that is not there", form(person.properties), { answer: { nome: "Al" } }, '"nome"'],
  ["a field of another type", form(person.properties), { answer: { age: 1.5 } }, "age must be a integer"],
  ["a field too short", form(person.properties), { answer: { name: "A" } }, "at least 2"],
  [
    "no such choice",
    form({ color: { type: "string", enum: ["red"] }, x: {} }),
    { answer: { color: "blue" } },
    "one of red",
  ],
  [
    "no such titled choice",
    form({ color: { type: "array", items: { anyOf: [{ const: "red", title: "Red" }] } }, x: {} }),
    { answer: { color: ["blue"] } },
    "one of red",
  ],
];

describe("what does not fit is refused, naming what does", () => {
  for (const [what, one, given, words] of unfit) {
    test(what, () => expect(refused(one, given)).toContain(words));
  }
});

test("what is offered is taken, and a word that is not offered never is", () => {
  const all = [...said, ...unfit].map(([, one]) => one);
  for (const one of [
    ...all,
    request("tool_call"),
    request("other"),
    { ...request("user_input"), asks: null },
  ]) {
    const options = optionsOf(one);
    for (const decision of decisions) {
      if (options.includes(decision)) expect(resultOf(one, { decision })).toBeObject();
      else expect(refused(one, { decision })).toContain("takes");
    }
  }
});
