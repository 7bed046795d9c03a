/** What a sender is told when its message is stored and something after it fails. */
import { expect, test } from "bun:test";
import { parse } from "valibot";
import { DispatchError } from "../../src/base/error.ts";
import send from "../../src/ops/message/send.ts";
import { refusal } from "../core/rig.ts";
import { situations } from "../world/given.ts";

test("a wait that fails does not tell an accepted message as refused: the error has its receipt", async () => {
  const { world } = await situations["two threads"]!();
  const ctx = world.ctx();
  const wait = () => Promise.reject(new DispatchError("agent_down", "Codex is down", { data: { why: "x" } }));
  const input = parse(send.input, { thread: "@docs", text: "hello", wait: true });
  const { code, message, hint, data } = await refusal(
    Promise.resolve(send.run(input, { ...ctx, core: { ...ctx.core, wait } })),
  );
  const [stored] = world.store.messages.list({ limit: 10 });
  expect(stored?.text).toBe("hello");
  expect(code).toBe("agent_down");
  expect(message).toContain("the message is accepted");
  expect(hint).toBe(`dispatch wait ${stored!.id}`);
  expect(data).toEqual({ why: "x", receipt: stored!.id, message_accepted: true });
  await world.end();
});
