/** A take that comes to nothing leaves the thread, and the goal of its app, as they were. */
import { beforeEach, describe, expect, test } from "bun:test";
import { limits } from "../../../src/base/limits.ts";
import type { Ref } from "../../../src/core/model/ports/rows.ts";
import { until } from "../../support/codex-sink.ts";
import { macrotasks, type Rig, refusal, rig } from "../rig.ts";

let here: Rig;
let id: string;
let ref: Ref;

beforeEach(async () => {
  here = await rig();
  id = here.world.agent.madeElsewhere("theirs", "hello");
  ref = await core().attach(id, "cli");
  theirs().goal = { objective: "o", status: "active", token_budget: null, tokens_used: 0 };
});

const core = () => here.world.engine.core;
const theirs = () => here.world.agent.threads.get(id)!;

function isTheirsAgain(): void {
  expect(theirs()).toMatchObject({ isLoaded: false, goal: { status: "active" } });
  expect(core().view(ref)).toMatchObject({ source: "attached", goal: { status: "active" } });
}

/** Codex would let it write dispatch's own files. */
function refusable(): void {
  theirs().settings = { cwd: "/elsewhere", sandbox: "workspace-write", approval_policy: "never" };
  here.world.agent.configure({
    writable_roots: ["/home/user/.dispatch"],
    network_access: false,
    exclude_slash_tmp: false,
    exclude_tmpdir: false,
  });
}

/** A take that Codex does not answer before its caller gives up. */
async function unanswered(): Promise<() => void> {
  const answer = here.world.agent.withhold("resumeThread", 1);
  const taking = refusal(core().take(ref));
  await until("it is resumed", () => theirs().isLoaded);
  await here.clock.advance(limits.thread.openWaitMs);
  expect((await taking).code).toBe("timeout");
  expect(theirs().goal?.status).toBe("paused");
  return answer;
}

async function passing(what: string, holds: () => boolean): Promise<void> {
  for (let at = 0; at < 50 && !holds(); at++) {
    await here.clock.advance(limits.thread.unloadLookEveryMs);
    await macrotasks(10);
  }
  await until(what, holds);
}

describe("the goal of the other app goes on", () => {
  test("when the take is refused after its caller gave up", async () => {
    refusable();
    const answer = await unanswered();
    answer();
    await passing("it is theirs again", () => theirs().goal?.status === "active");
    isTheirsAgain();
  });

  test("when another take gets the late refusal", async () => {
    refusable();
    const answer = await unanswered();
    answer();
    const again = refusal(core().take(ref));
    await passing("it is theirs again", () => theirs().goal?.status === "active");
    await again;
    isTheirsAgain();
  });

  test("when the thread was forgotten before Codex answered", async () => {
    const answer = await unanswered();
    await core().forget(ref);
    answer();
    await passing("it is theirs again", () => theirs().goal?.status === "active");
    expect(theirs().isLoaded).toBe(false);
  });

  test("when what the take is to know cannot be read", async () => {
    here.world.agent.refuseNext("listTurns", "overloaded");
    const taking = refusal(core().take(ref));
    await passing("it is theirs again", () => theirs().goal?.status === "active");
    expect((await taking).code).toBe("agent");
    isTheirsAgain();
  });
});

test("the goal stays paused when the take succeeds", async () => {
  await core().take(ref);
  expect(theirs().goal?.status).toBe("paused");
  expect(core().view(ref)).toMatchObject({ source: "own", goal: { status: "paused" } });
});

test("a text that Codex has, and a registry that was copied back calls queued, is not sent after a take", async () => {
  core().hold(here.ref);
  const sent = await here.send("only once", { mode: "queue" });
  here.world.agent.writeElsewhere(here.view().id!, "only once", sent.receipt);
  here.world.agent.kill();
  here.world.agent.up();
  here.world.store.lanes.set(here.ref, { source: "attached", handle: null });
  await core().take(here.ref);
  core().release(here.ref);
  await here.reaches(sent, "done");
  expect(here.world.agent.asked).toEqual([]);
});
