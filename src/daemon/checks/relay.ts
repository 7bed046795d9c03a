/** Checks the relay, as the running daemon has it: connected, and what waits. */
import type { Clock } from "../../base/clock.ts";
import { look } from "../../base/directory.ts";
import { readLock } from "../../base/flock.ts";
import { readConfig } from "../config.ts";
import { relaySettings } from "../relay.ts";
import { type CheckContext, type Finding, ok, skipped, warn } from "./check.ts";
import { askStatus } from "./daemon.ts";

export async function checkRelay(
  { paths, env, isSandboxed, timeoutMs }: CheckContext,
  clock: Clock,
): Promise<Finding> {
  const settings =
    look(paths.config) === undefined
      ? null
      : relaySettings(readConfig(paths.config).relay, paths.config, env["HOME"] ?? "/");
  if (!settings) return skipped("no relay is configured");
  const { refuseUnsafe } = await import("../../core/relay/settings.ts");
  refuseUnsafe(settings);
  if (isSandboxed || !readLock(paths.lock).held)
    return skipped("the daemon keeps the connection, and is not running or not reachable from here", {
      recovery: "dispatch up",
    });
  const { relay, degraded } = (await askStatus(paths.socket, clock, timeoutMs)) as {
    relay?: { state: string; name: string; servers: string[]; waiting: number | null } | null;
    degraded: { code: string; message: string; hint: string | null }[];
  };
  if (!relay)
    return warn("the daemon has not opened the relay of the configuration yet", {
      recovery: "dispatch doctor, in some seconds",
    });
  const data = { ...relay };
  const where = `${relay.name} at ${relay.servers.join(", ")}`;
  if (relay.state === "up")
    return ok(
      `connected as ${where}${relay.waiting ? `; ${relay.waiting} messages are not taken yet` : ""}`,
      {
        data,
      },
    );
  const fault = degraded.find(({ message }) => message.includes("relay"));
  return warn(`${relay.state}: ${fault?.message ?? where}`, {
    ...(fault?.hint ? { recovery: fault.hint } : {}),
    data,
  });
}
