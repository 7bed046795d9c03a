/** Which sub-agents work, by what Codex says of them, in both generations. */
import { expect, test } from "bun:test";
import { subagents } from "../../src/codex/subagents.ts";

const started = (id: string) => ["turn/started", id, { turn: { id: "U" } }] as const;
const ended = (id: string) => ["turn/completed", id, { turn: { id: "U", status: "completed" } }] as const;
const status = (id: string, type: string) => ["thread/status/changed", id, { status: { type } }] as const;
const spawned = (parent: string, child: string) =>
  [
    "item/completed",
    parent,
    { item: { type: "collabAgentToolCall", tool: "spawnAgent", receiverThreadIds: [child] } },
  ] as const;
const active = (parent: string, child: string) =>
  [
    "item/started",
    parent,
    { item: { type: "subAgentActivity", kind: "started", agentThreadId: child } },
  ] as const;

type Line = readonly [string, string, object];
/** The last list of `top` after these lines. */
function after(top: string, ...lines: Line[]): string[] {
  const note = subagents();
  let agents: string[] = [];
  for (const [method, thread, params] of lines)
    for (const event of note(method, thread, params as never))
      if (event.kind === "agents_working" && event.thread_id === top) agents = event.agents;
  return agents;
}

for (const [generation, spawn] of [
  ["v1", spawned],
  ["v2", active],
] as const) {
  test(`${generation}: a child that outlives the turn of its parent works until its own turn ends`, () => {
    const begun = [
      started("P"),
      status("C", "active"),
      started("C"),
      spawn("P", "C"),
      ended("P"),
      status("P", "idle"),
    ];
    expect(after("P", ...begun)).toEqual(["C"]);
    expect(after("P", ...begun, ended("C"))).toEqual([]);
    expect(after("P", ...begun, status("C", "idle"))).toEqual([]);
    expect(after("P", ...begun, status("C", "notLoaded"))).toEqual([]);
    expect(after("P", ...begun, ["thread/closed", "C", {}])).toEqual([]);
  });

  test(`${generation}: a child that begins again works again, and one of a child counts for the top`, () => {
    const again = [spawn("P", "C"), started("C"), ended("C"), started("C"), spawn("C", "D"), started("D")];
    expect(after("P", ...again)).toEqual(["C", "D"]);
    expect(after("P", ...again, ended("C"))).toEqual(["D"]);
  });
}

test("threads without a parent, and rings of parents, are nobody's sub-agents", () => {
  expect(after("P", started("P"), started("Q"))).toEqual([]);
  expect(after("P", spawned("P", "P"), spawned("P", "C"), spawned("C", "P"), started("P"))).toEqual([]);
});
