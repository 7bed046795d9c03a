/** Reads of other machines, for the ops. What they need is loaded with the first one. */
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Host } from "../ops/ctx.ts";
import type { KeptHosts } from "./kept.ts";

export interface Far {
  read: Host["readFar"];
  close(): void;
}

export function farReads(given: { config: string; clock: Clock; log: Log }): Far {
  let loading: Promise<KeptHosts> | undefined;
  let loaded: KeptHosts | undefined;
  let isClosed = false;

  async function load(): Promise<KeptHosts> {
    const [{ keptHosts }, { index }] = await Promise.all([import("./kept.ts"), import("../ops/index.ts")]);
    loaded = keptHosts(index, given);
    if (isClosed) loaded.close();
    return loaded;
  }

  return {
    async read(to, call) {
      loading ??= load();
      return (await loading).read(to, call);
    },
    close() {
      isClosed = true;
      loaded?.close();
    },
  };
}
