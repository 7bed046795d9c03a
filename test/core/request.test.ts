import { beforeEach, describe, expect, test } from "bun:test";
import type { RequestFacts, RequestKind } from "../../src/core/ports/agent.ts";
import { until } from "../support/codex-sink.ts";
import { type Rig, refusal, rig } from "./rig.ts";

let here: Rig;
beforeEach(async () => {
  here = await rig();
});

async function asked(): Promise<string> {
  await here.send('[{"ask":"touch x"},{"say":"done"}]');
  await until("a question", () => here.view().status === "waiting");
  return here.view().requests[0]!.id;
}

const open = (over: Partial<RequestFacts>): RequestFacts => ({
  rpc_id: 77,
  method: "item/tool/requestUserInput",
  kind: "user_input",
  thread_id: here.view().id,
  turn_id: null,
  item_id: null,
  reason: null,
  command: null,
  cwd: null,
  diff: null,
  params: {},
  auto_resolution_ms: null,
  ...over,
});

test("an answer reaches Codex once; a second one is a conflict that names the first", async () => {
  const id = await asked();
  const { core } = here.world.engine;
  expect(await core.answer(id, "approve", "me")).toMatchObject({
    state: "answered",
    decision: "approve",
    answered_by: "me",
  });
  expect(here.world.agent.replies).toEqual([{ rpc_id: 0, result: { decision: "accept" } }]);
  const error = await refusal(core.answer(id, "deny", "you"));
  expect(error.code).toBe("conflict");
  expect(error.message).toContain("approve");
  expect(here.world.agent.replies).toHaveLength(1);
});

test("two answers at once: one is taken", async () => {
  const id = await asked();
  const { core } = here.world.engine;
  const both = await Promise.allSettled([core.answer(id, "approve", "me"), core.answer(id, "deny", "you")]);
  expect(both.map((one) => one.status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(here.world.agent.replies).toHaveLength(1);
});

test("a question dies with the child that asked, visibly, and cannot be answered then", async () => {
  const id = await asked();
  here.world.agent.kill();
  expect(here.world.engine.core.request(id).state).toBe("expired");
  expect(here.kinds()).toContain("request.expired");
  expect((await refusal(here.world.engine.core.answer(id, "approve", "me"))).code).toBe("conflict");
});

test("a question that is asked again is one question", async () => {
  const id = await asked();
  here.world.agent.tell({
    kind: "request_opened",
    request: open({ rpc_id: 0, method: "item/commandExecution/requestApproval", kind: "command_approval" }),
  });
  await here.clock.advance(1);
  expect(here.view().requests.map((request) => request.id)).toEqual([id]);
});

describe("what is not an approval is refused out loud, and never approved", () => {
  const kinds: RequestKind[] = ["user_input", "elicitation", "permissions_approval", "tool_call", "other"];
  for (const kind of kinds) {
    test(kind, async () => {
      here.world.agent.tell({ kind: "request_opened", request: open({ kind }) });
      await until("a reply", () => here.world.agent.replies.length === 1);
      const said = JSON.stringify(here.world.agent.replies[0]);
      expect(said).not.toMatch(/accept|approve|"success":true/);
      const [request] = here.world.engine.core.requests({ ref: here.ref, all: true, limit: 10 });
      expect(request).toMatchObject({
        kind,
        state: "answered",
        decision: "refused",
        answered_by: "dispatch",
      });
      expect(here.kinds().slice(-2)).toEqual(["request.opened", "request.answered"]);
    });
  }

  test("a command of a thread nobody manages", async () => {
    here.world.agent.tell({
      kind: "request_opened",
      request: open({ thread_id: "a-stranger", kind: "command_approval" }),
    });
    await until("a reply", () => here.world.agent.replies.length === 1);
    expect(here.world.agent.replies[0]!.error).toBeDefined();
  });
});
