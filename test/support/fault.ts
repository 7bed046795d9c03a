/**
 * A product whose processes may be killed at any moment, and callers who do not mind: the compiled daemon behind its
 * socket, asked over a kept connection that is made again, with the daemon started again, whenever it was lost.
 */
import { join } from "node:path";
import type { ErrorBody } from "../../src/base/error.ts";
import { readLock } from "../../src/base/flock.ts";
import { groupMembers, identityOf, isAlive, type ProcessFacts } from "../../src/base/identity.ts";
import { instanceIn } from "../../src/base/instance.ts";
import { index } from "../../src/ops/index.ts";
import { connect } from "../../src/surface/client.ts";
import type { Answer, Connection } from "../../src/surface/wire.ts";
import { dispatchRig, type Rig, type RigOptions } from "./dispatch.ts";
import { type Registry, registryAt } from "./fault-registry.ts";

// biome-ignore lint/suspicious/noExplicitAny: a test reads any field of any answer, and what is not there fails it
type Result = any;
export type Told = { result: Result } | { error: ErrorBody };

export interface FaultRig extends Rig {
  registry: Registry;
  /** Until somebody answers, over as many daemons as it takes: what is asked must carry its key. */
  tell(op: string, input: Record<string, unknown>): Promise<Told>;
  /** The same, of what must succeed. */
  must(op: string, input?: Record<string, unknown>): Promise<Result>;
  /** One try; `lost` when the daemon went away under it. */
  once(op: string, input: Record<string, unknown>): Promise<Answer>;
  /** The daemon that holds the lock, or undefined between two of them. */
  daemon(): ProcessFacts | undefined;
  /** The Codex that the registry says is alive. */
  child(): ProcessFacts | undefined;
  /** kill -9. False when there was nobody. */
  kill(who: ProcessFacts | undefined): boolean;
  childUp(): Promise<number>;
}

export function faultRig(options: RigOptions = {}): FaultRig {
  const rig = dispatchRig(options);
  const paths = {
    socket: join(rig.home, "dispatch.sock"),
    db: rig.env["DISPATCH_DB"] ?? join(rig.home, "registry.db"),
  };
  const registry = registryAt(paths.db);
  const groups = new Set<number>();
  let line: Connection | undefined;
  let starting: Promise<unknown> | undefined;

  /** Of all callers at once one `up`, as a shell script would: losing the race is success too. */
  const start = () => {
    starting ??= rig.run(["up"]).finally(() => {
      starting = undefined;
    });
    return starting;
  };

  async function reach(): Promise<Connection> {
    const end = Date.now() + 30_000;
    while (!line?.isOpen()) {
      if (Date.now() > end) throw new Error("no daemon for 30 s");
      line = await connect(paths.socket).catch(() => undefined);
      if (!line) await start();
    }
    return line;
  }

  const once: FaultRig["once"] = async (op, input) => {
    const row = index.find(({ name }) => name === op);
    if (!row) throw new Error(`there is no op ${op}`);
    const open = await reach();
    // A daemon that is being killed may leave a call with an error of the wire instead of an answer: lost, too.
    return open
      .call({ op, schema: row.hash, input, caller: { kind: "cli", thread_id: null, cwd: rig.codex.cwd } })
      .catch(() => ({ lost: true }) as const);
  };

  const tell: FaultRig["tell"] = async (op, input) => {
    for (;;) {
      const answer = await once(op, input);
      if (!("lost" in answer)) return answer;
    }
  };

  const found = (pid: number | undefined): ProcessFacts | undefined => {
    const facts = pid === undefined ? undefined : identityOf(pid);
    if (facts === undefined || facts.zombie) return undefined;
    return facts;
  };

  return {
    ...rig,
    registry,
    once,
    tell,
    async must(op, input = {}) {
      const told = await tell(op, input);
      if ("error" in told) throw new Error(`${op} was refused: ${JSON.stringify(told.error)}`);
      return told.result;
    },
    daemon() {
      const { held, text } = readLock(`${paths.db}.lock`);
      const holder = held ? instanceIn(text) : undefined;
      const facts = found(holder?.pid);
      // A daemon that has just taken the lock has not yet written over the name of the one before it.
      return facts?.start_time === holder?.start_time ? facts : undefined;
    },
    child() {
      const epoch = registry.child();
      const facts = found(epoch?.pid);
      if (facts === undefined || facts.start_time !== epoch?.start_time) return undefined;
      groups.add(facts.group);
      return facts;
    },
    kill(who) {
      if (who === undefined || !isAlive(who)) return false;
      process.kill(who.pid, "SIGKILL");
      return true;
    },
    childUp: () => until("Codex is up", () => registry.child()?.up_at ?? undefined, 30_000),
    async dispose() {
      line?.close();
      registry.close();
      await rig.dispose();
      for (const group of groups) {
        for (const pid of groupMembers(group)) process.kill(pid, "SIGKILL");
      }
    },
  };
}

/** Waits on a condition, in real time, and answers what it gave. */
export async function until<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  deadlineMs = 20_000,
): Promise<T> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > end) throw new Error(`waited ${deadlineMs} ms for: ${what}`);
    await Bun.sleep(5);
  }
}
