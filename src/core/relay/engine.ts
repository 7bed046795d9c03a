/**
 * The relay as the configuration has it: opened when `[relay]` is there, opened again when it changes, closed when it is
 * gone. Without it nothing here runs and nothing is loaded.
 */
import { errorMessage, fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { pace } from "../../base/pace.ts";
import type { Delivery } from "../delivery/modes.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { RelayDesk, RelayLink, RelaySettings, RelayStatus } from "../model/ports/relay.ts";
import type { MessageId } from "../model/ports/rows.ts";
import { takeMail } from "./arrive.ts";
import { type MakeThread, poolsOf } from "./pool.ts";
import { reporter } from "./report.ts";
import { takeReports } from "./reported.ts";
import { type AwayDraft, sendAway } from "./send.ts";
import { refuseUnsafe } from "./settings.ts";

export interface RelayEngine {
  /** Follows the configuration. */
  sync(): void;
  send(draft: AwayDraft): Promise<MessageId>;
  /** The name of this machine; null: no relay is configured. */
  name(): string | null;
  status(): (RelayStatus & { name: string; servers: readonly string[] }) | null;
  end(): Promise<void>;
}

interface Opened {
  settings: RelaySettings;
  link: Promise<RelayLink>;
  /** Why it was not opened, or how it is. */
  status(): RelayStatus;
  close(): Promise<void>;
}

export function relay(
  deps: CoreDeps,
  actions: { delivery: Pick<Delivery, "store">; makeThread: MakeThread },
): RelayEngine {
  const { log } = deps;
  let opened: Opened | undefined;
  /** As the configuration was last read, which gives the same object until the file changes. */
  let last: RelaySettings | null = null;
  let stamp = "null";
  /** One after the other: a name is free again only when its link is closed. */
  let closing: Promise<void> = Promise.resolve();
  let isOver = false;

  function sync(): void {
    if (isOver) return;
    let wanted: RelaySettings | null;
    try {
      wanted = deps.policy().relay;
    } catch {
      // Who needs the file reports the error. The relay goes on as it was.
      return;
    }
    if (wanted === last) return;
    last = wanted;
    const now = JSON.stringify(wanted);
    if (now === stamp) return;
    stamp = now;
    const before = opened;
    closing = Promise.all([closing, before?.close()]).then(() => {});
    opened = wanted ? open(deps, actions, wanted, closing) : undefined;
  }

  return {
    sync,
    async send(draft) {
      sync();
      const { link, settings } = opened ?? noRelay(draft);
      if ("box" in draft.to && draft.to.box === settings.name)
        fail("usage", `${settings.name} is this machine`, { hint: `dispatch send ${draft.to.ref} TEXT` });
      refuseUnsafe(settings);
      return sendAway(deps, () => link, draft);
    },
    name: () => opened?.settings.name ?? null,
    status: () =>
      opened ? { ...opened.status(), name: opened.settings.name, servers: opened.settings.servers } : null,
    async end() {
      isOver = true;
      await Promise.all([closing, opened?.close()]).catch((thrown: unknown) =>
        log.warn("the relay did not close", { reason: errorMessage(thrown) }),
      );
    },
  };
}

function noRelay({ to, target }: AwayDraft): never {
  const what = "pool" in to ? `pool ${to.pool}` : `machine ${to.box}`;
  return fail("not_found", `no ${what}: no relay is configured for ${target}`, {
    hint: "set url and name under [relay] in config.toml: README, Other machines",
  });
}

function open(
  deps: CoreDeps,
  { delivery, makeThread }: { delivery: Pick<Delivery, "store">; makeThread: MakeThread },
  settings: RelaySettings,
  before: Promise<void>,
): Opened {
  const { store, journal, clock, log } = deps;
  const stopping = new AbortController();
  let current: RelayLink | undefined;
  let hasUnclaimed = true;
  let nudge = new AbortController();
  const pools = poolsOf(
    deps,
    settings,
    () => current ?? fail("host_down", "the relay is not open"),
    makeThread,
    (isUnclaimed) => {
      hasUnclaimed ||= isUnclaimed;
      nudge.abort();
    },
  );
  const reporting = reporter(deps, settings.publish);
  const desk: RelayDesk = {
    mail: (arriving) => takeMail(deps, delivery, arriving),
    pooled: (pool, arriving) => pools.take(pool, arriving),
    mayTake: (pool) => pools.mayTake(pool),
    reports: (arriving) => takeReports(deps, arriving),
    up() {
      hasUnclaimed = true;
      nudge.abort();
    },
  };

  async function start(): Promise<RelayLink> {
    await before;
    refuseUnsafe(settings);
    current = await deps.relay.open(settings, store.log.id(), desk);
    return current;
  }

  async function run(): Promise<void> {
    const link = await started;
    const paced = pace(clock, limits.relay.apartMs);
    let failures = 0;
    while (!stopping.signal.aborted) {
      nudge = new AbortController();
      const seq = store.log.last();
      try {
        if (link.status().state === "up" && hasUnclaimed) {
          hasUnclaimed = false;
          await pools.claimLeft();
        }
        const isAll = await pools.work();
        await reporting.step(link);
        failures = isAll ? 0 : failures + 1;
      } catch (thrown) {
        hasUnclaimed = true;
        failures++;
        if (failures === 1 && !stopping.signal.aborted)
          log.warn("the relay waits", { reason: errorMessage(thrown) });
      }
      const { backoffFirstMs, backoffMaxMs } = limits.relay;
      const either = AbortSignal.any([stopping.signal, nudge.signal]);
      if (failures > 0)
        await clock.sleep(Math.min(backoffFirstMs * 2 ** (failures - 1), backoffMaxMs), either);
      else {
        await journal.grown(seq, either);
        await clock.sleep(limits.relay.gatherMs, either);
        await paced(either);
      }
    }
  }

  const started = start();
  let refusal: RelayStatus | undefined;
  const running = run().catch((thrown: unknown) => {
    const {
      code = "internal",
      message,
      hint = null,
    } = thrown as { code?: string; message: string; hint?: string | null };
    refusal = { state: "down", error: { code, message, hint }, waiting: null };
    log.error("the relay is not open", { thrown });
  });
  return {
    settings,
    link: started,
    status: () => refusal ?? current?.status() ?? { state: "connecting", error: null, waiting: null },
    async close() {
      stopping.abort();
      await current?.close();
      await running;
      await current?.close();
    },
  };
}
