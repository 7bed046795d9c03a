/** What a daemon costs while nothing happens. */
import { readFileSync } from "node:fs";
import { codexExecutable, codexHome } from "../../test/support/codex.ts";
import { startProvider } from "../../test/support/provider.ts";
import { ask, makeHome, startDaemon } from "./daemon.ts";
import { until } from "./measure.ts";
import type { Automations } from "./registry.ts";
import { atMost, type Bench, type Row } from "./row.ts";

const watchedMs = 10_000;

export const idle: Row = {
  async measure(bench) {
    const floor = Bun.spawn([bench.idle], { env: {}, stdio: ["ignore", "ignore", "ignore"] });
    bench.owns(() => floor.kill("SIGKILL"));
    const daemon = await daemonAtRest(bench);
    const before = usage(daemon.pid).cpuMs;
    await Bun.sleep(watchedMs);
    const after = usage(daemon.pid);
    const percent = ((after.cpuMs - before) / watchedMs) * 100;
    const floorBytes = usage(floor.pid).rssBytes;
    await daemon.end();
    floor.kill("SIGKILL");
    await floor.exited;
    const mb = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
    return {
      lines: [
        atMost("CPU of an idle daemon, 1,000 threads", percent, 1, "%"),
        atMost("its RSS / an empty program that idles", after.rssBytes / floorBytes, 3, "x"),
      ],
      notes: [
        `with a running Codex, whose own cost is not in it, over ${watchedMs / 1000} s; RSS ${mb(after.rssBytes)} against ${mb(floorBytes)}`,
      ],
    };
  },
};

/** Started, its Codex up, and no more of the start being worked off. */
export async function daemonAtRest(
  bench: Bench,
  name = "idle-1000",
  history?: History,
  automations?: Automations,
) {
  const provider = startProvider({ requestsKept: 1 });
  bench.owns(() => provider.stop());
  const home = codexHome(provider.url);
  bench.owns(home.cleanup);
  const agent = { DISPATCH_CODEX: codexExecutable(), CODEX_HOME: home.home };
  const daemon = await startDaemon(bench, await makeHome(bench, name, 1000, agent, history, automations));
  await until("Codex is up", async () => {
    const { child } = (await ask(daemon.connection, "daemon.status")) as { child: { state: string } };
    return child.state === "running" ? true : undefined;
  });
  let last = usage(daemon.pid).cpuMs;
  await until("the daemon rests", async () => {
    await Bun.sleep(500);
    const now = usage(daemon.pid).cpuMs;
    const isQuiet = now - last <= 10;
    last = now;
    return isQuiet ? true : undefined;
  });
  return daemon;
}

type History = Parameters<typeof makeHome>[4];

interface Usage {
  cpuMs: number;
  rssBytes: number;
}

/** Of a process that runs. Other systems than Linux: by ps, whose times are hundredths of a second on macOS. */
export function usage(pid: number): Usage {
  if (process.platform !== "linux") return usageByPs(pid);
  const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, "utf8");
  // After the name in brackets, which may hold anything: state is the 3rd field, utime and stime the 14th and 15th.
  const fields = read("stat").split(") ").at(-1)!.split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  const kib = Number(/VmRSS:\s+(\d+)/.exec(read("status"))?.[1]);
  // A tick is 10 ms wherever Linux shows it to programs.
  return { cpuMs: ticks * 10, rssBytes: kib * 1024 };
}

function usageByPs(pid: number): Usage {
  const out = Bun.spawnSync(["ps", "-o", "rss=,time=", "-p", String(pid)])
    .stdout.toString()
    .trim();
  const [kib, time] = out.split(/\s+/);
  const seconds = (time ?? "").split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
  return { cpuMs: seconds * 1000, rssBytes: Number(kib) * 1024 };
}
