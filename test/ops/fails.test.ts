import { expect, test } from "bun:test";
import * as v from "valibot";
import { derivedFails, failsOf } from "../../src/ops/fails.ts";
import { flag, selector, text } from "../../src/ops/fields.ts";
import type { AnyOp } from "../../src/ops/op.ts";

const plain = { at: "client", intent: "read", input: v.strictObject({ x: flag(v.string(), "x") }) };
const derived = (more: object): string[] =>
  [...derivedFails({ ...plain, ...more } as unknown as AnyOp)].toSorted();

test("any command may be given a wrong input or a deadline", () => {
  expect(derived({})).toEqual(["timeout", "usage"]);
});

test("what an op is adds how it can fail", () => {
  const daemon = ["daemon_down", "denied", "host_down", "storage", "timeout", "usage"];
  expect(derived({ at: "daemon" })).toEqual(daemon);
  expect(derived({ at: "daemon", start: "never" })).toEqual(daemon.filter((code) => code !== "storage"));
  expect(derived({ at: "daemon", intent: "write" })).toEqual([...daemon, "unsure"].toSorted());
  expect(derived({ asksCodex: true })).toEqual(["agent", "agent_down", "timeout", "usage"]);
  expect(derived({ input: v.strictObject({ thread: selector() }) })).toContain("not_found");
  expect(derived({ input: v.strictObject({ text: v.optional(text("t")) }) })).toContain("too_large");
});

test("its own are added, and all are in the order of their exit statuses", () => {
  expect(failsOf({ ...plain, fails: ["denied", "not_found"] } as unknown as AnyOp)).toEqual([
    "usage",
    "not_found",
    "timeout",
    "denied",
  ]);
});
