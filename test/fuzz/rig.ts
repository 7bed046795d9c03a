/** Every op of the product behind a real socket, over a registry in memory and the model of Codex. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { type FaultLog, faultLog } from "../../src/base/faults.ts";
import { callsOf } from "../../src/daemon/call.ts";
import { openControl } from "../../src/daemon/control.ts";
import { index } from "../../src/ops/index.ts";
import { type Client, caller, connect, hello, memoryLog } from "../daemon/rig.ts";
import { situations } from "../world/given.ts";

export interface FuzzRig {
  log: FaultLog;
  path: string;
  ask(op: string, input: unknown, over?: object): Promise<Awaited<ReturnType<Client["ended"]>>>;
  /** Of what a caller can have stored. */
  stored(): object;
  dispose(): Promise<void>;
}

export async function fuzzRig(): Promise<FuzzRig> {
  const { world } = await situations["two threads"]!();
  const log = faultLog(memoryLog(), systemClock);
  const path = join(mkdtempSync(join(tmpdir(), "fuzz-")), "socket");
  const call = callsOf({
    index,
    ctxOf: (who, signal, emit) => world.ctx({ caller: who, signal, emit }),
    authorise() {},
    audit() {},
    log,
    tally: { calls: 0 },
  });
  const control = openControl({ path, hello, call, clock: systemClock, log });
  const client = await connect(path);
  let lastId = 0;
  return {
    log,
    path,
    async ask(op, input, over = {}) {
      const id = ++lastId;
      const row = index.find(({ name }) => name === op);
      client.say({ id, op, schema: row?.hash ?? "", input, caller, ...over });
      const ended = await client.ended(id);
      client.frames.splice(client.frames.indexOf(ended), 1);
      return ended;
    },
    stored() {
      return {
        threads: world.engine.core.list({ archived: false, limit: 1000 }).map(({ title }) => title),
        messages: world.store.messages.list({ limit: 1000 }).map(({ id }) => id),
      };
    },
    async dispose() {
      client.close();
      control.close();
      await world.end();
    },
  };
}
