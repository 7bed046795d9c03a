import { expect, test } from "bun:test";
import { DispatchError } from "../../../src/base/error.ts";
import { limits } from "../../../src/base/limits.ts";
import { errorText, resultText } from "../../../src/daemon/tools/words.ts";

const hintOf = (hint: string) =>
  errorText(new DispatchError("usage", "no", { hint })).text.split("\nhint: ")[1];

const hints: [cli: string, tool: string][] = [
  ["dispatch list", "dispatch_list"],
  ["dispatch inbox list", "dispatch_inbox with action list"],
  ["dispatch get bcdfgh", "a person can run: dispatch get bcdfgh"],
  [
    "send it with --queue to wait its turn, or with --steer into the running one",
    'send it with mode "queue" to wait its turn, or with mode "steer" into the running one',
  ],
  ['--name "docs 2"', 'name: "docs 2"'],
  ["--no-tools", "tools: false"],
  [
    '--sandbox read-only --approval-policy never; or a person may: dispatch new (or set [policy] agents = "free")',
    'sandbox: read-only approval_policy: never; or a person may: dispatch new (or set [policy] agents = "free")',
  ],
];

test.each(hints)("the hint %p reads %p in a tool", (cli, tool) => {
  expect(hintOf(cli)).toBe(tool);
});

test("an error names its code and whether to try again, and is one line with one line of hint", () => {
  const { text, outcome } = errorText(
    new DispatchError("agent_down", "no\nCodex", { hint: "dispatch list" }),
  );
  expect({ text, outcome }).toEqual({
    outcome: "agent_down",
    text: "agent_down (retry later): no Codex\nhint: dispatch_list",
  });
  expect(errorText(new Error("oops")).text).toStartWith("internal (retry no): ");
});

test("a short result stays whole, a long one is cut as little as it needs, and fits", () => {
  expect(resultText({ threads: [{ text: "hello" }] })).toBe('{"threads":[{"text":"hello"}]}');
  const long = (count: number) => ({
    threads: Array.from({ length: count }, () => ({ text: "好".repeat(5000) })),
  });
  for (const count of [1, 5, 50, 1000]) {
    const text = resultText(long(count));
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limits.tool.resultBytesMax);
    expect(JSON.parse(text).threads.length).toBeGreaterThan(0);
  }
  expect(resultText(long(1))).toContain("[3000 more characters]");
  expect(JSON.parse(resultText(long(1000))).cut).toContain("ask for fewer");
});

test("a text that is cut is still well-formed", () => {
  const text = resultText({ text: `${"x".repeat(limits.tool.textCharsMax - 1)}😀😀` });
  expect(text.isWellFormed()).toBe(true);
});
