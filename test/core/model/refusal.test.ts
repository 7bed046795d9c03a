import { expect, test } from "bun:test";
import { type Code, DispatchError } from "../../../src/base/error.ts";
import type { Refusal } from "../../../src/core/model/ports/agent.ts";
import { isFinal } from "../../../src/core/model/refusal.ts";

const refused = (reason: Refusal, code: Code = "agent") =>
  new DispatchError(code, "no", { data: { reason } });

test.each<[Refusal, boolean]>([
  ["other", true],
  ["too_large", true],
  ["bad_thread_id", true],
  ["switched_off", true],
  ["archived", true],
  ["overloaded", false],
  ["active_writer", false],
  ["no_rollout", false],
  ["not_loaded", false],
  ["no_active_turn", false],
  ["turn_mismatch", false],
])("that Codex refuses as %s is final: %p", (reason, expected) => {
  expect(isFinal(refused(reason))).toBe(expected);
});

test.each<[Code, boolean]>([
  ["usage", true],
  ["denied", true],
  ["conflict", true],
  ["too_large", true],
  ["timeout", false],
  ["agent_down", false],
  ["storage", false],
])("that our own side refuses with %s is final: %p", (code, expected) => {
  expect(isFinal(new DispatchError(code, "no"))).toBe(expected);
});

test("a refusal about what the user named is final, and a bug is no refusal", () => {
  expect(isFinal(refused("other", "not_found"))).toBe(true);
  expect(isFinal(new Error("a bug"))).toBe(false);
});
