/** The command line of the system's ssh for another machine. */
import { readEnv } from "../../base/env.ts";
import { limits } from "../../base/limits.ts";
import type { RemoteHost } from "./hosts.ts";

/**
 * What ssh is to do is left to its own configuration: agent, keys, ports, jump hosts, shared connections. It asks nothing,
 * because a pipe has nobody to answer; forwards nothing of this machine; and notices a dead network.
 */
export function sshCommand(
  { destination }: RemoteHost,
  remote: string,
  { hasTerminal = false }: { hasTerminal?: boolean } = {},
): string[] {
  const { aliveSeconds, aliveMissedMax } = limits.host;
  const options = [
    "BatchMode=yes",
    "ClearAllForwardings=yes",
    `ServerAliveInterval=${aliveSeconds}`,
    `ServerAliveCountMax=${aliveMissedMax}`,
  ];
  return [
    readEnv().DISPATCH_SSH || "ssh",
    ...(hasTerminal ? ["-t"] : ["-T", "-e", "none"]),
    "-a",
    "-x",
    ...options.flatMap((option) => ["-o", option]),
    // Whatever follows is no option.
    "--",
    destination,
    remote,
  ];
}
