/** What a run of the simulator holds, and the steps that its parts share. */
import type { Mode } from "../../src/contract/words.ts";
import type { Budgets, NotifyRule } from "../../src/core/model/deps.ts";
import type { Ref } from "../../src/core/model/ports/rows.ts";
import type { Store } from "../../src/core/model/ports/store.ts";
import type { NewThread } from "../../src/core/threads/create.ts";
import type { HandClock } from "../support/codex-clock.ts";
import type { ModelAgent } from "../world/model.ts";
import type { TestWorld } from "../world/world.ts";
import type { Ledger } from "./ledger.ts";
import type { Peer } from "./relay.ts";

export interface Tally {
  accepted: number;
  kills: number;
  restarts: number;
  /** Turns that another process wrote. */
  elsewhere: number;
  done: number;
  failed: number;
  cancelled: number;
  unsure: number;
  /** Of triggers and subscriptions. */
  firings: number;
  /** Firings that were skipped, or failed. */
  refusals: number;
  /** Events that a program took. */
  notices: number;
  /** Turns that waited for a limit of the user, by the events of those that were reached. */
  limits: number;
  /** Accepted by the relay, for the daemon and by it. */
  relayed: number;
}

export const noTally: Tally = {
  accepted: 0,
  kills: 0,
  restarts: 0,
  elsewhere: 0,
  done: 0,
  failed: 0,
  cancelled: 0,
  unsure: 0,
  firings: 0,
  refusals: 0,
  notices: 0,
  limits: 0,
  relayed: 0,
};

export function plus(one: Tally, other: Tally): Tally {
  const sum = { ...one };
  for (const name of Object.keys(sum) as (keyof Tally)[]) sum[name] += other[name];
  return sum;
}

export type ModelThread = ModelAgent["threads"] extends Map<string, infer T> ? T : never;
export type Untaken = NonNullable<NonNullable<ModelThread["running"]>["untaken"]>;

export interface Sim {
  random(): number;
  clock: HandClock;
  store: Store;
  world: TestWorld;
  /** The daemon died in the middle of a step: another one is to be started. */
  isDead: boolean;
  /** The daemon dies at the end of this commit, counted from now; 0: it does not. */
  diesIn: number;
  /** It dies before that commit, and not after it. */
  diesBefore: boolean;
  /** How many turns of ours may run at a time. */
  turnsMax: number | null;
  /** What the user allows, as the configuration is now. */
  budgets: Budgets;
  /** Of a text that ends Codex, before a person takes it back. */
  attemptsMax: number;
  /** Those that had so many. */
  deadly: Set<string>;
  /** The blocks `[notify]` of the configuration. */
  notify: NotifyRule[];
  /** The first promise that was seen broken on the way. */
  broken?: string;
  /** Threads outlive daemons and children, as files do. */
  codex: ModelAgent["threads"];
  /** Other processes by the thread that each has open, with the text of ours that it may still write. */
  writers: Map<string, Untaken | null>;
  due: (() => void)[];
  tally: Tally;
  /** In the order they were accepted. */
  sent: { id: string; lane: Ref; mode: Mode }[];
  refs: Ref[];
  calls: Promise<unknown>[];
  trail: string[];
  ledger: Ledger;
  /** Another machine of one relay; null: this run has none. */
  peer: Peer | null;
}

/** What a commit of a daemon throws that was killed. */
export class Killed extends Error {}

/** Lets what was started go on until it needs the scheduler. */
export const breathe = () => new Promise<void>((resolve) => setImmediate(resolve));

export async function turnTheCrank(sim: Sim): Promise<void> {
  sim.due.shift()?.();
  await breathe();
}

export const signal = () => new AbortController().signal;

export function newThread(name: string): NewThread {
  const settings = { cwd: "/repo", sandbox: "read-only" } as const;
  return { name, text: null, goal: null, settings, key: null, created_by: "sim" };
}

export function pick<T>(sim: Sim, from: readonly T[]): T {
  return from[Math.floor(sim.random() * from.length)]!;
}

export function lanesOf({ engine }: TestWorld): Ref[] {
  return engine.core.list({ archived: false, limit: 1000 }).map(({ ref }) => ref as Ref);
}

export function threadOf(sim: Sim, ref: Ref) {
  const thread = sim.world.agent.threads.get(sim.store.lanes.get(ref).thread_id ?? "");
  if (!thread) throw new Error(`the thread of ${ref} is gone`);
  return thread;
}

export function up(sim: Sim): void {
  if (sim.world.agent.status().state !== "running") sim.world.agent.up();
}
