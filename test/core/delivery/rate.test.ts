/** Two agents cannot talk each other into a bill. */
import { expect, test } from "bun:test";
import { limits } from "../../../src/base/limits.ts";
import { never, refusal, rig } from "../rig.ts";

test("an agent writes so many messages a minute to another thread, a person and itself as many as they like", async () => {
  const here = await rig();
  const { core } = here.world.engine;
  const settings = { cwd: "/repo", sandbox: "read-only" as const };
  const draft = { name: "sender", text: null, goal: null, settings, key: null, created_by: "cli" };
  const { ref } = await core.create(draft, never());
  const agent = core.view(ref).id!;
  core.hold(here.ref);
  const send = (caller: string) => here.send("hello", { mode: "queue", caller });
  for (let sent = 0; sent < limits.automation.rateMax; sent++) await send(agent);
  const error = await refusal(send(agent));
  expect(error).toMatchObject({ code: "thread_busy" });
  expect(error.message).toContain(`within ${limits.automation.rateWindowMs / 1000} s`);
  await send("cli");
  here.clock.jump(limits.automation.rateWindowMs + 1);
  await send(agent);
});
