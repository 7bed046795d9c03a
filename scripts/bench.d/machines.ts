/** A cold read on another machine, against ssh that runs the same command there: over a private sshd on loopback. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noSshd, startBox } from "../../test/support/sshd.ts";
import { makeHome, startDaemon } from "./daemon.ts";
import { coldMs, inTurns, median, ms, ratio, sides, until } from "./measure.ts";
import { atMost, type Row } from "./row.ts";

export const machines: Row = {
  async measure(bench) {
    if (noSshd !== undefined) throw new Error(noSshd);
    const there = await startDaemon(bench, await makeHome(bench, "box-100", 100));
    const folder = join(bench.folder, "box");
    mkdirSync(folder);
    const box = await startBox(folder, there.env);
    bench.owns(() => box.stop());
    const beside = async (name: string, more: Record<string, string>) => {
      const here = await startDaemon(bench, await makeHome(bench, name, 1, more));
      const home = here.env["DISPATCH_HOME"]!;
      writeFileSync(join(home, "config.toml"), `[hosts.box]\nssh = "box"\ncommand = "${bench.dispatch}"\n`);
      return here;
    };
    // A daemon keeps connections only for commands that use the same ssh: with the first one each command makes its own.
    const own = await beside("beside-own", {});
    const keeping = await beside("beside-keeping", { DISPATCH_SSH: box.ssh });
    const ownEnv = { ...own.env, DISPATCH_SSH: box.ssh };
    const plain = () => coldMs([box.ssh, "box", `${bench.dispatch} list`], ownEnv);
    const list = (env: Record<string, string>) => () =>
      coldMs([bench.dispatch, "list", "--host", "box"], env);

    const cold = await inTurns(20, plain, list(ownEnv));
    // A socket's path is short.
    const sockets = mkdtempSync(join(tmpdir(), "bench-"));
    bench.owns(() => rmSync(sockets, { recursive: true, force: true }));
    box.share(sockets);
    const master = Bun.spawn([box.ssh, "box", "true"], {
      env: ownEnv,
      stdio: ["ignore", "ignore", "ignore"],
    });
    await master.exited;
    const shared = await inTurns(40, plain, list(ownEnv));
    list(keeping.env)();
    await until("a connection is kept", () => (box.clients().length > 0 ? true : undefined));
    const kept = await inTurns(40, plain, list(keeping.env));
    const nothing = await inTurns(
      20,
      () => coldMs([box.ssh, "box", "true"], ownEnv),
      () => coldMs([bench.dispatch, "--version"], ownEnv),
    );
    for (const daemon of [own, keeping, there]) await daemon.end();
    await box.stop();
    return {
      lines: [
        atMost("`list --host box` / `ssh box dispatch list`, each with its log-in", ratio(cold), 1.15, "x"),
        atMost(
          "`list --host box` over a shared connection, from the second on",
          median(kept.ours),
          30,
          "ms",
          1,
        ),
      ],
      notes: [
        `with log-in: ${sides(cold, ["ssh", "ours"])}; 100 threads there`,
        `over a shared connection: ${sides(shared, ["ssh", "ours, the first one"])}`,
        `while the daemon here keeps one open: ${sides(kept, ["ssh", "ours"])}`,
        `of that, ssh box true ${ms(median(nothing.floor))}, and one start of this program ${ms(median(nothing.ours))}`,
      ],
    };
  },
};
