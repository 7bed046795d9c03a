/** Rules tried on what was asked before. */
import { beforeEach, expect, test } from "bun:test";
import type { Answer } from "../../../src/core/model/answer.ts";
import type { RequestFacts } from "../../../src/core/model/ports/request.ts";
import type { Rules } from "../../../src/core/model/ruling.ts";
import type { Replay } from "../../../src/core/requests/replay.ts";
import { until } from "../../support/codex-sink.ts";
import { nothingAsked } from "../../world/model.ts";
import { type Rig, rig } from "../rig.ts";

const tried: Rules = {
  requests: "ask",
  rules: [
    { command: ["git", "push"], answer: "deny" },
    { kind: "command_approval", command: ["git"], outside_sandbox: true, answer: "approve" },
    { thread: "@gone", answer: "deny" },
  ],
};

const tool = { server: "echo", name: "say", description: null, arguments: {} };

let here: Rig;
beforeEach(async () => {
  here = await rig({ rules: { "/rules.toml": tried } });
  await asked({ command: "git status" }, { decision: "deny" });
  await asked({ command: "git push" }, { decision: "approve_for_session" });
  await asked({ command: "/bin/bash -lc 'git log'" }, { decision: "approve" });
  await asked({ kind: "other", method: "some/method" }, null);
  await asked({ kind: "mcp_tool_approval", asks: { ...nothingAsked, tool } }, { decision: "cancel" });
});

const core = () => here.world.engine.core;

async function asked(question: Partial<RequestFacts>, given: Answer | null): Promise<void> {
  await here.clock.advance(60_000);
  await here.send(JSON.stringify([{ question }, { say: "done" }]));
  if (given !== null) {
    await until("a question", () => here.view().requests.length > 0);
    await core().answer(here.view().requests[0]!.id, given, "cli", null);
  }
  await until("the turn is over", () => here.view().latest_turn?.status === "completed");
}

const replay = (over: Partial<Replay> = {}) =>
  core().replay({ file: "/rules.toml", ref: null, since: 0, limit: 10, cursor: null, ...over });

test("each question is shown with what was decided and what would be, newest first", () => {
  const { requests, counts, next_cursor } = replay();
  expect(requests.map(({ summary, decision, would, by }) => [summary, decision, would, by])).toEqual([
    ["run echo/say {}", "cancel", "ask", null],
    ["/bin/bash -lc 'git log'", "approve", "approve", "policy rule 2"],
    ["git push", "approve_for_session", "deny", "policy rule 1"],
    ["git status", "deny", "approve", "policy rule 2"],
  ]);
  expect(counts).toEqual({ total: 4, ask: 1, deny: 1, approve: 2, against: 2 });
  expect(next_cursor).toBeNull();
});

test("nothing of it is done", () => {
  const { replies } = here.world.agent;
  const before = [replies.length, here.world.store.log.last()];
  replay();
  expect([replies.length, here.world.store.log.last()]).toEqual(before);
});

test("it is read page by page, and counted whole", () => {
  const first = replay({ limit: 3 });
  expect([first.requests.length, first.counts.total]).toEqual([3, 4]);
  const second = replay({ limit: 3, cursor: first.next_cursor });
  expect([second.requests.length, second.counts.total, second.next_cursor]).toEqual([1, 4, null]);
  const ids = [...first.requests, ...second.requests].map(({ id }) => id);
  expect(new Set(ids).size).toBe(4);
  expect(() => replay({ cursor: "zzz" })).toThrow("not a cursor");
});

test("only since then, and only of a thread", () => {
  expect(replay({ since: here.clock.now() - 30_000 }).counts.total).toBe(1);
  expect(replay({ ref: here.ref }).counts.total).toBe(4);
});

test("without a file the present rules apply; a missing file is reported", () => {
  expect(replay({ file: null }).counts).toMatchObject({ ask: 4, against: 0 });
  expect(() => replay({ file: "/none.toml" })).toThrow("no /none.toml");
});
