/** README's commands to try the relay on one machine, as they are written. Only the port is another one. */
import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binary, dispatchRig } from "../support/dispatch.ts";
import { freePort, natsPath, noNats } from "../support/nats.ts";

test.skipIf(noNats !== undefined)(
  `README's two homes on one relay${noNats ? `: ${noNats}` : ""}`,
  async () => {
    const rig = dispatchRig();
    const place = mkdtempSync(join(tmpdir(), "relay-"));
    const programs = join(place, "bin");
    mkdirSync(programs);
    symlinkSync(binary, join(programs, "dispatch"));
    symlinkSync(natsPath!, join(programs, "nats-server"));
    const readme = await Bun.file(join(import.meta.dir, "../../README.md")).text();
    const section = readme.slice(
      readme.indexOf("To try it on one machine, with a home for each of the two:"),
    );
    const commands = /```console\n([^`]+)```/.exec(section)![1]!.replace(/^\$ /gm, "");
    expect(commands.split("\n").length).toBeGreaterThan(8);
    const port = String(freePort());
    // After them what they leave running is ended: the daemons, and the server, which is the first job.
    const whole = `trap 'dispatch --home laptop down --force; dispatch --home tower down --force; kill %1' EXIT\n${commands.replaceAll("4222", port)}`;
    try {
      const child = Bun.spawn(["bash", "-ec", whole], {
        cwd: place,
        env: { ...rig.env, DISPATCH_HOME: "", PATH: `${programs}:${rig.env["PATH"]}` },
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
      });
      const [stdout, stderr, code] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
        child.exited,
      ]);
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(stdout).toContain('"state": "relayed"');
      expect(stdout).toContain('"last_message": "ok: And what is missing?"');
    } finally {
      rmSync(place, { recursive: true, force: true });
      await rig.dispose();
    }
  },
  60_000,
);
