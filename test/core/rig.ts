/** Core over the model of Codex, with verbs that read like the story they test. */

import { DispatchError } from "../../src/base/error.ts";
import type { Receipt } from "../../src/contract/receipt.ts";
import type { MessageState } from "../../src/contract/words.ts";
import { type Draft, plain } from "../../src/core/delivery/accept.ts";
import type { Ref } from "../../src/core/model/ports/rows.ts";
import { type HandClock, handClock } from "../support/codex-clock.ts";
import { until } from "../support/codex-sink.ts";
import { type TestWorld, testWorld, type WorldOptions } from "../world/world.ts";

export interface Rig {
  world: TestWorld;
  clock: HandClock;
  ref: Ref;
  send(text: string, over?: Partial<Draft>): Promise<Receipt>;
  state(receipt: Receipt): MessageState;
  /** Until a receipt is in this state. */
  reaches(receipt: Receipt, state: MessageState): Promise<void>;
  view(): ReturnType<TestWorld["engine"]["core"]["view"]>;
  kinds(): string[];
}

/** A thread that waits for work, and a Codex that is up. */
export async function rig(options: WorldOptions = {}): Promise<Rig> {
  const clock = handClock();
  const world = testWorld({ ...options, clock });
  world.engine.begin();
  world.agent.up();
  const { core } = world.engine;
  const settings = { cwd: "/repo", sandbox: "read-only" as const };
  const { ref } = await core.create(
    { name: "docs", text: null, goal: null, settings, key: null, created_by: "cli" },
    never(),
  );
  const state = (receipt: Receipt) => core.receipt(receipt.receipt).state;
  return {
    world,
    clock,
    ref,
    send: (text, over = {}) => core.send(ref, { ...plain, text, ...over }, never()),
    state,
    reaches: (receipt, wanted) =>
      until(`receipt in ${wanted}, is ${state(receipt)}`, () => state(receipt) === wanted),
    view: () => core.view(ref),
    kinds: () => core.events({}, null, 1000).events.map((event) => event.kind),
  };
}

export const never = () => new AbortController().signal;

export async function refusal(call: Promise<unknown>): Promise<DispatchError> {
  try {
    await call;
  } catch (thrown) {
    if (thrown instanceof DispatchError) return thrown;
    throw thrown;
  }
  throw new Error("it was not refused");
}

/** Lets what follows from a call happen, however many answers away. */
export const macrotasks = async (count: number) => {
  for (let at = 0; at < count; at++) await new Promise((resolve) => setImmediate(resolve));
};

export const waiting = '[{"wait":"go"},{"say":"released"}]';
