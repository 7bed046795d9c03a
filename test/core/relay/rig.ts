/** Machines that share one relay, over the model of the stream. */
import { type Draft, plain } from "../../../src/core/delivery/accept.ts";
import type { RelaySettings } from "../../../src/core/model/ports/relay.ts";
import { awayOf } from "../../../src/core/relay/address.ts";
import { until } from "../../support/codex-sink.ts";
import { type Broker, type BrokerOptions, broker, relayAs } from "../../world/relay.ts";
import { type TestWorld, testWorld, type WorldOptions } from "../../world/world.ts";
import { never } from "../rig.ts";

export const text = (index: number) => `text ${index}`;

export function machine(shared: Broker, settings: RelaySettings, options: WorldOptions = {}): TestWorld {
  const world = testWorld({
    relay: shared.port,
    ...options,
    policy: { relay: settings, ...options.policy },
  });
  world.engine.begin();
  world.agent.up();
  return world;
}

export async function two(options: BrokerOptions & { laptop?: WorldOptions; tower?: WorldOptions } = {}) {
  const shared = broker(options);
  const tower = machine(shared, relayAs("tower"), options.tower);
  const laptop = machine(shared, relayAs("laptop"), options.laptop);
  const settings = { cwd: "/repo", sandbox: "read-only" as const };
  const draft = { name: "docs", text: null, goal: null, settings, key: null, created_by: "cli" };
  const { ref } = await tower.engine.core.create(draft, never());
  return { shared, tower, laptop, ref };
}

export const send = (world: TestWorld, target: string, over: Partial<Draft> & { agent?: string } = {}) => {
  const { agent = null, ...draft } = over;
  return world.engine.core.sendAway({
    to: awayOf(target)!,
    target,
    draft: { ...plain, text: "hello", caller: agent ?? "cli", ...draft },
    agent,
  });
};

export const stateOf = (world: TestWorld, receipt: string) => world.engine.core.receipt(receipt).state;
export const reaches = (world: TestWorld, receipt: string, state: string) =>
  until(`${receipt} is ${state}`, () => stateOf(world, receipt) === state);

/** What Codex was given, in order. */
export const heard = (world: TestWorld) => world.agent.asked;
