/** What a person reads of the shapes that many commands share. */
import { expect, test } from "bun:test";
import { plainLook, toTerminal } from "../../src/base/text.ts";
import { eventLine } from "../../src/ops/views.ts";

const look = plainLook(Date.parse("2026-01-01T12:00:00Z"));
const shown = (view: string) => toTerminal(view, { color: false });

test("an event says what it knows, and nothing of what it has not", () => {
  const at = "2026-01-01T11:22:33.000Z";
  const held = { at, thread: "abc123", kind: "queue.held", data: { reason: "crashed" } };
  expect(shown(eventLine(held, look))).toBe(
    `11:22:33  abc123  ${"queue.held".padEnd(28)}  reason crashed`,
  );
  const item = { at, thread: "abc123", kind: "item.completed", data: { type: "user_message", preview: "" } };
  expect(shown(eventLine(item, look))).toEndWith("item.completed user_message   -");
});
