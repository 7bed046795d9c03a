/** One call for several threads, lists written as one string, and the time limit that a wait gets. */
import { expect, test } from "bun:test";
import { rig, textOf } from "../support/mcp.ts";

const forget = (threads: unknown, more: object = {}) => ({
  name: "dispatch_forget",
  arguments: { threads, ...more } as Record<string, unknown>,
});

test("each thread has its own result, in order, and a failure hides no other", async () => {
  const { client, daemon } = await rig(({ input }, reply) =>
    input["thread"] === "@b"
      ? reply.error({ code: "not_found", message: "no thread", hint: "dispatch list", retry: "no" })
      : reply.result({ ref: String(input["thread"]) }),
  );
  const result = await client.callTool(forget(["@a", "@b", "@c"]));
  expect(result.isError).toBeUndefined();
  expect(result.structuredContent).toEqual({
    failed: 1,
    results: [
      { ref: "@a" },
      { for: "@b", error: "not_found (retry no): no thread", hint: "dispatch_list" },
      { ref: "@c" },
    ],
  });
  expect(daemon.calls).toHaveLength(3);
});

test("is an error when all of them fail", async () => {
  const { client } = await rig((_, reply) => reply.error({ code: "denied", message: "no", retry: "no" }));
  expect((await client.callTool(forget(["@a", "@b"]))).isError).toBe(true);
});

test("a lone string is a list of one", async () => {
  const { client } = await rig(({ input }, reply) => reply.result({ ref: String(input["thread"]) }));
  expect((await client.callTool(forget("@a"))).structuredContent).toEqual({ results: [{ ref: "@a" }] });
});

const wrong: [threads: unknown, more: object, text: string][] = [
  [[], {}, "usage (retry no): threads must be a list of threads"],
  [5, {}, "usage (retry no): threads must be a list of threads"],
  [["@a"], { thread: "@b" }, "usage (retry no): thread and threads exclude each other"],
  [Array.from({ length: 51 }, () => "@a"), {}, "too_large (retry no): threads takes at most 50 in one call"],
];
for (const [threads, more, text] of wrong)
  test(`is refused with nothing done: ${text}`, async () => {
    const { client, daemon } = await rig();
    const result = await client.callTool(forget(threads, more));
    expect(result.isError).toBe(true);
    expect(textOf(result)).toStartWith(text);
    expect(daemon.calls).toEqual([]);
  });
