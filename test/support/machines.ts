/** Two machines: this one, and `box`, which has homes and a daemon of its own and is reached through a private sshd. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { binary, dispatchRig, type Rig } from "./dispatch.ts";
import { type Box, startBox } from "./sshd.ts";

export interface Machines {
  here: Rig;
  there: Rig;
  box: Box;
  /** Writes config.toml of this machine: `[hosts.box]`, and what is given besides. */
  configure(more?: string): void;
  /** Connections are shared from now on, as with ControlMaster in ~/.ssh/config. */
  share(): void;
  dispose(): Promise<void>;
}

export async function machines(): Promise<Machines> {
  const [here, there] = [dispatchRig(), dispatchRig()];
  // Both have dispatch on their PATH.
  for (const { env } of [here, there]) env["PATH"] = `${dirname(binary)}:${env["PATH"]}`;
  const box = await startBox(dirname(here.codex.cwd), there.env);
  here.env["DISPATCH_SSH"] = box.ssh;
  mkdirSync(here.home, { recursive: true, mode: 0o700 });
  const configure = (more = "") =>
    writeFileSync(join(here.home, "config.toml"), `[hosts.box]\nssh = "box"\ncommand = "${binary}"\n${more}`);
  configure();
  return {
    here,
    there,
    box,
    configure,
    share: () => box.share(here.home),
    async dispose() {
      await box.stop();
      await here.dispose();
      await there.dispose();
    },
  };
}
