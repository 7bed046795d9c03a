/** Machines of one relay: each is a home of its own on this machine, with its own daemon, Codex and registry. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type FaultRig, faultRig, until } from "./fault.ts";

export interface Box extends FaultRig {
  name: string;
  /** Writes its config.toml; `more` follows the lines of `[relay]`. */
  configure(relay: string, more?: string): void;
  /** Starts the daemon and waits until the relay is up. */
  join(): Promise<void>;
  /** The receipt, once it is in this state. */
  reaches(receipt: string, state: string, deadlineMs?: number): Promise<Record<string, unknown>>;
}

export function box(name: string, url: string, more = ""): Box {
  const rig = faultRig();
  mkdirSync(rig.home, { recursive: true, mode: 0o700 });
  const configure: Box["configure"] = (relay, rest = "") =>
    writeFileSync(join(rig.home, "config.toml"), `[relay]\nname = "${name}"\n${relay}\n${rest}\n`, {
      mode: 0o600,
    });
  configure(`url = "${url}"`, more);
  return {
    ...rig,
    name,
    configure,
    async join() {
      await rig.ask(["up"]);
      await until(`the relay of ${name} is up`, async () => {
        const { relay } = await rig.ask(["daemon", "status"]);
        return relay?.state === "up";
      });
    },
    reaches: (receipt, state, deadlineMs) =>
      until(
        `receipt ${receipt} is ${state}`,
        async () => {
          const found = await rig.ask(["receipt", "get", receipt]);
          return found.state === state && found;
        },
        deadlineMs,
      ),
  };
}
